"""Loads all that classification needs."""

from dataclasses import dataclass
from pathlib import Path

import structlog

from services.triage.adapters.encoders import EncoderMissing, Encoders
from services.triage.adapters.label_file import CARD, load_labels
from services.triage.adapters.language_detectors import best_detector
from services.triage.adapters.learning.versions import TAXONOMY as OWN_TAXONOMY
from services.triage.adapters.learning.versions import VERSIONS, VersionError, folder_in_use
from services.triage.adapters.lexicon_files import load_lexicons
from services.triage.adapters.model_file import CARD as WORDS_CARD
from services.triage.adapters.model_file import SELF_SERVICE, load_model
from services.triage.adapters.overtones_file import OVERTONES, load_overtones
from services.triage.adapters.taxonomy_file import load_taxonomy
from services.triage.domain.classification import Knowledge
from services.triage.domain.products import catalogue_of
from services.triage.domain.taxonomy import Taxonomy

_log = structlog.get_logger()
HERE = Path(__file__).resolve().parents[1]
TAXONOMY = HERE / "taxonomy.yaml"
OWN_MODELS = HERE / "models"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the parts are, and the taxonomy as it was read once for the whole service."""

    taxonomy: Taxonomy
    lexicons: Path = HERE / "lexicon"
    model: Path = OWN_MODELS
    encoder: bool = True
    """Whether the sentence encoder may be loaded."""

    @classmethod
    def default(cls) -> "Sources":
        """The parts that come with the service."""
        return cls(load_taxonomy(TAXONOMY))


def load_knowledge(sources: Sources) -> Knowledge:
    """Read everything. Raises ModelFileError, LexiconFileError, VersionError.

    A trained version has topics alone; its other signals are those of the model that comes with the service.

    Without the encoder's package words decide alone, and the log says so.
    """
    folder = _folder(sources.model)
    topics = load_labels(folder) if (folder / CARD).exists() else None
    words = folder if topics is None or (folder / WORDS_CARD).exists() else OWN_MODELS
    heads = load_overtones(words) if (words / OVERTONES).exists() else None
    encodes = heads is not None or (topics is not None and topics.encoder is not None)
    encode = encoder() if sources.encoder and encodes else None
    return Knowledge(
        taxonomy=sources.taxonomy,
        lexicons=load_lexicons(sources.lexicons, sources.taxonomy.languages),
        model=load_model(words),
        self_service=load_model(
            words if (words / f"{SELF_SERVICE}.json").exists() else OWN_MODELS, SELF_SERVICE
        ),
        detect=best_detector(sources.taxonomy.languages)[1],
        topics=topics,
        catalogue=catalogue_of(sources.taxonomy.products),
        overtones=heads,
        encode=encode,
    )


def taxonomy_for(model: Path | None) -> Path:
    """The taxonomy that lies beside a model in use, else the one that comes with the service. Raises VersionError."""
    own = _folder(model) / OWN_TAXONOMY if model is not None else TAXONOMY
    return own if own.exists() else TAXONOMY


def model_in_use(model: Path | None) -> str:
    """Changes when another version is taken into use; a torn entry is told when the model is loaded."""
    try:
        return str(_folder(model)) if model is not None else ""
    except VersionError as error:
        return str(error)


def _folder(model: Path) -> Path:
    """The model's own folder; where versions are kept and none is in use, the one that comes with the service."""
    found = folder_in_use(model)
    return OWN_MODELS if found == model and (model / VERSIONS).is_dir() else found


def encoder() -> Encoders | None:
    """The sentence encoder, or None, which the log says, where its package is missing."""
    try:
        return Encoders()
    except EncoderMissing as error:
        _log.warning("triage_encoder_missing", why=str(error))
        return None
