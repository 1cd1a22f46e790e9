"""The classifier in the caller's process: for tests, scripts and benchmarks; it holds the event loop."""

from collections.abc import Sequence

from services.triage.adapters.knowledge import Sources, load_knowledge
from services.triage.domain.classification import Knowledge, Query, classify_many
from services.triage.domain.signals import Signals
from services.triage.ports import ClassifierUnavailable, Unclassifiable


class InProcessClassifier:
    """Implements `Classifier`."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._knowledge: Knowledge | None = None

    async def start(self) -> None:
        """Load everything."""
        try:
            self._knowledge = load_knowledge(self._sources)
        except (OSError, ValueError) as error:
            raise ClassifierUnavailable(str(error)) from error

    async def classify(self, queries: Sequence[Query]) -> Sequence[Signals | Unclassifiable]:
        """Classify at once."""
        if self._knowledge is None:
            raise ClassifierUnavailable("the classifier is not running")
        return classify_many(queries, self._knowledge)

    async def close(self) -> None:
        """Forget everything."""
        self._knowledge = None
