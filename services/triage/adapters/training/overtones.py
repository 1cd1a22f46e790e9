"""Trains what the encoder adds to the signals that are yes or no, on the own set's training split."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from services.triage.adapters.training.dataset import Example
from services.triage.adapters.training.making import FOLDS, Unseen
from services.triage.adapters.training.wish import Found, train_wish
from services.triage.domain.encoding import Encoder, Floats
from services.triage.domain.overtones import Overtones
from services.triage.domain.probabilities import log_odds

Array = npt.NDArray[Any]
_STRENGTH: Final = 3.0
"""Inverse regularisation, chosen by cross-validation on the training split."""
_WANTED: Final[dict[str, Callable[[Example], bool]]] = {
    "anger": lambda e: e.angry,
    "disappointment": lambda e: e.disappointed,
    "joy": lambda e: e.happy,
    "complexity": lambda e: e.complex,
}


def train_overtones(
    unseen: Unseen, encode: Encoder, progress: Callable[[str], None]
) -> tuple[Overtones, list[Found]]:
    """`unseen` are the scores by words of models that had not seen the text; the encoder is held to the same folds.
    With them what cross-validation says of the wish for a person."""
    wish, found = train_wish(unseen, encode, progress)
    whole = [i for i, e in enumerate(unseen.examples) if e.kind]
    examples: Sequence[Example] = [unseen.examples[i] for i in whole]
    scores = [unseen.scores[i] for i in whole]
    progress("vectors")
    vectors = encode([e.text for e in examples], [e.language for e in examples])
    folds = np.array([e.group for e in examples])
    weights, bias, joints = [], [], []
    for head, is_wanted in _WANTED.items():
        progress(head)
        wanted = np.array([is_wanted(e) for e in examples])
        by_words = log_odds(np.array([one.probabilities[head][head] for one in scores]))
        held = np.zeros(len(examples))
        for fold in range(FOLDS):
            slope, shift = _fit(vectors[folds != fold], wanted[folds != fold])
            held[folds == fold] = vectors[folds == fold] @ slope + shift
        joint = LogisticRegression(C=100.0).fit(np.column_stack([by_words, held]), wanted)
        joints.append([*joint.coef_[0], joint.intercept_[0]])
        slope, shift = _fit(vectors, wanted)
        weights.append(slope)
        bias.append(shift)
    words, encoder, offset = np.array(joints, dtype=np.float32).T
    heads = Overtones(
        "unsaved",
        tuple(_WANTED),
        np.array(weights, dtype=np.float32).T,
        np.array(bias, dtype=np.float32),
        words,
        encoder,
        offset,
        wish,
    )
    return heads, found


def _fit(vectors: Floats, wanted: Array) -> tuple[Array, float]:
    model = LogisticRegression(C=_STRENGTH, max_iter=400).fit(vectors, wanted)
    return model.coef_[0], float(model.intercept_[0])
