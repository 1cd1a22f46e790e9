"""Which exceptions mean that a part is away for now (503), which that a value cannot be stored (422)."""

from types import TracebackType
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from libs.web.problems import (
    BadRequest,
    Problem,
    Unavailable,
    Unprocessable,
    from_http_exception,
    internal_error,
)

# Connection trouble, shut-down and start-up, too many connections, read-only, cancelled by a limit, deadlock,
# serialisation: all pass by themselves, and nothing was written.
_PASSING_STATES: Final = frozenset({"25006", "40001", "40P01", "53300", "55P03", "57014"})
_PASSING_CLASSES: Final = ("08", "57P")
_TEXT_STATES: Final = frozenset({"22021", "22P05"})
_RANGE_STATE: Final = "22003"
# asyncpg refuses a number before it is sent, and then there is no state.
_OUT_OF_RANGE: Final = "value out of int"


def problem_of(error: BaseException) -> Problem:
    """What to answer when `error` left a route: always a problem, 500 only for what nobody foresaw."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, HTTPException):
        return from_http_exception(error)
    if isinstance(error, ClientDisconnect):
        return BadRequest("The request ended before its body was complete.", slug="incomplete-body")
    if isinstance(error, PoolTimeout):
        return Unavailable("Too many requests wait for the database.", cause="pool", retry_after_s=1)
    if isinstance(error, DBAPIError):
        return _from_database(error)
    if isinstance(error, asyncpg.PostgresError):
        return _from_state(error.sqlstate) or internal_error()
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        return _database_away()
    if isinstance(error, OSError) and _inside_driver(error.__traceback__):
        return _database_away()
    if isinstance(error, TimeoutError):
        return Unavailable("It took too long.", cause="timeout")
    return internal_error()


def _from_database(error: DBAPIError) -> Problem:
    state = getattr(error.orig, "sqlstate", None)
    known = _from_state(state if isinstance(state, str) else None)
    if known is not None:
        return known
    if _OUT_OF_RANGE in str(error.orig):
        return _out_of_range()
    if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
        return _database_away()
    return internal_error()


def _from_state(state: str | None) -> Problem | None:
    if state in _TEXT_STATES:
        return Unprocessable("A text holds a character that cannot be stored.", slug="unstorable-text")
    if state == _RANGE_STATE:
        return _out_of_range()
    if state is not None and (state in _PASSING_STATES or state.startswith(_PASSING_CLASSES)):
        return _database_away()
    return None


def _database_away() -> Unavailable:
    return Unavailable("The database cannot be used for the moment. Nothing was changed.", cause="database")


def _out_of_range() -> Unprocessable:
    return Unprocessable("A number is too large.", slug="number-out-of-range")


def _inside_driver(trace: TracebackType | None) -> bool:
    """True when the error rose in asyncpg: a missing socket file is an outage there and a bug elsewhere."""
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__", "")).startswith("asyncpg"):
            return True
        trace = trace.tb_next
    return False
