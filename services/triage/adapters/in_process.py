"""The classifier in the caller's process: for tests, scripts and benchmarks; it holds the event loop."""

from collections.abc import Sequence

from services.triage.adapters.knowledge import Sources
from services.triage.adapters.learner import Learner
from services.triage.domain.classification import Query
from services.triage.domain.overlay import Lesson
from services.triage.domain.signals import Signals
from services.triage.ports import ClassifierUnavailable, Unclassifiable


class InProcessClassifier:
    """Implements `Classifier`."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._learner: Learner | None = None

    async def start(self) -> None:
        """Load everything."""
        try:
            self._learner = Learner(self._sources)
        except (OSError, ValueError) as error:
            raise ClassifierUnavailable(str(error)) from error

    async def classify(self, queries: Sequence[Query]) -> Sequence[Signals | Unclassifiable]:
        """Classify at once."""
        if self._learner is None:
            raise ClassifierUnavailable("the classifier is not running")
        return self._learner.classify(queries)

    async def teach(self, lessons: Sequence[Lesson]) -> None:
        """Learn at once."""
        if self._learner is None:
            raise ClassifierUnavailable("the classifier is not running")
        self._learner.teach(lessons)

    async def renew(self) -> None:
        """Load everything again."""
        if self._learner is None:
            raise ClassifierUnavailable("the classifier is not running")
        try:
            learner = Learner(self._sources)
        except (OSError, ValueError) as error:
            raise ClassifierUnavailable(str(error)) from error
        learner.teach(self._learner.lessons)
        self._learner = learner

    async def close(self) -> None:
        """Forget everything."""
        self._learner = None
