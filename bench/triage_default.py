"""How good the default triage is, by language, on texts it was not trained on.

The check split of the own set (20 %, fixed hash) and noise are measured by the serving code; `--data DIR` also reads
csv or csv.gz files with the columns text and label and says how the topics spread over their labels. How the
calibration error is estimated: `bench.calibration`; beside it stands what a perfectly calibrated model would score on
as many texts.
"""

import argparse
import csv
import dataclasses
import gzip
import io
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score, roc_auc_score

from bench import report
from bench.calibration import calibration_error, chance, plain_error
from services.triage.adapters.knowledge import HERE, Sources, load_knowledge
from services.triage.adapters.model_file import load_model
from services.triage.adapters.training.dataset import FOLDS, Example, load_examples
from services.triage.adapters.training.making import make_model
from services.triage.adapters.training.noise import noise_texts
from services.triage.domain.classification import Knowledge, Query, classify
from services.triage.domain.signals import Signals

Array = npt.NDArray[Any]
_OTHER_LANGUAGES = [
    "Gdzie jest moja paczka, czekam od dwóch tygodni", "Ik wil graag weten hoe laat de winkel open is",
    "Missä pakettini on, tilasin viikko sitten", "Hol van a csomagom, már egy hete várok rá",
    "Siparişim nerede, iki haftadır bekliyorum", "Kde je můj balík, čekám už týden", "Hvor er pakken min nå",
    "Где моя посылка, я жду уже две недели", "Πού είναι το δέμα μου, περιμένω δύο εβδομάδες",
    "我的包裹在哪里，我等了两个星期",
    "注文した商品がまだ届きません", "내 소포는 어디에 있습니까", "मेरा पार्सल कहाँ है", "איפה החבילה שלי",
]  # fmt: skip
_MARKS = [
    "",
    "...",
    "12345",
    "4711 99 3",
    "???",
    "!!!",
    "😀😀",
    "👍",
    "-",
    "http://example.com",
    "\x00\x00",
    "🙃 🙃 12",
]


def by_language(examples: Sequence[Example], signals: Sequence[Signals]) -> list[dict[str, Any]]:
    """A row a language and one for all, of topic and language figures."""
    rows = []
    pairs = list(zip(examples, signals, strict=True))
    for language in [*dict.fromkeys(e.language for e in examples), "all"]:
        mine = [(e, s) for e, s in pairs if language in (e.language, "all")]
        topical = [(e, s) for e, s in mine if e.topic and e.kind == "request"]
        wanted = [e.topic for e, _ in topical]
        best = [s.best_topic for _, s in topical]
        confidence = np.array([s.topic.confidence for _, s in topical])
        right = np.array([a == b for a, b in zip(wanted, best, strict=True)])
        said = np.array([s.topic.value != "unknown" for _, s in topical])
        by_chance, seldom = chance(calibration_error, confidence)
        bare = [s.topic.value == "unknown" for e, s in mine if not e.topic and e.kind == "request"]
        rows.append(
            {
                "language": language,
                "n": len(topical),
                "accuracy": right.mean(),
                "macro_f1": f1_score(wanted, best, average="macro", zero_division=0),
                "calibration_error": calibration_error(confidence, right),
                "by_chance": by_chance,
                "by_chance_p95": seldom,
                "plain_error": plain_error(confidence, right),
                "plain_by_chance": chance(plain_error, confidence)[0],
                "unknown": 1 - said.mean(),
                "right_when_said": right[said].mean() if said.any() else float("nan"),
                "topicless_unknown": float(np.mean(bare)) if bare else float("nan"),
                "language_right": np.mean([s.language.value == e.language for e, s in mine]),
            }
        )
    return rows


def other_signals(examples: Sequence[Example], signals: Sequence[Signals]) -> dict[str, float]:
    """Ranking quality (AUROC) and F1 of the other signals, all languages together."""

    def area(score: list[float], wanted: list[bool]) -> float:
        return float(roc_auc_score(wanted, score)) if 0 < sum(wanted) < len(wanted) else float("nan")

    kinds = [e.kind for e in examples]
    said = [s.kind.value for s in signals]
    requests = [i for i, kind in enumerate(kinds) if kind == "request"]
    return {
        "anger_auroc": area([s.anger for s in signals], [e.angry for e in examples]),
        "person_auroc": area([s.wish_for_person for s in signals], [e.person for e in examples]),
        "spam_auroc": area([s.spam for s in signals], [k == "spam" for k in kinds]),
        "urgency_high_f1": float(
            f1_score([e.urgency == "high" for e in examples], [s.urgency.value == "high" for s in signals])
        ),
        **{
            f"{kind}_f1": float(
                f1_score([k == kind for k in kinds], [k == kind for k in said], zero_division=0)
            )
            for kind in ("thanks", "automatic", "spam")
        },
        "requests_taken_for_another_kind": float(
            np.mean([said[i] not in ("request", "unsure") for i in requests])
        ),
        "requests_unsure": float(np.mean([said[i] == "unsure" for i in requests])),
    }


def noise(knowledge: Knowledge) -> dict[str, float]:
    """Share of texts about nothing whose confidence is below the threshold."""
    threshold = knowledge.taxonomy.thresholds.topic
    sets = {"made_up": noise_texts(400, seed=77), "marks": _MARKS, "other_languages": _OTHER_LANGUAGES}
    return {
        name: float(np.mean([classify(Query(t), knowledge).topic.confidence < threshold for t in texts]))
        for name, texts in sets.items()
    }


def crossed(sources: Sources, knowledge: Knowledge) -> list[dict[str, Any]]:
    """By language, over the whole own set: each fifth measured by a model made, and calibrated, without it."""
    examples: list[Example] = []
    signals: list[Signals] = []
    for fold in range(FOLDS):
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder)
            make_model(
                HERE / "data", sources.lexicons, sources.taxonomy, target, lambda _: None, check_fold=fold
            )
            other = dataclasses.replace(knowledge, model=load_model(target))
        mine = [e for e in load_examples(HERE / "data", sources.taxonomy.languages, fold) if e.check]
        examples += mine
        signals += [classify(Query(e.text), other) for e in mine]
    return by_language(examples, signals)


def unseen(folder: Path, knowledge: Knowledge) -> None:
    """How topics spread over the labels of other sets."""
    for path in sorted([*folder.rglob("*.csv"), *folder.rglob("*.csv.gz")]):
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found = csv.DictReader(io.StringIO(raw.decode("utf-8", "replace")))
        if not {"text", "label"} <= set(found.fieldnames or ()):
            continue
        spread: dict[str, Counter[str]] = defaultdict(Counter)
        for row in found:
            spread[row["label"]][classify(Query(row["text"]), knowledge).topic.value] += 1
        total = sum(sum(counts.values()) for counts in spread.values())
        unknown = sum(counts["unknown"] for counts in spread.values())
        print(f"\n{path}: {total} texts, unknown {unknown / total:.3f}")
        named = {label: counts for label, counts in spread.items() if _topics_of(label, knowledge)}
        if named:
            right = sum(
                n for label, c in named.items() for t, n in c.items() if t in _topics_of(label, knowledge)
            )
            answered = sum(n for c in named.values() for t, n in c.items() if t != "unknown")
            asked = sum(sum(c.values()) for c in named.values())
            print(
                f"  labels that are topics: right {right / asked:.3f} of {asked}, {right / answered:.3f} of the answered"
            )
        for label, counts in sorted(spread.items())[:40]:
            top = ", ".join(f"{topic} {n / sum(counts.values()):.2f}" for topic, n in counts.most_common(3))
            print(f"  {label[:40]:40} {sum(counts.values()):5}  {top}")


def _topics_of(label: str, knowledge: Knowledge) -> set[str]:
    name = label.lower()
    return {key for key in knowledge.taxonomy.keys if key == name or key.startswith(f"{name}.")}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with csv files of text and label")
    parser.add_argument(
        "--crossed", action="store_true", help="measure the whole own set too, by five models (two minutes)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    sources = Sources.default()
    began = time.perf_counter()
    knowledge = load_knowledge(sources)
    loaded = time.perf_counter() - began
    everything = load_examples(HERE / "data", sources.taxonomy.languages)
    examples = [e for e in everything if e.check]
    began = time.process_time()
    for example in everything:
        classify(Query(example.text), knowledge)
    speed = len(everything) / (time.process_time() - began)
    signals = [classify(Query(e.text), knowledge) for e in examples]
    rows, noise_shares = by_language(examples, signals), noise(knowledge)
    figures = {
        "model": knowledge.model.version,
        "taxonomy": sources.taxonomy.version,
        "topic": rows,
        "signals": other_signals(examples, signals),
        "noise_below_threshold": noise_shares,
        "texts_per_second_per_core": speed,
        "load_seconds": loaded,
    }
    if arguments.crossed:
        figures["topic_crossed"] = crossed(sources, knowledge)
    if arguments.json:
        json.dump(figures, sys.stdout, indent=1, default=float)
        return
    print(f"model {figures['model']}, taxonomy {figures['taxonomy']}, check split, {len(examples)} texts")
    _table(rows)
    if arguments.crossed:
        print("the whole own set, each fifth by a model that had not seen it")
        _table(figures["topic_crossed"])  # type: ignore[arg-type]  # a list of rows
    report.write(
        "triage_default",
        "Default triage on the check split of the own set",
        "python -m bench.triage_default",
        [
            *("language", "texts", "accuracy", "macro-F1", "calibration error (goal .10)"),
            *("by chance alone, mean (95 %)", "not debiased", "by chance alone", "unknown"),
        ],
        [
            [
                str(row["language"]),
                str(row["n"]),
                *(f"{row[key]:.3f}" for key in ("accuracy", "macro_f1", "calibration_error")),
                f"{row['by_chance']:.3f} ({row['by_chance_p95']:.3f})",
                *(f"{row[key]:.3f}" for key in ("plain_error", "plain_by_chance", "unknown")),
            ]
            for row in rows
        ],
        "Calibration error: five bins of equal size, the bias of few texts taken off; beside it what a perfectly calibrated "
        "model scores on as many texts. Noise below the threshold: "
        + ", ".join(f"{k} {v:.3f}" for k, v in noise_shares.items())
        + ".",
    )
    for name in ("signals", "noise_below_threshold"):
        print(name, json.dumps({key: round(value, 3) for key, value in figures[name].items()}))  # type: ignore[attr-defined]
    print(f"{speed:.0f} texts/s on one core, loaded in {loaded:.2f} s")
    if arguments.data:
        unseen(arguments.data, knowledge)


def _table(rows: Sequence[dict[str, Any]]) -> None:
    print("  ".join(f"{name[:17]:>17}" for name in rows[0]))
    for row in rows:
        print("  ".join(f"{v:17.3f}" if isinstance(v, float) else f"{v:>17}" for v in row.values()))


if __name__ == "__main__":
    main()
