"""Loads all that classification needs."""

from dataclasses import dataclass
from pathlib import Path

from services.triage.adapters.language_detectors import best_detector
from services.triage.adapters.lexicon_files import load_lexicons
from services.triage.adapters.model_file import load_model
from services.triage.adapters.taxonomy_file import load_taxonomy
from services.triage.domain.classification import Knowledge
from services.triage.domain.taxonomy import Taxonomy

HERE = Path(__file__).resolve().parents[1]
TAXONOMY = HERE / "taxonomy.yaml"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the parts are, and the taxonomy as it was read once for the whole service."""

    taxonomy: Taxonomy
    lexicons: Path = HERE / "lexicon"
    model: Path = HERE / "models"

    @classmethod
    def default(cls) -> "Sources":
        """The parts that come with the service."""
        return cls(load_taxonomy(TAXONOMY))


def load_knowledge(sources: Sources) -> Knowledge:
    """Read everything; under a second. Raises ModelFileError, LexiconFileError."""
    return Knowledge(
        taxonomy=sources.taxonomy,
        lexicons=load_lexicons(sources.lexicons, sources.taxonomy.languages),
        model=load_model(sources.model),
        detect=best_detector(sources.taxonomy.languages)[1],
    )
