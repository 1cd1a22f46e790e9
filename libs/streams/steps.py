"""The steps whose order keeps the promise of the log, shown to whoever composes a process and wants to stand between them.

A step is what happens at once or not at all: a commit, a send that the broker has acknowledged.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum


class Step(StrEnum):
    """One step of the protocol."""

    APPEND = "append"
    """Rows are numbered and inserted, in a transaction that is still open."""
    CLAIM = "claim"
    """The epochs of partitions are raised."""
    BATCH = "batch"
    """What a group did with a batch, its events and its positions are committed."""
    BURY = "bury"
    """A dead letter and the position behind it are committed."""
    SEND = "send"
    """A relay's batch is with the broker."""
    STORE = "store"
    """A relay's positions are committed."""
    REPORT = "report"
    """The broker is told where a group stands, for its lag tools."""


Steps = Callable[[Step], AbstractContextManager[None]]
"""Called for each step; entered right before it, left once it is done, or by what kept it from being done."""


def unwatched(_step: Step) -> AbstractContextManager[None]:
    """Nobody looks."""
    return nullcontext()
