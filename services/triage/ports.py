"""What triage needs from outside its rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.triage.domain.classification import Query
from services.triage.domain.overlay import Lesson
from services.triage.domain.second_opinion import Opinion, Question
from services.triage.domain.signals import Signals


@dataclass(frozen=True, slots=True)
class Unclassifiable:
    """A text that ended the process that read it, twice. It is told, not tried again."""

    reason: str


class ClassifierUnavailable(Exception):
    """No classifier can be started now. Try again later; the text says what is wrong."""


class Classifier(Protocol):
    """Texts to signals, away from the event loop. One conformance suite runs over every adapter."""

    async def start(self) -> None:
        """Get ready. Raises ClassifierUnavailable when that is not possible."""
        ...

    async def classify(self, queries: Sequence[Query]) -> Sequence[Signals | Unclassifiable]:
        """One result for each query, in their order; any text is allowed; empty gives empty.

        Safe to call from several tasks at once. Raises ClassifierUnavailable before start, after close and when
        processes cannot be started.
        """
        ...

    async def teach(self, lessons: Sequence[Lesson]) -> None:
        """From now on these corrections count, in every process, also in one that is started later.

        One that was taught before is no error. Does not wait until the processes have read them.
        """
        ...

    async def renew(self) -> None:
        """Read the model's files again; what was taught stays. Raises ClassifierUnavailable when they cannot be used:
        then the old ones go on."""
        ...

    async def close(self) -> None:
        """Stop within a few seconds; calls under way get ClassifierUnavailable. Closing twice is no error."""
        ...


class SecondOpinion(Protocol):
    """Somebody outside who may be asked about a topic, or nobody."""

    async def ask(self, questions: Sequence[Question]) -> Sequence[Opinion]:
        """One for each question, in their order. Bounded in time; whatever goes wrong outside is an opinion that says
        so. What it answers is not to be trusted."""
        ...
