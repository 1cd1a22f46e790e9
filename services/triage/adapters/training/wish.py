"""Trains what the encoders hear of a wish for a person, and says how many wishes are found when few others are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from services.triage.adapters.training.dataset import Example
from services.triage.adapters.training.making import FOLDS, Unseen
from services.triage.domain.encoding import Encode, Encoder, Floats
from services.triage.domain.measures import recall_at
from services.triage.domain.probabilities import log_odds
from services.triage.domain.wish import (
    HEAD,
    UNSURE,
    WORTH_READING,
    Joint,
    Machine,
    Parts,
    Wish,
    is_read_whole,
)

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
class _Read:
    """Texts and their sentences as one encoder reads them."""

    whole: Floats
    parts: Floats


def train_wish(unseen: Unseen, encoder: Encoder, progress: Callable[[str], None]) -> tuple[Wish, list[Found]]:
    """`unseen` are the scores by words of models that had not seen the text; the encoders are held to the same folds."""
    examples: Sequence[Example] = unseen.examples
    progress("sentences")
    parts = Parts.of([e.text for e in examples])
    first = _read(examples, parts, encoder)
    progress("sentences by the second encoder")
    second = _read(examples, parts, encoder.beside)
    wanted = np.array([e.person for e in examples])
    folds = np.array([e.group for e in examples])
    said = log_odds(np.array([one.probabilities[HEAD][HEAD] for one in unseen.scores]))
    whole, loudest, again = (np.zeros(len(examples), dtype=np.float32) for _ in range(3))
    for fold in range(FOLDS):
        progress(f"wish, fold {fold + 1} of {FOLDS}")
        inside, held = folds != fold, folds == fold
        machine, other = (_fitted(read, parts, wanted, inside) for read in (first, second))
        mine, heard = _scores(machine, first, parts, held)
        whole[held], loudest[held] = mine[held], parts.with_whole(mine, heard)[held]
        beside, beside_parts = _scores(other, second, parts, held)
        part = parts.loudest(heard)
        alone = np.array([is_read_whole(e.text, at) for e, at in zip(examples, part.tolist(), strict=True)])
        again[held] = np.where(alone, beside, beside_parts[part])[held]
    joint = _joint(wanted, said, loudest)
    logits = joint.logit(said, whole)
    read = logits >= WORTH_READING
    logits[read] = joint.logit(said, loudest)[read]
    unsure = read & (logits >= UNSURE[0]) & (logits < UNSURE[1])
    both = _joint(wanted[unsure], said[unsure], loudest[unsure], again[unsure])
    logits[unsure] = both.logit(said, loudest, again)[unsure]
    progress("wish, all training texts")
    everything = np.ones(len(examples), dtype=bool)
    machines = [_fitted(read_by, parts, wanted, everything) for read_by in (first, second)]
    return Wish(machines[0], joint, machines[1], both), _figures(examples, logits)


def _read(examples: Sequence[Example], parts: Parts, encode: Encode) -> _Read:
    languages = [e.language for e in examples]
    return _Read(
        encode([e.text for e in examples], languages), encode(parts.texts, parts.languages(languages))
    )


def _fitted(read: _Read, parts: Parts, wanted: Array, inside: Array) -> Machine:
    """Whole texts teach, and every sentence of those without a wish: none of them holds one either."""
    others = inside[parts.at] & ~wanted[parts.at]
    rows = np.vstack([read.whole[inside], read.parts[others]])
    labels = np.concatenate([wanted[inside], np.zeros(int(others.sum()), dtype=bool)])
    machine = SVC(C=_COST, gamma=_SHARPNESS, cache_size=500).fit(rows, labels)
    return Machine(
        machine.support_vectors_.astype(np.float32),
        machine.dual_coef_[0].astype(np.float32),
        float(machine.intercept_[0]),
        _SHARPNESS,
    )


def _scores(machine: Machine, read: _Read, parts: Parts, held: Array) -> tuple[Floats, Floats]:
    """Of whole texts and of sentences; of those not held the lowest there is."""
    whole = np.full(len(held), -np.inf, dtype=np.float32)
    whole[held] = machine.heard(read.whole[held])
    some = np.full(len(parts.at), -np.inf, dtype=np.float32)
    mine = held[parts.at]
    some[mine] = machine.heard(read.parts[mine])
    return whole, some


def _joint(wanted: Array, *scores: Array) -> Joint:
    model = LogisticRegression(C=100.0).fit(np.column_stack(scores), wanted)
    return Joint(tuple(model.coef_[0].tolist()), float(model.intercept_[0]))


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
