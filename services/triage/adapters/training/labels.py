"""Trains a model of any labels from labelled texts: both tiers, their mixture, confidence and scope.

Everything that is fitted on top of the parts (mixture, calibration, thresholds) is fitted on scores for texts that the
parts had not seen, by stratified folds. Labels that read like words ("card_arrival") are themselves one example each:
with five examples a label that is worth five points of accuracy (measured in `bench/triage`).
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression, SGDClassifier

from services.triage.adapters.training.fitting import Settings, Vocabulary, matrix_of, vocabulary_of
from services.triage.adapters.training.mixing import Unseen, fit_mixture, fit_scopes
from services.triage.adapters.training.noise import machine_texts, noise_texts
from services.triage.domain.features import LETTERS, WORDS, Features, extract, known_share
from services.triage.domain.label_model import (
    DIMENSIONS,
    Encode,
    EncoderHead,
    Floats,
    LabelModel,
    Mixture,
    combine,
    confidence_of,
    log_odds,
    logistic,
    nearness,
    softmax,
)
from services.triage.domain.language import UNDETERMINED
from services.triage.domain.text import read

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Keep = Callable[[str, Callable[[], Arrays]], Arrays]
"""A step's name and what computes it -> its result, from an earlier run where one was kept."""
OUTSIDE: Final = frozenset(("oos", "out_of_scope", "out of scope", "out-of-scope"))
"""Labels that are no topic: their texts teach what does not belong."""
_MOST_EXAMPLES_A_LABEL: Final = 40
_MOST_EXAMPLES: Final = 6_000
_SMALL: Final = 3_000
_LEAST_TEXTS_A_LANGUAGE: Final = 3
_NOISE: Final = 200
_MACHINE: Final = 60
_SETTINGS: Final = Settings(word_scale=2.0, letter_scale=2.0, least_word_texts=1, least_letter_texts=2)
_ENCODER_STRENGTH: Final = 30.0


@dataclass(frozen=True, slots=True)
class Labelled:
    """One text to learn from."""

    text: str
    label: str
    language: str
    features: Features


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
    encode: Encode | None,
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
    strange = [
        Labelled(text, "", "en", extract(read(text), ()))
        for text in [*noise_texts(_NOISE, seed), *machine_texts(_MACHINE, seed)]
    ]
    progress(f"{len(inside)} texts, {len(labels)} labels")
    vectors = _encode(encode, [*inside, *named, *outside, *strange])
    parts = _Parts([*inside, *named], vectors, labels, columns, len(inside))
    rest = slice(len(inside) + len(named), None)
    extra = [*outside, *strange]
    extra_vectors = vectors[rest] if vectors is not None else None

    folds = _folds([row.label for row in inside], seed)
    unseen = Unseen.empty(len(inside), len(labels), parts.wanted[: len(inside)])
    beyond = Unseen.empty(len(extra), len(labels), np.full(len(extra), -1))
    count = int(folds.max()) + 1
    for fold in range(count):
        progress(f"fold {fold + 1} of {count}")
        held = np.flatnonzero(folds == fold)
        kept = np.flatnonzero(np.concatenate([folds != fold, np.ones(len(named), dtype=bool)]))
        fitted = parts.fit(kept, keep, f"fold-{fold}")
        unseen.put(
            held, *fitted.scores([inside[i] for i in held], vectors[held] if vectors is not None else None)
        )
        mine = np.arange(fold, len(extra), count)
        beyond.put(
            mine,
            *fitted.scores(
                [extra[i] for i in mine], extra_vectors[mine] if extra_vectors is not None else None
            ),
        )
    progress("mixture and calibration")
    mixture, confidence = fit_mixture(
        unseen, beyond, np.array([not row.label for row in extra]), encoder=encode is not None
    )
    scope, scope_words = fit_scopes(unseen, beyond, np.array([bool(row.label) for row in extra]), mixture)
    progress("all texts")
    fitted = parts.fit(np.arange(len(inside) + len(named)), keep, "all")
    model = fitted.model(mixture, confidence, scope, scope_words, keep_texts)
    return Trained(model, inside, *_unseen_verdicts(unseen, model))


def _unseen_verdicts(unseen: Unseen, model: LabelModel) -> tuple[Floats, Floats]:
    """Probabilities and confidence as `judge` would give them, from scores of models that had not seen the texts."""
    c = model.confidence
    if model.encoder is None:
        alone = softmax(unseen.words * model.mixture.words_alone)
        raw = logistic(c["words_slope"] * log_odds(alone.max(axis=1)) + c["words_intercept"])
        return alone, np.asarray(raw, dtype=np.float32)
    both = softmax(combine(unseen.words, unseen.known, unseen.second, model.mixture))
    near = unseen.nearness(both.argmax(axis=1))
    return both, confidence_of(both.max(axis=1), near, unseen.known, c)


def spoken(label: str) -> str:
    """A label as words: `card_arrival`, `cardArrival` and `weather/find` become two; of codes nothing is left."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label)
    words = re.sub(r"[\W_\d]+", " ", apart).strip().lower()
    return words if sum(character.isalpha() for character in words) >= 3 else ""


def _encode(encode: Encode | None, rows: Sequence[Labelled]) -> Floats | None:
    if encode is None:
        return None
    return encode([row.text for row in rows], [row.language for row in rows])


def _folds(labels: Sequence[str], seed: int) -> npt.NDArray[np.int64]:
    """The fold of each text, every label spread evenly."""
    count = 3 if len(labels) > _SMALL else 5
    source = np.random.default_rng(seed)
    folds = np.zeros(len(labels), dtype=np.int64)
    array = np.array(labels, dtype=object)
    for label in sorted(set(labels)):
        mine = np.flatnonzero(array == label)
        # A label's examples begin at any fold: of labels with one example not all fall into the first.
        folds[source.permutation(mine)] = (np.arange(len(mine)) + source.integers(count)) % count
    return np.unique(folds, return_inverse=True)[1]


class _Parts:
    """Texts and vectors to fit on; the last rows are the labels' own names."""

    def __init__(
        self,
        rows: Sequence[Labelled],
        vectors: Floats | None,
        labels: Sequence[str],
        columns: Sequence[str],
        texts: int,
    ) -> None:
        self.rows, self.vectors, self.labels = rows, vectors, tuple(labels)
        self.columns, self.texts = tuple(columns), texts
        # Once for all folds: what is fitted on the folds' scores must hold for those of the whole.
        self.many = texts > _SMALL
        index = {label: i for i, label in enumerate(labels)}
        self.wanted = np.array([index[row.label] for row in rows])

    def fit(self, kept: npt.NDArray[np.int64], keep: Keep, name: str) -> "_Fitted":
        """Both tiers on these rows."""
        features = [self.rows[i].features for i in kept]
        vocabulary = vocabulary_of(features, self.columns, _SETTINGS)
        found = keep(name, lambda: self._solved(kept, features, vocabulary))
        head = (found["head_weights"], found["head_bias"]) if "head_weights" in found else None
        return _Fitted(self, kept, vocabulary, found["weights"], found["bias"], head)

    def _solved(
        self, kept: npt.NDArray[np.int64], features: Sequence[Features], vocabulary: Vocabulary
    ) -> Arrays:
        matrix = (matrix_of(features, vocabulary) @ sp.diags(vocabulary.factors)).tocsr()
        weights, bias = _linear(matrix, self.wanted[kept], len(self.labels), 10.0, many=self.many)
        found = {"weights": weights * vocabulary.factors[:, None].astype(np.float32), "bias": bias}
        if self.vectors is not None:
            found["head_weights"], found["head_bias"] = _linear(
                self.vectors[kept], self.wanted[kept], len(self.labels), _ENCODER_STRENGTH, many=False
            )
        return found


def _linear(matrix: Any, wanted: Array, labels: int, strength: float, *, many: bool) -> tuple[Floats, Floats]:
    """Weights (columns x labels) and bias. A label without a row gets no weight and a low bias."""
    present = np.unique(wanted)
    weights = np.zeros((matrix.shape[1], labels), dtype=np.float32)
    bias = np.full(labels, -8.0, dtype=np.float32)
    if len(present) < 2:
        bias[present] = 0.0
        return weights, bias
    if many:
        model: Any = SGDClassifier(loss="log_loss", alpha=3e-6, max_iter=25, tol=1e-3, random_state=0)
    else:
        model = LogisticRegression(C=strength, max_iter=200, tol=1e-4)
    model.fit(matrix, wanted)
    if len(present) == 2:
        weights[:, present[1]] = model.coef_[0] / 2
        weights[:, present[0]] = -model.coef_[0] / 2
        bias[present[1]], bias[present[0]] = model.intercept_[0] / 2, -model.intercept_[0] / 2
    else:
        weights[:, present] = model.coef_.T
        bias[present] = model.intercept_
    return weights, bias


@dataclass(frozen=True)
class _Fitted:
    """Both tiers, fitted on the rows `kept`."""

    parts: _Parts
    kept: npt.NDArray[np.int64]
    vocabulary: Vocabulary
    weights: Floats
    bias: Floats
    head: tuple[Floats, Floats] | None

    def scores(
        self, rows: Sequence[Labelled], vectors: Floats | None
    ) -> tuple[Floats, Floats, Floats, Callable[[npt.NDArray[np.int64]], Floats]]:
        """By words, by the encoder (zeros without one), share of known words, and nearness of given labels."""
        features = [row.features for row in rows]
        words = np.asarray(matrix_of(features, self.vocabulary) @ self.weights + self.bias, dtype=np.float32)
        known_words = frozenset(self.vocabulary.known.tolist())
        known = np.array([known_share(one, known_words) for one in features], dtype=np.float32)
        if vectors is None or self.head is None:
            return words, np.zeros_like(words), known, lambda best: np.zeros(len(best), dtype=np.float32)
        second = np.asarray(vectors @ self.head[0] + self.head[1], dtype=np.float32)
        examples, example_labels, _ = self.examples()
        cosines = vectors @ examples.T
        return words, second, known, lambda best: nearness(cosines, best, example_labels)

    def examples(self) -> tuple[Floats, npt.NDArray[np.int32], list[int]]:
        """Vectors of at most so many texts a label, in the order of their labels, and the rows they are of."""
        assert self.parts.vectors is not None
        texts = self.kept[self.kept < self.parts.texts]
        order = texts[np.argsort(self.parts.wanted[texts], kind="stable")]
        most = max(3, min(_MOST_EXAMPLES_A_LABEL, _MOST_EXAMPLES // len(self.parts.labels)))
        seen: Counter[int] = Counter()
        rows: list[int] = []
        for row in order.tolist():
            label = int(self.parts.wanted[row])
            seen[label] += 1
            if seen[label] <= most:
                rows.append(row)
        return self.parts.vectors[rows], self.parts.wanted[rows].astype(np.int32), rows

    def model(
        self, mixture: Mixture, confidence: dict[str, float], scope: Any, scope_words: Any, keep_texts: bool
    ) -> LabelModel:
        """The model as it serves."""
        vocabulary = self.vocabulary
        encoder = None
        if self.head is not None:
            examples, example_labels, rows = self.examples()
            texts = tuple(self.parts.rows[i].text[:200] for i in rows) if keep_texts else ()
            encoder = EncoderHead(*self.head, examples, example_labels, texts)
            assert examples.shape[1] == DIMENSIONS
        first = len(vocabulary.words) + len(vocabulary.letters)
        return LabelModel(
            version="unsaved",
            labels=self.parts.labels,
            word_rows=_table(vocabulary.words, WORDS, 0),
            letter_rows=_table(vocabulary.letters, LETTERS, len(vocabulary.words)),
            column_rows={name: first + i for i, name in enumerate(vocabulary.columns)},
            weights=self.weights,
            bias=self.bias,
            known=frozenset(vocabulary.known.tolist()),
            languages=_languages([self.parts.rows[i].language for i in self.kept if i < self.parts.texts]),
            encoder=encoder,
            mixture=mixture,
            confidence=confidence,
            scope=scope,
            scope_words=scope_words,
        )


def _languages(codes: Sequence[str]) -> frozenset[str]:
    """Those of more than a stray text; none when nobody knows them (`und`)."""
    counts = Counter(code for code in codes if code != UNDETERMINED)
    return frozenset(code for code, n in counts.items() if n >= _LEAST_TEXTS_A_LANGUAGE)


def _table(buckets: Array, size: int, first: int) -> npt.NDArray[np.int32]:
    table = np.full(size, -1, dtype=np.int32)
    table[buckets] = np.arange(first, first + len(buckets), dtype=np.int32)
    return table
