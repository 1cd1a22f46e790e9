"""The table of contents: the six services, in the order in which a conversation meets them."""

from functools import cache
from importlib import import_module
from typing import Final

from libs.primitives import kept_for_good
from libs.runtime import ServiceDefinition

NAMES: Final = ("ingest", "triage", "routing", "agent", "survey", "analytics")


@cache
def service(name: str) -> ServiceDefinition:
    """The service of that name, which is read only now: a process that runs one needs nothing of the others. Raises
    ValueError that names the others."""
    if name not in NAMES:
        raise ValueError(f"no service is called {name!r}; there are {', '.join(NAMES)}")
    with kept_for_good():
        definition: ServiceDefinition = import_module(f"services.{name}.service").definition
    return definition


def services() -> tuple[ServiceDefinition, ...]:
    """All of them."""
    return tuple(service(name) for name in NAMES)
