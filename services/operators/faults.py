"""What keeps a command from starting, as a sentence for the operator: what was seen, and what to do."""

from collections.abc import Iterator
from socket import gaierror

from asyncpg.exceptions import InvalidAuthorizationSpecificationError, InvalidCatalogNameError
from pydantic import ValidationError
from pydantic_settings import BaseSettings
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from libs.runtime import PlatformSettings
from libs.storage.embedded import EmbeddedPostgresError
from libs.streams import LogRestored, Retry, StillRunning, TopicsRefused
from libs.web import KeyFileError
from services.cluster.refusals import BrokerRefused, ClusterRefused
from services.embedded.host import HostRefused
from services.operators.refusals import NotFromTheBeginning, StillFailing
from services.registry import services

_SAY_IT_THEMSELVES = (
    HostRefused,
    EmbeddedPostgresError,
    KeyFileError,
    StillFailing,
    NotFromTheBeginning,
    ClusterRefused,
    BrokerRefused,
    TopicsRefused,
    StillRunning,
    LogRestored,
    Retry,
)
_NOT_LET_IN = (
    ConnectionError,
    TimeoutError,
    gaierror,
    InvalidAuthorizationSpecificationError,
    InvalidCatalogNameError,
)


def explain(error: Exception) -> str | None:
    """The sentence, or None for what nobody foresaw: that is a bug, and its trace is wanted."""
    if isinstance(error, _SAY_IT_THEMSELVES):
        return str(error)
    if isinstance(error, ValidationError):
        return _wrong_settings(error)
    if type(error) is ValueError and str(error).startswith("DATABASE_URL "):
        return str(error)
    if isinstance(error, ArgumentError):
        return "DATABASE_URL is no address: expected postgresql://user:password@host/name"
    seen = error.orig.__cause__ or error.orig if isinstance(error, DBAPIError) and error.orig else error
    return _no_database(seen) if isinstance(seen, _NOT_LET_IN) else None


def _wrong_settings(error: ValidationError) -> str | None:
    kinds: list[type[BaseSettings]] = [PlatformSettings, *(definition.settings for definition in services())]
    kind = next((k for k in kinds if k.__name__ == error.title), None)
    if kind is None:
        return None
    lines = "\n".join(_lines(error, kind.model_config.get("env_prefix", "")))
    return f"{lines}\n`centralino run --print-config` lists every setting with its meaning"


def _lines(error: ValidationError, prefix: str) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_context=False):
        name = str(fault["loc"][0]) if fault["loc"] else ""
        variable = name if name.isupper() else f"{prefix}{name}".upper() if name else prefix.rstrip("_")
        yield f"{variable}: {fault['msg']}"


def _no_database(error: BaseException) -> str | None:
    try:
        address = PlatformSettings().database_url
        where = make_url(address).render_as_string(hide_password=True) if address else ""
    except (ValidationError, ArgumentError):
        return None
    if not where:
        return None
    return (
        f"The database at {where} does not let us in ({error or type(error).__name__}): check that it runs, "
        "and that DATABASE_URL has the right host, port, user, password and database"
    )
