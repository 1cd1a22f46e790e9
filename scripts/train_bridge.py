"""Makes the map from the second encoder's space to the first one's, for languages the first does not know, and what the
texts of each language have in common in the second.

Ridge regression on the own set's texts, Romanian left out: what the map is for is not what it is fitted on. About three
minutes on an idle machine: `python -m scripts.train_bridge`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.triage.adapters.encoders import BRIDGE, Encoders, e5, readable

_DATA = Path(__file__).resolve().parents[1] / "services" / "triage" / "data"
_BRIDGED = ("ro",)
_LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "pt", *_BRIDGED)
_STRENGTH = 0.2
_BLOCK = 64
Array = npt.NDArray[Any]


def texts() -> tuple[list[str], list[str]]:
    """The texts of messages and stories, and their languages."""
    found: list[str] = []
    languages: list[str] = []
    for code in _LANGUAGES:
        for line in (_DATA / "messages" / f"{code}.jsonl").read_text(encoding="utf-8").splitlines():
            found.append(json.loads(line)["text"])
        for line in (_DATA / "stories" / f"{code}.jsonl").read_text(encoding="utf-8").splitlines():
            found += [turn["text"] for turn in json.loads(line)["turns"]]
        languages += [code] * (len(found) - len(languages))
    return found, languages


def fit_bridge(source: Array, target: Array) -> dict[str, Array]:
    """The means of both sides and the map between what is left, for `Encoders`."""
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    left, right = source - source_mean, target - target_mean
    solved = np.linalg.solve(left.T @ left + _STRENGTH * np.eye(left.shape[1]), left.T @ right)
    return {
        "map": solved.astype(np.float16),
        "source_mean": source_mean.astype(np.float32),
        "target_mean": target_mean.astype(np.float32),
    }


def main() -> None:
    """Encode by both, fit, write."""
    found, languages = texts()
    print(f"{len(found)} texts")
    spoken = np.array(languages)
    model = e5()
    parts = [
        np.asarray(model.query([readable(text) for text in found[start : start + _BLOCK]]))
        for start in range(0, len(found), _BLOCK)
    ]
    source = np.vstack(parts)
    known = ~np.isin(spoken, _BRIDGED)
    fitted = fit_bridge(source[known], Encoders(bridge=None)(found, languages)[known])
    np.savez(
        BRIDGE,
        map=fitted["map"],
        source_mean=fitted["source_mean"],
        target_mean=fitted["target_mean"],
        languages=np.array(_LANGUAGES),
        language_means=np.array(
            [source[spoken == code].mean(axis=0) for code in _LANGUAGES], dtype=np.float32
        ),
    )


if __name__ == "__main__":
    main()
