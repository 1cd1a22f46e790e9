"""Makes the default model from the own set: `make models`. Says what cross-validation on the train split shows."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from services.triage.adapters.encoders import Encoders
from services.triage.adapters.overtones_file import save_overtones
from services.triage.adapters.taxonomy_file import load_taxonomy
from services.triage.adapters.training.making import Unseen, make_model
from services.triage.adapters.training.overtones import train_overtones
from services.triage.adapters.training.self_service import Figures, make_self_service
from services.triage.adapters.training.topics import make_topics
from services.triage.adapters.training.wish import FALSE_ALARMS, Found

_TRIAGE = Path(__file__).resolve().parents[1] / "services" / "triage"


def main() -> None:
    """Train, write, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=_TRIAGE / "data", help="folder with messages/ and stories/"
    )
    parser.add_argument("--target", type=Path, default=_TRIAGE / "models", help="folder for the model files")
    arguments = parser.parse_args()
    unseen = make_model(
        arguments.data,
        _TRIAGE / "lexicon",
        load_taxonomy(_TRIAGE / "taxonomy.yaml"),
        arguments.target,
        lambda step: print(f"  {step}", flush=True),
    )
    encode = Encoders(remembered=100_000)
    heads, wishes = train_overtones(unseen, encode, lambda step: print(f"  overtones: {step}", flush=True))
    save_overtones(arguments.target, heads)
    make_topics(
        arguments.data,
        _TRIAGE / "lexicon",
        load_taxonomy(_TRIAGE / "taxonomy.yaml"),
        encode,
        arguments.target,
        lambda step: print(f"  topics: {step}", flush=True),
    )
    _report(unseen)
    _report_wishes(wishes)
    _report_self_service(
        *make_self_service(
            arguments.data, _TRIAGE / "lexicon", load_taxonomy(_TRIAGE / "taxonomy.yaml"), arguments.target
        )
    )


def _report_wishes(wishes: Sequence[Found]) -> None:
    print(f"wish for a person, cross-validation, recall at {FALSE_ALARMS:.0%} false alarms")
    for one in wishes:
        tongues = ", ".join(f"{code} {value:.2f}" for code, value in one.by_language.items())
        print(f"  wishes of {one.wishes:8} others of {one.others:8} {one.recall:.3f} ({tongues})")


def _report_self_service(crossed: Figures, check: Figures) -> None:
    for name, found in (("cross-validation on the train split", crossed), ("the check split", check)):
        tongues = ", ".join(f"{code} {value:.3f}" for code, value in found.by_language.items())
        print(
            f"self-service, {name}: AUROC {found.auroc:.3f} of {found.texts} texts, calibration error"
            f" {found.calibration_error:.3f} ({tongues})"
        )


def _report(unseen: Unseen) -> None:
    pairs = [(e, s) for e, s in zip(unseen.examples, unseen.scores, strict=True) if e.kind == "request"]
    topical = [(e, s) for e, s in pairs if e.topic]
    bare = np.array([s.topic_confidence for e, s in pairs if not e.topic])
    noise = np.array([s.topic_confidence for s in unseen.noise])
    confidence = np.array([s.topic_confidence for _, s in topical])
    best = [_best(s.probabilities["topic"]) for _, s in topical]
    right = np.array([b == e.topic for b, (e, _) in zip(best, topical, strict=True)])
    print(f"cross-validation on the train split: topic accuracy {right.mean():.3f} of {len(right)}")
    print("threshold  answered  right of answered  topicless below  noise below")
    for threshold in np.arange(0.2, 0.56, 0.05):
        said = confidence >= threshold
        print(
            f"{threshold:9.2f}  {said.mean():8.3f}  {right[said].mean():17.3f}"
            f"  {(bare < threshold).mean():15.3f}  {(noise < threshold).mean():11.3f}"
        )


def _best(probabilities: Mapping[str, float]) -> str:
    return max(probabilities, key=lambda key: probabilities[key])


if __name__ == "__main__":
    main()
