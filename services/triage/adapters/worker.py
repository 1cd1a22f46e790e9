"""A classification process: frames of pickled values on stdin and stdout, its end when stdin ends.

Started by the pool as `python -m services.triage.adapters.worker`. First frame in: how to load; first frame out:
`Ready` or `Failed`. Then batches of queries in, lists of signals out; or corrections in, `Ready` out."""

import io
import os
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from services.triage.adapters.frames import HEADER, Failed, Ready, Teach, frame
from services.triage.adapters.knowledge import Sources
from services.triage.adapters.learner import Learner
from services.triage.domain.classification import Query

_WARM_UP = ("Hello, I have a question", "Bună ziua, am o întrebare")
Work = Callable[[Any], object]
"""A frame that came in (queries or Teach) -> the answer."""


def work_of(sources: Sources) -> tuple[str, Work]:
    """The model's version and the function that classifies."""
    learner = Learner(sources)

    def work(value: Sequence[Query] | Teach) -> object:
        if isinstance(value, Teach):
            learner.teach(value.lessons)
            return Ready(learner.version)
        return learner.classify(value)

    return learner.version, work


def serve(make: Callable[[Sources], tuple[str, Work]]) -> None:
    """Answer frames until stdin ends."""
    # Ctrl-C goes to the whole group of processes; the host decides when this one ends, by closing stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not get between the frames.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    source = sys.stdin.buffer
    first = _read(source)
    if first is None:
        return
    try:
        version, work = make(first)
    except (OSError, ValueError, ImportError) as error:
        answers.write(frame(Failed(str(error))))
        return
    _write(answers, Ready(version))
    # Encoders take seconds to load, with the first text of a language that they read: rather now than when a customer
    # waits, and rather beside the service's start than before it.
    work([Query(text) for text in _WARM_UP])
    while (value := _read(source)) is not None:
        _write(answers, work(value))


def _write(target: io.RawIOBase | Any, value: object) -> None:
    data = memoryview(frame(value))
    while data:
        data = data[target.write(data) :]


def _read(source: BinaryIO) -> Any:
    header = source.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (size,) = HEADER.unpack(header)
    data = source.read(size)
    return pickle.loads(data) if len(data) == size else None


if __name__ == "__main__":
    serve(work_of)
