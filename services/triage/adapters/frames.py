"""What goes through the pipes between the pool and its processes: a length, then a pickled value.

Pickle never crosses the machine's border here: both ends are this program.
"""

import pickle
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from services.triage.domain.overlay import Lesson

HEADER = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Ready:
    """The process has loaded everything."""

    model_version: str


@dataclass(frozen=True, slots=True)
class Teach:
    """To a process: these corrections count from now on. It answers Ready."""

    lessons: Sequence[Lesson]


@dataclass(frozen=True, slots=True)
class Failed:
    """The process cannot work; it ends."""

    reason: str


def frame(value: object) -> bytes:
    """A value as it goes through the pipe."""
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    return HEADER.pack(len(data)) + data
