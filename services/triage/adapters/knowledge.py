"""Loads all that classification needs."""

from dataclasses import dataclass
from pathlib import Path

import structlog

from services.triage.adapters.encoders import EncoderMissing, Encoders
from services.triage.adapters.label_file import CARD, load_labels
from services.triage.adapters.language_detectors import best_detector
from services.triage.adapters.lexicon_files import load_lexicons
from services.triage.adapters.model_file import load_model
from services.triage.adapters.taxonomy_file import load_taxonomy
from services.triage.domain.classification import Knowledge
from services.triage.domain.entities import catalogue_of
from services.triage.domain.label_model import Encode
from services.triage.domain.taxonomy import Taxonomy

_log = structlog.get_logger()
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
    """Read everything. Raises ModelFileError, LexiconFileError.

    Without the encoder's package, topics are decided by words alone, and the log says so.
    """
    topics = load_labels(sources.model) if (sources.model / CARD).exists() else None
    return Knowledge(
        taxonomy=sources.taxonomy,
        lexicons=load_lexicons(sources.lexicons, sources.taxonomy.languages),
        model=load_model(sources.model),
        detect=best_detector(sources.taxonomy.languages)[1],
        topics=topics,
        catalogue=catalogue_of(sources.taxonomy.products),
        encode=_encoder() if topics is not None and topics.encoder is not None else None,
    )


def _encoder() -> Encode | None:
    try:
        return Encoders()
    except EncoderMissing as error:
        _log.warning("triage_encoder_missing", why=str(error))
        return None
