"""Knowledge and the corrections since it was made, in one process."""

from collections.abc import Sequence

from services.triage.adapters.knowledge import Sources, encoder, load_knowledge
from services.triage.domain.classification import Query, classify_many
from services.triage.domain.overlay import MOST, Lesson, Overlay, overlaid, taught
from services.triage.domain.signals import Signals


class Learner:
    """Classifies by the model, then by what people corrected. The encoder is loaded with the first text; where the
    model is of words alone, with the first correction."""

    def __init__(self, sources: Sources) -> None:
        """Raises ModelFileError, LexiconFileError, VersionError."""
        self._knowledge = load_knowledge(sources)
        self._may_encode = sources.encoder
        self._encode = self._knowledge.encode
        self._overlay = Overlay()

    @property
    def version(self) -> str:
        """The model's."""
        return self._knowledge.version

    @property
    def lessons(self) -> Sequence[Lesson]:
        """The corrections that count."""
        return self._overlay.lessons

    def teach(self, lessons: Sequence[Lesson]) -> None:
        """Corrections that count from now on."""
        if self._encode is None and self._may_encode and lessons:
            self._encode = encoder()
        queries = [Query(one.text, language_hint=one.language) for one in lessons]
        said = [signals.topic.value for signals in classify_many(queries, self._knowledge)]
        self._overlay = taught(self._overlay, lessons, said, self._encode, MOST)

    def classify(self, queries: Sequence[Query]) -> list[Signals]:
        """As `classify_many`, with the corrections."""
        signals = classify_many(queries, self._knowledge)
        texts = [query.text for query in queries]
        return overlaid(texts, signals, self._overlay, self._knowledge.taxonomy.keys, self._encode)
