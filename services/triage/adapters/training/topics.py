"""The default model of topics in two tiers, from the own set's training split."""

from collections.abc import Callable
from pathlib import Path

from services.triage.adapters.label_file import save_labels
from services.triage.adapters.lexicon_files import load_lexicons
from services.triage.adapters.training.dataset import load_examples
from services.triage.adapters.training.fitting import columns_of
from services.triage.adapters.training.labels import train_labels
from services.triage.adapters.training.making import features_of
from services.triage.adapters.training.parts import Labelled
from services.triage.domain.encoding import Encoder
from services.triage.domain.label_model import LabelModel
from services.triage.domain.taxonomy import Taxonomy


def make_topics(
    data: Path,
    lexicon_folder: Path,
    taxonomy: Taxonomy,
    encoder: Encoder,
    target: Path,
    progress: Callable[[str], None],
) -> LabelModel:
    """Train, write, return. Requests that show no topic teach what is outside; the check split is left out."""
    lexicons = load_lexicons(lexicon_folder, taxonomy.languages)
    rows = [
        Labelled(e.text, e.topic or "oos", e.language, features_of(e.text, e.language, lexicons))
        for e in load_examples(data, taxonomy.languages)
        if not e.check and e.kind == "request"
    ]
    columns = columns_of(sorted({c for one in lexicons.values() for c in one.columns}))
    trained = train_labels(rows, encoder, columns=columns, keep_texts=True, progress=progress)
    right = [
        trained.model.labels[int(best)] == row.label
        for best, row in zip(trained.held.argmax(axis=1), trained.rows, strict=True)
    ]
    progress(f"cross-validation on the train split: accuracy {sum(right) / len(right):.4f} of {len(right)}")
    return save_labels(
        trained.model,
        target,
        {
            "what": "Default topics in two tiers, from services/triage/data alone by `make models`",
            "texts": len(rows),
        },
    )
