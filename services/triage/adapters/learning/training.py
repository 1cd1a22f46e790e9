"""From examples to a version: trained, judged on what it had not seen, reported, written as a whole."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from services.triage.adapters.evaluation.labels import Tools, judge_rows, train_rows, with_languages
from services.triage.adapters.label_file import save_labels
from services.triage.adapters.labelled_files import Row
from services.triage.adapters.learning.checkpoints import Steps
from services.triage.adapters.learning.tickets import text_key
from services.triage.adapters.learning.versions import (
    BEFORE,
    TAXONOMY,
    Example,
    Versions,
    write_examples,
    write_judged,
    write_report,
)
from services.triage.adapters.training.labels import OUTSIDE, Trained
from services.triage.adapters.training.noise import machine_texts, noise_texts
from services.triage.domain.classification import SHARPNESS
from services.triage.domain.judged import (
    Judged,
    answered,
    by_topic,
    confusions,
    figures,
    reliability,
)
from services.triage.domain.label_model import LabelModel
from services.triage.domain.language import UNDETERMINED, decide_language
from services.triage.domain.text import read

_CHECK_BYTE: Final = 26
"""Of 256: one text in ten is held out, by a fixed hash, where its label has _LEAST_FOR_CHECK examples."""
_LEAST_FOR_CHECK: Final = 10
_LEAST_CHECKED: Final = 100
_FEW: Final = 10
_WEAK: Final = 0.6
_CONFUSIONS: Final = 15
_NOISE: Final = 240
_NOISE_SEED: Final = 4_711
"""Not that of the noise which training sees."""
_BELOW: Final = 0.98
_HIGHEST: Final = 0.8


@dataclass(frozen=True)
class Made:
    """A new version."""

    name: str
    folder: Path
    judged: Sequence[Judged]
    report: Mapping[str, Any]


def split(rows: Sequence[Row]) -> list[Example]:
    """Examples of an operator's rows, one in ten held out by a fixed hash of its text; in files where that would be
    fewer than a hundred none is, and the report stands on cross-fitting."""
    counts = Counter(row.label for row in rows)
    held = [
        counts[row.label] >= _LEAST_FOR_CHECK
        and row.label.casefold() not in OUTSIDE
        and bytes.fromhex(text_key(row.text))[0] < _CHECK_BYTE
        for row in rows
    ]
    enough = sum(held) >= _LEAST_CHECKED
    return [
        Example(row.text, row.label, row.language, "tickets", enough and h)
        for row, h in zip(rows, held, strict=True)
    ]


def make_version(
    versions: Versions,
    examples: Sequence[Example],
    taxonomy: Callable[[Sequence[str], float], str],
    tools: Tools,
    *,
    started: str,
    threshold: float,
    keep_texts: bool = True,
    seed: int = 1,
    about: Mapping[str, Any],
    before: Sequence[Judged] = (),
    progress: Callable[[str], None],
) -> Made:
    """Train, judge, report, write. `started` (a time as YYYYMMDD-HHMMSS) begins the version's name; `taxonomy` gives
    the file for the languages found and for the threshold that noise asks for (at least `threshold`); `about` goes
    into the report as it is; `before` is what the service's own model says of the examples held out. Raises TooFewLabels.

    What a killed run had done is taken up again by a run with the same examples and seed.
    """
    rows = [Row(i, i, e.text, e.label, e.language) for i, e in enumerate(examples)]
    rows = with_languages(rows, tools.detect)
    learnt = [row for row, e in zip(rows, examples, strict=True) if not e.check]
    steps = Steps(versions.steps(_digest(learnt, tools, seed)))
    trained = train_rows(
        learnt, tools, "topic", seed=seed, keep_texts=keep_texts, progress=progress, keep=steps
    )
    progress("judging what was held out")
    held = [row for row, e in zip(rows, examples, strict=True) if e.check]
    judged = [
        *judged_by(trained.model, held, tools, check=True),
        *_cross_fitted(trained, [r for r in learnt if r.label.casefold() not in OUTSIDE]),
    ]
    languages = Counter(row.language for row in rows if row.language != "und")
    served = [code for code, _ in languages.most_common()]
    corrected = {text_key(e.text) for e in examples if e.origin == "correction"}
    level = noise_level(trained.model, served, tools)
    asked = threshold if level < threshold else min(_HIGHEST, math.ceil(100 * level + 1) / 100)
    report = {**about, **report_of(judged, rows, asked), **_corrections(judged, corrected)}
    model: list[LabelModel] = []

    def write(folder: Path) -> None:
        model.append(
            save_labels(trained.model, folder, {"what": "Topics by `centralino train`", "texts": len(learnt)})
        )
        (folder / TAXONOMY).write_text(taxonomy(served, asked), encoding="utf-8")
        write_examples(folder, examples)
        write_judged(folder, judged)
        if before:
            write_judged(folder, before, BEFORE)
        write_report(folder, report)

    name = f"{started}-{_digest(rows, tools, seed)[:6]}"
    folder = versions.add(name, write)
    steps.forget()
    return Made(name, folder, judged, {"version": name, "model_version": model[0].version, **report})


def judged_by(model: LabelModel, rows: Sequence[Row], tools: Tools, *, check: bool) -> list[Judged]:
    """What a model, as it serves, says of rows."""
    return [
        Judged(
            text_key(row.text),
            row.label,
            model.labels[int(verdict.probabilities[0].argmax())],
            float(verdict.confidence[0]),
            row.language,
            check,
        )
        for row, verdict in zip(rows, judge_rows(rows, model, tools, "topic", "cascade"), strict=True)
    ]


def noise_level(model: LabelModel, languages: Sequence[str], tools: Tools) -> float:
    """The confidence that 98 of 100 texts about nothing stay below, as the service would judge them."""
    rows = []
    for i, text in enumerate([*noise_texts(_NOISE, _NOISE_SEED), *machine_texts(_NOISE // 4, _NOISE_SEED)]):
        clean = read(text).clean
        guess = decide_language(
            clean, languages=languages or ["en"], scores=tools.detect(clean), prior={}, sharpness=SHARPNESS
        )
        if guess.language != UNDETERMINED:
            rows.append(Row(i, i, text, "", guess.language))
    found = [judged.confidence for judged in judged_by(model, rows, tools, check=False)]
    kept = np.sort([*found, *([0.0] * (_NOISE + _NOISE // 4 - len(found)))])
    return float(kept[int(_BELOW * (len(kept) - 1))])


def _cross_fitted(trained: Trained, rows: Sequence[Row]) -> list[Judged]:
    labels = trained.model.labels
    best = trained.held.argmax(axis=1)
    return [
        Judged(text_key(row.text), row.label, labels[int(b)], float(c), row.language, False)
        for row, b, c in zip(rows, best, trained.confidence, strict=True)
    ]


def report_of(judged: Sequence[Judged], rows: Sequence[Row], threshold: float) -> dict[str, Any]:
    """The figures of a version, on what was held out where that is enough, else cross-fitted."""
    held = [j for j in judged if j.check]
    enough = len(held) >= _LEAST_CHECKED
    shown = held if enough else list(judged)
    counts = Counter(row.label for row in rows if row.label.casefold() not in OUTSIDE)
    topics = by_topic(shown)
    share, right = answered(shown, threshold)
    languages = sorted({j.language for j in shown})
    return {
        "texts": len(rows),
        "topics": len(counts),
        "measured": "held out" if enough else "cross-fit",
        **_plain(figures(shown)),
        "measured_texts": len(shown),
        "threshold": threshold,
        "answered_at_threshold": _rounded(share),
        "right_of_answered": _rounded(right),
        "by_language": {
            code: _plain(figures(mine))
            for code in languages
            if len(mine := [j for j in shown if j.language == code]) >= 20
        },
        "by_topic": [
            {
                "topic": t.topic,
                "examples": counts[t.topic],
                "measured": t.texts,
                "precision": _rounded(t.precision),
                "recall": _rounded(t.recall),
                "f1": _rounded(t.f1),
            }
            for t in topics
        ],
        "confusions": [
            {"topic": wanted, "taken_for": said, "times": n}
            for wanted, said, n in confusions(shown, _CONFUSIONS)
        ],
        "calibration": [
            {
                "from": b.low,
                "to": b.high,
                "texts": b.texts,
                "confidence": _rounded(b.confidence),
                "right": _rounded(b.right),
            }
            for b in reliability(shown)
        ],
        "weak_topics": [t.topic for t in topics if t.texts and t.f1 < _WEAK],
        "topics_with_few_examples": sorted(key for key, n in counts.items() if n < _FEW),
    }


def _corrections(judged: Sequence[Judged], corrected: set[str]) -> dict[str, Any]:
    """How much of what people corrected a model says that had learnt the other corrections."""
    mine = [j for j in judged if j.key in corrected and not j.check]
    return {
        "corrections": len(corrected),
        "corrections_right_unseen": _rounded(figures(mine)["accuracy"]) if mine else None,
    }


def _plain(found: Mapping[str, float]) -> dict[str, float | None]:
    return {name: _rounded(value) for name, value in found.items() if name != "texts"}


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def _digest(rows: Sequence[Row], tools: Tools, seed: int) -> str:
    found = hashlib.blake2b(f"{seed} {tools.encode is not None}".encode(), digest_size=12)
    for row in rows:
        found.update(f"\x00{row.language}\x00{row.label}\x00{row.text}".encode("utf-8", "replace"))
    return found.hexdigest()
