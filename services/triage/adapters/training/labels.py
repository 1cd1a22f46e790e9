"""Trains a model of any labels from labelled texts: both tiers, their mixture, confidence and scope.

Everything that is fitted on top of the parts (mixture, calibration, thresholds) is fitted on scores for texts that the
parts had not seen, by stratified folds. Labels that read like words ("card_arrival") are themselves one example each:
with five examples a label that is worth five points of accuracy (measured in `bench/triage`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.triage.adapters.training.mixing import Unseen, fit_mixture, fit_rereading, fit_scopes
from services.triage.adapters.training.noise import machine_texts, noise_texts
from services.triage.adapters.training.parts import (
    MOST_FOR_BOTH,
    SMALL,
    Keep,
    Labelled,
    Parts,
    languages_of,
    thin_languages,
)
from services.triage.domain.encoding import Encoder, Floats, encoded
from services.triage.domain.features import extract
from services.triage.domain.judging import combine, confidence_of, word_weight
from services.triage.domain.label_model import LabelModel, Mixture, Rereading
from services.triage.domain.probabilities import log_odds, logistic, softmax
from services.triage.domain.text import read

OUTSIDE: Final = frozenset(("oos", "out_of_scope", "out of scope", "out-of-scope"))
"""Labels that are no topic: their texts teach what does not belong."""
_NOISE: Final = 200
_MACHINE: Final = 60
_KEPT_OF_FEW: Final = 0.95
_KEPT: Final = 0.75
"""Share that is kept of what both encoders know more when they read only what is not sure: of few texts they know most, and
their operators have the time."""
_READ_SLOWLY: Final = 4
"""Of noise, one text in so many is enough where both encoders read it: all together count the same."""


@dataclass(frozen=True)
class Trained:
    """A model, and what models that had not seen a text said of it."""

    model: LabelModel
    rows: Sequence[Labelled]
    """The texts trained on, without those that are out of scope."""
    held: Floats
    """Texts x labels: probabilities by a model of the other folds."""
    confidence: Floats
    """Calibrated chance that the most probable of `held` is right, 0..1."""


class TooFewLabels(ValueError):
    """Nothing can be learnt: fewer than two labels. The text says what was found."""


def train_labels(
    rows: Sequence[Labelled],
    encoder: Encoder | None,
    *,
    columns: Sequence[str] = (),
    keep_texts: bool = False,
    seed: int = 1,
    progress: Callable[[str], None] = lambda _: None,
    keep: Keep = lambda _, make: make(),
) -> "Trained":
    """The model of these texts. The same rows and seed give the same model on one machine. Raises TooFewLabels."""
    outside = [row for row in rows if row.label.casefold() in OUTSIDE]
    inside = [row for row in rows if row.label.casefold() not in OUTSIDE]
    labels = tuple(sorted({row.label for row in inside}))
    if len(labels) < 2:
        raise TooFewLabels(f"found {len(labels)} label(s) ({', '.join(labels)}); at least two are needed")
    named = [
        Labelled(name, label, "en", extract(read(name), ())) for label in labels if (name := spoken(label))
    ]
    second = encoder is not None and encoder.second
    both = second and len(inside) <= MOST_FOR_BOTH
    share = _READ_SLOWLY if both and len(inside) <= SMALL else 1
    strange = [
        Labelled(text, "", "en", extract(read(text), ()))
        for text in [*noise_texts(_NOISE // share, seed), *machine_texts(_MACHINE // share, seed)]
    ]
    progress(f"{len(inside)} texts, {len(labels)} labels")
    thin = thin_languages([row.language for row in inside], len(labels)) if second else frozenset[str]()
    vectors = _vectors([*inside, *named, *outside, *strange], encoder, thin, both=both) if encoder else None
    parts = Parts([*inside, *named], vectors, labels, columns, len(inside), thin)
    rest = slice(len(inside) + len(named), None)
    extra = [*outside, *strange]
    extra_vectors = vectors[rest] if vectors is not None else None

    folds = _folds([row.label for row in inside], seed)
    parts.choose(folds, keep)
    unseen = Unseen.empty(len(inside), len(labels), parts.wanted[: len(inside)], both=both)
    beyond = Unseen.empty(len(extra), len(labels), np.full(len(extra), -1), both=both)
    count = int(folds.max()) + 1
    for fold in range(count):
        progress(f"fold {fold + 1} of {count}")
        held = np.flatnonzero(folds == fold)
        kept = np.flatnonzero(np.concatenate([folds != fold, np.ones(len(named), dtype=bool)]))
        fitted = parts.fit(kept, keep, f"fold-{fold}")
        unseen.put(
            held, fitted.scores([inside[i] for i in held], vectors[held] if vectors is not None else None)
        )
        mine = np.arange(fold, len(extra), count)
        beyond.put(
            mine,
            fitted.scores(
                [extra[i] for i in mine], extra_vectors[mine] if extra_vectors is not None else None
            ),
        )
    languages = [row.language for row in inside]
    unseen.weight[:] = word_weight(unseen.known, languages, languages_of(languages))
    progress("mixture and calibration")
    noise = np.array([not row.label for row in extra])
    mixture, confidence = fit_mixture(unseen, beyond, noise, languages, encoder=encoder is not None)
    scope, scope_words = fit_scopes(unseen, beyond, noise, mixture)
    progress("all texts")
    fitted = parts.fit(np.arange(len(inside) + len(named)), keep, "all", to_serve=True)
    again = None
    if fitted.both is not None:
        gain = _KEPT_OF_FEW if len(inside) <= SMALL else _KEPT
        again = fit_rereading(unseen, beyond, noise, languages, mixture, confidence, fitted.both, gain)
    model = fitted.model(mixture, confidence, scope, scope_words, again, keep_texts)
    return Trained(model, inside, *_unseen_verdicts(unseen, languages, model))


def _unseen_verdicts(unseen: Unseen, languages: Sequence[str], model: LabelModel) -> tuple[Floats, Floats]:
    """Probabilities and confidence as `judge` would give them, from scores of models that had not seen the texts."""
    c = model.confidence
    if model.encoder is None:
        alone = softmax(unseen.words * model.mixture.words_alone)
        raw = logistic(c["words_slope"] * log_odds(alone.max(axis=1)) + c["words_intercept"])
        return alone, np.asarray(raw, dtype=np.float32)

    def said(scores: Floats, tier: Mixture | Rereading, fitted: Mapping[str, float]) -> tuple[Floats, Floats]:
        _, found = unseen.judged(scores, tier.words, tier.encoder)
        logits = combine(unseen.words, unseen.weight, scores, tier.words, tier.encoder)
        return softmax(logits), confidence_of(found.best, found.near, found.known, languages, fitted)

    probabilities, sureness = said(unseen.second, model.mixture, c)
    if model.rereading is not None and unseen.both is not None:
        again = said(unseen.both, model.rereading, model.rereading.confidence)
        rows = sureness < model.rereading.below
        probabilities[rows], sureness[rows] = again[0][rows], again[1][rows]
    return probabilities, sureness


def spoken(label: str) -> str:
    """A label as words: `card_arrival`, `cardArrival` and `weather/find` become two; of codes nothing is left."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label)
    words = re.sub(r"[\W_\d]+", " ", apart).strip().lower()
    return words if sum(character.isalpha() for character in words) >= 3 else ""


def _vectors(rows: Sequence[Labelled], encoder: Encoder, thin: frozenset[str], *, both: bool) -> Floats:
    texts, languages = [row.text for row in rows], [row.language for row in rows]
    vectors = encoded(texts, languages, np.array([code in thin for code in languages], dtype=bool), encoder)
    return np.hstack([vectors, encoder.beside(texts, languages)]) if both else vectors


def _folds(labels: Sequence[str], seed: int) -> npt.NDArray[np.int64]:
    """The fold of each text, every label spread evenly."""
    count = 3 if len(labels) > SMALL else 5
    source = np.random.default_rng(seed)
    folds = np.zeros(len(labels), dtype=np.int64)
    array = np.array(labels, dtype=object)
    for label in sorted(set(labels)):
        mine = np.flatnonzero(array == label)
        # A label's examples begin at any fold: of labels with one example not all fall into the first.
        folds[source.permutation(mine)] = (np.arange(len(mine)) + source.integers(count)) % count
    return np.unique(folds, return_inverse=True)[1]
