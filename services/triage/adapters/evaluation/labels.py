"""Topic, mood, spam, self-service and out of scope: a model of the train file's labels, measured on the test file."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from services.triage.adapters.evaluation.report import Evaluation, Prediction, basic, by_language
from services.triage.adapters.labelled_files import Row
from services.triage.adapters.training.labels import OUTSIDE, Trained, spoken, train_labels
from services.triage.adapters.training.parts import Keep, Labelled
from services.triage.domain.classification import Detector
from services.triage.domain.encoding import Encoder
from services.triage.domain.features import DERIVED_COLUMNS, extract
from services.triage.domain.judging import Verdicts, judge
from services.triage.domain.label_model import NEVER, LabelModel
from services.triage.domain.language import UNDETERMINED, decide_language
from services.triage.domain.lexicon import Lexicon
from services.triage.domain.measures import auroc, best_f1_without_false_alarm, f1, recall_at
from services.triage.domain.text import read

Tier = Literal["vote", "cascade", "words", "encoder"]
_BATCH: Final = 256
_SHARPNESS: Final = 14.0
_COMMON: Final = 0.02
_BY_MANNER: Final = ("mood", "spam", "self_service")
"""Tasks for which it counts how a text is written: they see the columns of the lexicons."""


@dataclass(frozen=True)
class Tools:
    """What reading a text needs."""

    encode: Encoder | None
    detect: Detector
    lexicons: dict[str, Lexicon]


def evaluate_labels(
    train: Sequence[Row],
    test: Sequence[Row],
    tools: Tools,
    task: str,
    *,
    tier: Tier = "vote",
    seed: int = 1,
    progress: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Train on one, measure on the other. Raises TooFewLabels."""
    train, test, notes = matched(train, test)
    trained = train_rows(train, tools, task, tier=tier, seed=seed, progress=progress)
    progress(f"{len(test)} test texts")
    found = measure_rows(trained.model, test, tools, task, tier)
    return replace(found, notes=[*notes, *found.notes])


def measure_rows(model: LabelModel, test: Sequence[Row], tools: Tools, task: str, tier: Tier) -> Evaluation:
    """A model that is there already, measured."""
    if tier == "encoder":
        again = model.rereading and replace(model.rereading, words=0.0)
        model = replace(model, mixture=replace(model.mixture, words=0.0, sure=NEVER), rereading=again)
    test = with_languages(test, tools.detect)
    verdicts = judge_rows(test, model, tools, task, tier)
    predictions = [
        Prediction(
            row,
            model.labels[int(v.probabilities[0].argmax())],
            float(v.confidence[0]),
            float(v.outside[0]),
        )
        for row, v in zip(test, verdicts, strict=True)
    ]
    scores = np.array([v.probabilities[0] for v in verdicts])
    asked = float(np.mean([v.encoded[0] for v in verdicts]))
    return _measured(task, predictions, scores, model, [f"encoder asked of {asked:.3f} of the texts"])


def train_rows(
    rows: Sequence[Row],
    tools: Tools,
    task: str,
    *,
    tier: Tier = "vote",
    seed: int = 1,
    keep_texts: bool = False,
    progress: Callable[[str], None] = lambda _: None,
    keep: Keep = lambda _, make: make(),
) -> Trained:
    """The model of these rows. Raises TooFewLabels."""
    rows = with_languages(rows, tools.detect)
    emotional = task in _BY_MANNER
    columns = sorted({c for one in tools.lexicons.values() for c in one.columns}) if emotional else []
    labelled = [
        Labelled(row.text, row.label, row.language, extract(read(row.text), _lexicons(row, tools, task)))
        for row in rows
    ]
    return train_labels(
        labelled,
        None if tier == "words" else tools.encode,
        columns=(*columns, *DERIVED_COLUMNS) if emotional else (),
        keep_texts=keep_texts,
        seed=seed,
        progress=progress,
        keep=keep,
    )


def judge_rows(rows: Sequence[Row], model: LabelModel, tools: Tools, task: str, tier: Tier) -> list[Verdicts]:
    """One verdict a row, in their order; read in batches."""
    found: list[Verdicts] = []
    for start in range(0, len(rows), _BATCH):
        part = rows[start : start + _BATCH]
        batch = judge(
            [extract(read(row.text), _lexicons(row, tools, task)) for row in part],
            [row.text for row in part],
            [row.language for row in part],
            model,
            None if tier == "words" else tools.encode,
            cascade=tier == "cascade",
        )
        found += [batch.of(i) for i in range(len(part))]
    return found


def with_languages(rows: Sequence[Row], detect: Detector) -> list[Row]:
    """Rows with their language: as the file says, else found. A language that is rare in the file is taken for an
    error of the detector and becomes `und`: it would send short texts to the slow encoder."""
    found = [row if row.language else replace(row, language=found_language(row.text, detect)) for row in rows]
    counts = Counter(row.language for row in found)
    least = max(3, _COMMON * len(rows))
    return [
        row if told.language or counts[row.language] >= least else replace(row, language=UNDETERMINED)
        for told, row in zip(rows, found, strict=True)
    ]


def found_language(text: str, detect: Detector) -> str:
    """The likeliest language of any that the detector knows, or `und`."""
    clean = read(text[:1_000]).clean
    scores = detect(clean)
    guess = decide_language(clean, languages=sorted(scores), scores=scores, prior={}, sharpness=_SHARPNESS)
    return guess.language


def matched(train: Sequence[Row], test: Sequence[Row]) -> tuple[list[Row], list[Row], list[str]]:
    """Both sides with labels spelt the same way. Where no label of the test file stands in the train file, but does
    so apart from case and punctuation, both are folded, and a note says so."""
    known = {row.label for row in train}
    if known & {row.label for row in test}:
        return list(train), list(test), []

    def folded(rows: Sequence[Row]) -> list[Row]:
        return [
            replace(row, label=(spoken(row.label) or row.label.casefold()).replace(" ", "_")) for row in rows
        ]

    first, second = folded(train), folded(test)
    if {row.label for row in first} & {row.label for row in second}:
        return first, second, ["labels differ in case and punctuation between the files; both were folded"]
    return list(train), list(test), ["no label of the test file stands in the train file"]


def _lexicons(row: Row, tools: Tools, task: str) -> list[Lexicon]:
    if task not in _BY_MANNER:
        return []
    return [tools.lexicons[code] for code in dict.fromkeys((row.language, "en")) if code in tools.lexicons]


def _measured(
    task: str, predictions: list[Prediction], scores: np.ndarray, model: LabelModel, notes: list[str]
) -> Evaluation:
    inside = [p for p in predictions if p.row.label in model.labels]
    figures = basic(inside)
    foreign = np.array([p.row.label not in model.labels for p in predictions])
    outside = np.array([p.outside for p in predictions])
    if foreign.any():
        named = sum(p.row.label.casefold() in OUTSIDE for p in predictions)
        notes = [
            *notes,
            f"{int(foreign.sum())} test texts have a label that was not trained ({named} say out of scope)",
        ]
        figures |= {
            "out_of_scope_texts": int(foreign.sum()),
            "out_of_scope_auroc": auroc(outside, foreign),
            "out_of_scope_recall_at_5_percent_rejected": recall_at(outside, foreign, 0.05),
            "in_scope_rejected_at_half": float(np.mean(outside[~foreign] >= 0.5))
            if (~foreign).any()
            else float("nan"),
            "out_of_scope_recall_at_half": float(np.mean(outside[foreign] >= 0.5)),
        }
    if len(model.labels) == 2 and inside:
        positive = _positive(model.labels, inside)
        rows = [i for i, p in enumerate(predictions) if p.row.label in model.labels]
        score = scores[rows, model.labels.index(positive)]
        wanted = np.array([predictions[i].row.label == positive for i in rows])
        said = [predictions[i].label for i in rows]
        figures |= {
            "auroc": auroc(score, wanted),
            "positive_f1": f1([predictions[i].row.label for i in rows], said, positive),
            "false_alarms": sum(s == positive and not w for s, w in zip(said, wanted, strict=True)),
            "best_f1_without_false_alarm": best_f1_without_false_alarm(score, wanted),
        }
        notes = [*notes, f"positive label: {positive}"]
    return Evaluation(task, figures, by_language(inside), predictions, notes)


def _positive(labels: Sequence[str], rows: Sequence[Prediction]) -> str:
    for name in ("spam", "angry", "negative", "yes", "true", "1", "person"):
        if name in labels:
            return name
    counts = Counter(p.row.label for p in rows)
    return min(labels, key=lambda label: (counts[label], label))
