"""What can go wrong on a stream, and the one fate of each.

StreamError
├── Retry        the world is not ready (a provider, a lock): the batch is run again with back-off
├── Reject       this message can never be handled: it becomes a dead letter, the next of its key goes on
└── Stop         nothing may go on until a person has looked
    ├── EventsLost   the log jumps: rows are missing between the stored position and what was read
    ├── LogRestored  the broker is ahead of the log it comes from: a back-up was restored and nobody said so
    └── TooManyDead  20 of the last 100 messages died
StillRunning     a command that needs the platform stopped found it running; nothing was changed
TopicsRefused    a topic on the broker cannot become what it must be; nothing was changed
Fenced           another owner has taken the partition: everything in memory is dropped, then rejoin

Any other exception of a handler is a fault met on this message: a dead letter, whose error names it.
"""

import asyncio

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_TRANSIENT_STATES = ("08", "53", "57", "40", "55P03")
UNIQUE_VIOLATION = "23505"


class StreamError(Exception):
    """Base of what handlers raise on purpose."""


class Retry(StreamError):
    """Try again later: say what is not ready."""


class Reject(StreamError):
    """Never try again: say what was seen and what was expected."""


class Stop(StreamError):
    """Stop the group: say what a person has to do."""


class EventsLost(Stop):
    """Rows between the position and the next row are missing."""


class LogRestored(Stop):
    """The broker has rows that the log has not written: say which, and what to run."""


class TooManyDead(Stop):
    """The breaker: so many messages died that the fault is not in the messages."""


class TopicsRefused(Exception):
    """A topic on the broker cannot become what it must be: say what was seen and what to do."""


class StillRunning(Exception):
    """A command needs every process stopped: say what runs."""


class Fenced(Exception):
    """The epoch of a position row is no longer ours."""


def sqlstate_of(error: BaseException) -> str:
    """The SQLSTATE of a database error, or an empty string."""
    if isinstance(error, DBAPIError):
        return str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or "")
    return ""


def is_transient(error: BaseException) -> bool:
    """Whether running the same work again may succeed: lost connections, deadlocks, a server that starts or stops."""
    if isinstance(error, (Retry, OSError, asyncio.TimeoutError, PoolTimeout, InterfaceError)):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, OperationalError):
            return True
        return sqlstate_of(error).startswith(_TRANSIENT_STATES)
    return False
