"""The table of contents: the six services, in the order in which a conversation meets them."""

from libs.runtime import ServiceDefinition
from services.agent.service import definition as agent
from services.analytics.service import definition as analytics
from services.ingest.service import definition as ingest
from services.routing.service import definition as routing
from services.survey.service import definition as survey
from services.triage.service import definition as triage

SERVICES: tuple[ServiceDefinition, ...] = (ingest, triage, routing, agent, survey, analytics)


def service(name: str) -> ServiceDefinition:
    """The service of that name. Raises ValueError that names the others."""
    for definition in SERVICES:
        if definition.name == name:
            return definition
    raise ValueError(f"no service is called {name!r}; there are {', '.join(d.name for d in SERVICES)}")
