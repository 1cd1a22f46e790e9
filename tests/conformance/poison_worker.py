"""A classification process that dies on certain texts, as a broken library would make it."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from services.triage.adapters.frames import Teach
from services.triage.adapters.knowledge import Sources
from services.triage.adapters.worker import Work, serve, work_of
from services.triage.domain.classification import Query


def fragile(sources: Sources) -> tuple[str, Work]:
    """Dies of POISON always, and of `ONCE <path>` while that file is not there."""
    version, work = work_of(sources)

    def classify(queries: Sequence[Query] | Teach) -> object:
        if isinstance(queries, Teach):
            if any("POISON" in lesson.text for lesson in queries.lessons):
                os.kill(os.getpid(), signal.SIGKILL)
            return work(queries)
        for query in queries:
            if "POISON" in query.text:
                os.kill(os.getpid(), signal.SIGKILL)
            if query.text.startswith("ONCE "):
                mark = Path(query.text.removeprefix("ONCE "))
                if not mark.exists():
                    mark.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
        return work(queries)

    return version, classify


if __name__ == "__main__":
    serve(fragile)
