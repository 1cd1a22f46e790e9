"""Fits the map from raw scores to probabilities, on scores for texts that a model had not seen."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar
from sklearn.linear_model import LogisticRegression

from services.triage.adapters.training.dataset import Example
from services.triage.domain.model import Calibration, log_odds

Array = npt.NDArray[Any]
_NOISE_WEIGHT = 0.1
"""Weight of all noise texts together, as a share of the labelled texts."""
_LANGUAGE_STRENGTH = 0.5


def fit_calibration(
    heads: Mapping[str, Sequence[str]],
    examples: Sequence[Example],
    raw: Array,
    known: Array,
    words: Array,
    noise_raw: Array,
    noise_known: Array,
    noise_words: Array,
) -> Calibration:
    """`raw` are the scores (texts x classes) of models that had not seen the text; `known`, `words` as in the domain."""
    temperature: dict[str, float] = {}
    offset: dict[str, float] = {}
    wanted: dict[str, list[Any]] = {
        "topic": [e.topic if e.kind == "request" else "" for e in examples],
        "kind": [e.kind for e in examples],
        "urgency": [e.urgency for e in examples],
        "anger": [e.angry for e in examples],
        "person": [e.person for e in examples],
        "disappointment": [e.disappointed for e in examples],
        "joy": [e.happy for e in examples],
        "complexity": [e.complex for e in examples],
    }
    whole = np.array([bool(e.kind) for e in examples])
    start = 0
    parts: dict[str, Array] = {}
    for head, classes in heads.items():
        part = parts[head] = raw[:, start : start + len(classes)]
        start += len(classes)
        if len(classes) == 1:
            rows = np.ones(len(examples), dtype=bool) if head == "person" else whole
            slope, shift = fit_line(part[rows, 0], np.array(wanted[head], dtype=bool)[rows])
            temperature[head], offset[head] = round(1.0 / slope, 6), round(shift, 6)
        else:
            labelled = [i for i, label in enumerate(wanted[head]) if label in classes]
            target = np.array([list(classes).index(wanted[head][i]) for i in labelled])
            temperature[head] = round(_temperature(part[labelled], target), 6)
    size = len(heads["topic"])
    topic = _topic_map(
        heads["topic"],
        wanted["topic"],
        parts["topic"] / temperature["topic"],
        [e.language for e in examples],
        known,
        words,
        noise_raw[:, :size] / temperature["topic"],
        noise_known,
        noise_words,
    )
    return Calibration(temperature, offset, topic)


def softmax(scores: Array) -> Array:
    """Rows to probabilities."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def _temperature(scores: Array, target: Array) -> float:
    def loss(log_t: float) -> float:
        p = softmax(scores / np.exp(log_t))
        return float(-np.log(np.maximum(p[np.arange(len(target)), target], 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def fit_line(scores: Array, target: Array) -> tuple[float, float]:
    """Slope and shift of the logistic map from scores to chances (Platt 1999)."""

    def loss(parameters: Array) -> float:
        z = np.exp(parameters[0]) * scores + parameters[1]
        return float(np.logaddexp(0.0, np.where(target, -z, z)).mean())

    found = minimize(
        loss, np.array([0.0, 0.0]), method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-9}
    ).x
    return float(np.exp(found[0])), float(found[1])


def _topic_map(
    classes: Sequence[str],
    wanted: Sequence[str],
    scores: Array,
    languages: Sequence[str],
    known: Array,
    words: Array,
    noise_scores: Array,
    noise_known: Array,
    noise_words: Array,
) -> dict[str, float]:
    labelled = np.array([i for i, label in enumerate(wanted) if label])
    probabilities = softmax(scores[labelled])
    right = np.array([classes[k] for k in probabilities.argmax(axis=1)]) == np.array(wanted)[labelled]
    codes = sorted(set(languages))
    tongue = np.array([[_LANGUAGE_STRENGTH * (languages[i] == code) for code in codes] for i in labelled])
    noise_best = softmax(noise_scores).max(axis=1)

    def common(best: Array, share: Array, count: Array) -> Array:
        return np.column_stack([[log_odds(float(p)) for p in best], share, count <= 3])

    spread = np.eye(len(codes))[np.arange(len(noise_best)) % len(codes)]
    inputs = np.vstack(
        [
            np.hstack([common(probabilities.max(axis=1), known[labelled], words[labelled]), tongue]),
            # Noise is taken for any of the languages: that it is strange must show in its words.
            np.hstack([common(noise_best, noise_known, noise_words), _LANGUAGE_STRENGTH * spread]),
        ]
    )
    target = np.concatenate([right, np.zeros(len(noise_best), dtype=bool)])
    weight = np.concatenate(
        [np.ones(len(right)), np.full(len(noise_best), _NOISE_WEIGHT * len(right) / max(1, len(noise_best)))]
    )
    model = LogisticRegression(C=3.0, max_iter=1000).fit(inputs, target, sample_weight=weight)
    slope, share, short, *by_language = (round(float(value), 6) for value in model.coef_[0])
    return {
        "slope": slope,
        "known": share,
        "short": short,
        "intercept": round(float(model.intercept_[0]), 6),
        **{
            f"language:{c}": round(v * _LANGUAGE_STRENGTH, 6) for c, v in zip(codes, by_language, strict=True)
        },
    }
