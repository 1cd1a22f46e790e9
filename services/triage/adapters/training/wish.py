"""Trains what the encoder hears of a wish for a person, and says how many wishes are found when few others are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from services.triage.adapters.training.dataset import Example
from services.triage.adapters.training.making import FOLDS, Unseen
from services.triage.domain.encoding import Encode, Floats
from services.triage.domain.measures import recall_at
from services.triage.domain.probabilities import log_odds
from services.triage.domain.wish import HEAD, Wish, sentences

Array = npt.NDArray[Any]
_COST: Final = 10.0
_SHARPNESS: Final = 2.0
"""Both chosen by cross-validation on the training split."""
FALSE_ALARMS: Final = 0.01


@dataclass(frozen=True, slots=True)
class Found:
    """Share of the wishes found at FALSE_ALARMS of some other texts, by models that had not seen the texts."""

    wishes: str
    others: str
    recall: float
    by_language: Mapping[str, float]
    """At the bound of all languages together."""


@dataclass(frozen=True)
class _Vectors:
    """Of the texts, and of their sentences with the text each is of."""

    whole: Floats
    parts: Floats
    of: Array


def train_wish(unseen: Unseen, encode: Encode, progress: Callable[[str], None]) -> tuple[Wish, list[Found]]:
    """`unseen` are the scores by words of models that had not seen the text; the encoder is held to the same folds."""
    examples: Sequence[Example] = unseen.examples
    progress("sentences")
    vectors = _vectors(examples, encode)
    wanted = np.array([e.person for e in examples])
    folds = np.array([e.group for e in examples])
    by_words = log_odds(np.array([one.probabilities[HEAD][HEAD] for one in unseen.scores]))
    held = np.zeros(len(examples), dtype=np.float32)
    for fold in range(FOLDS):
        progress(f"wish, fold {fold + 1} of {FOLDS}")
        machine = _fitted(vectors, wanted, folds != fold, (1.0, 1.0, 0.0))
        held[folds == fold] = _loudest(machine, vectors, folds == fold)
    joint = LogisticRegression(C=100.0).fit(np.column_stack([by_words, held]), wanted)
    words, encoder = joint.coef_[0].tolist()
    offset = float(joint.intercept_[0])
    progress("wish, all training texts")
    wish = _fitted(vectors, wanted, np.ones(len(examples), dtype=bool), (words, encoder, offset))
    return wish, _figures(examples, words * by_words + encoder * held)


def _vectors(examples: Sequence[Example], encode: Encode) -> _Vectors:
    parts = [sentences(e.text) or [e.text] for e in examples]
    of = np.repeat(np.arange(len(examples)), [len(one) for one in parts])
    return _Vectors(
        encode([e.text for e in examples], [e.language for e in examples]),
        encode([part for one in parts for part in one], [examples[i].language for i in of.tolist()]),
        of,
    )


def _fitted(vectors: _Vectors, wanted: Array, inside: Array, joint: tuple[float, float, float]) -> Wish:
    """Whole texts teach, and every sentence of those without a wish: none of them holds one either."""
    others = inside[vectors.of] & ~wanted[vectors.of]
    rows = np.vstack([vectors.whole[inside], vectors.parts[others]])
    labels = np.concatenate([wanted[inside], np.zeros(int(others.sum()), dtype=bool)])
    machine = SVC(C=_COST, gamma=_SHARPNESS, cache_size=500).fit(rows, labels)
    return Wish(
        machine.support_vectors_.astype(np.float32),
        machine.dual_coef_[0].astype(np.float32),
        float(machine.intercept_[0]),
        _SHARPNESS,
        *joint,
    )


def _loudest(machine: Wish, vectors: _Vectors, outside: Array) -> Floats:
    scores = np.full(len(outside), -np.inf, dtype=np.float32)
    scores[outside] = machine.heard(vectors.whole[outside])
    parts = outside[vectors.of]
    np.maximum.at(scores, vectors.of[parts], machine.heard(vectors.parts[parts]))
    return scores[outside]


def _figures(examples: Sequence[Example], scores: Array) -> list[Found]:
    wanted = np.array([e.person for e in examples])
    own = np.array([e.source != "people" for e in examples])
    tongue = np.array([e.language for e in examples])
    everything = np.ones(len(examples), dtype=bool)
    found = []
    for wishes, mine in (("own set", own), ("people", ~own), ("all", everything)):
        for others, against in (("own set", own), ("people", ~own), ("all", everything)):
            asked, not_asked = wanted & mine, ~wanted & against
            if not asked.any() or not not_asked.any():
                continue
            rows = asked | not_asked
            bound = np.sort(scores[not_asked])[::-1][int(FALSE_ALARMS * not_asked.sum())]
            found.append(
                Found(
                    wishes,
                    others,
                    recall_at(scores[rows], wanted[rows], FALSE_ALARMS),
                    {
                        code: float(np.mean(scores[asked & (tongue == code)] > bound))
                        for code in dict.fromkeys(tongue[asked].tolist())
                    },
                )
            )
    return found
