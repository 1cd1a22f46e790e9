"""Both tiers fitted on labelled texts: once on each fold, once on all."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from services.triage.adapters.training.fitting import Settings, Vocabulary, matrix_of, vocabulary_of
from services.triage.adapters.training.linear import Strengths, choose_strengths, fit_linear
from services.triage.adapters.training.mixing import Scored
from services.triage.domain.encoding import BESIDE, DIMENSIONS, Floats
from services.triage.domain.features import LETTERS, WORDS, Features, known_share
from services.triage.domain.judging import nearness
from services.triage.domain.label_model import EncoderHead, LabelModel, Mixture, Rereading, Scope
from services.triage.domain.language import UNDETERMINED

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Keep = Callable[[str, Callable[[], Arrays]], Arrays]
"""A step's name and what computes it -> its result, from an earlier run where one was kept."""
SMALL: Final = 3_000
"""Texts up to which everything is solved exactly."""
MOST_FOR_BOTH: Final = 8_000
"""Texts up to which both encoders read them side by side, at twenty milliseconds each: of more, words and the first encoder
know as much."""
_MOST_EXAMPLES_A_LABEL: Final = 40
_MOST_EXAMPLES: Final = 6_000
_LEAST_TEXTS_A_LANGUAGE: Final = 3
_THIN_A_LABEL: Final = 10
_THIN_SHARE: Final = 0.1
_THIN_COUNTS: Final = 3.0
"""As so many of another language each of their texts counts for the encoder's head."""
_SETTINGS: Final = Settings(word_scale=2.0, letter_scale=2.0, least_word_texts=1, least_letter_texts=2)
_WORD_STRENGTH: Final = 10.0
_ENCODER_STRENGTHS: Final = (0.3, 1.0, 3.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One text to learn from."""

    text: str
    label: str
    language: str
    features: Features


class Parts:
    """Texts and vectors (of DIMENSIONS or BESIDE numbers) to fit on; the last rows are the labels' own names."""

    def __init__(
        self,
        rows: Sequence[Labelled],
        vectors: Floats | None,
        labels: Sequence[str],
        columns: Sequence[str],
        texts: int,
        thin: frozenset[str],
    ) -> None:
        self.thin = thin
        self.rows, self.vectors, self.labels = rows, vectors, tuple(labels)
        self.columns, self.texts = tuple(columns), texts
        self.strengths = Strengths(
            _ENCODER_STRENGTHS[-1], _ENCODER_STRENGTHS[-1], 1.0, _ENCODER_STRENGTHS[-1]
        )
        self.wide = vectors is not None and vectors.shape[1] > DIMENSIONS
        """Whether both encoders have read the texts."""
        # Once for all folds: what is fitted on the folds' scores must hold for those of the whole.
        self.many = texts > SMALL
        index = {label: i for i, label in enumerate(labels)}
        self.wanted = np.array([index[row.label] for row in rows])

    def choose(self, folds: npt.NDArray[np.int64], keep: Keep) -> None:
        """The strengths of the encoder's heads, by what is held out."""
        if self.vectors is None:
            return
        vectors, wanted, labels = self.vectors[: self.texts], self.wanted[: self.texts], len(self.labels)

        def chosen() -> Arrays:
            found = choose_strengths(vectors, wanted, folds, labels, _ENCODER_STRENGTHS, DIMENSIONS)
            return {
                "near": np.array(found.near),
                "far": np.array(found.far),
                "scale": np.array(found.far_scale),
                "both": np.array(found.both),
            }

        found = keep("strengths", chosen)
        self.strengths = Strengths(*(float(found[name]) for name in ("near", "far", "scale", "both")))

    def fit(self, kept: npt.NDArray[np.int64], keep: Keep, name: str, *, to_serve: bool = False) -> "Fitted":
        """Both tiers on these rows; `to_serve` with the head for languages that were not trained."""
        features = [self.rows[i].features for i in kept]
        vocabulary = vocabulary_of(features, self.columns, _SETTINGS)
        found = keep(name, lambda: self._solved(kept, features, vocabulary, to_serve))
        heads = [
            (found[f"{one}_weights"], found[f"{one}_bias"]) if f"{one}_weights" in found else None
            for one in ("head", "far", "both")
        ]
        return Fitted(self, kept, vocabulary, found["weights"], found["bias"], *heads)

    def _solved(
        self,
        kept: npt.NDArray[np.int64],
        features: Sequence[Features],
        vocabulary: Vocabulary,
        to_serve: bool,
    ) -> Arrays:
        matrix = (matrix_of(features, vocabulary) @ sp.diags(vocabulary.factors)).tocsr()
        weights, bias = fit_linear(
            matrix, self.wanted[kept], len(self.labels), _WORD_STRENGTH, many=self.many
        )
        found = {"weights": weights * vocabulary.factors[:, None].astype(np.float32), "bias": bias}
        if self.vectors is not None:
            found["head_weights"], found["head_bias"] = self._head(kept, self.strengths.near, DIMENSIONS)
        if self.wide:
            found["both_weights"], found["both_bias"] = self._head(kept, self.strengths.both, BESIDE)
        if self.vectors is not None and to_serve:
            weights, bias = self._head(kept, self.strengths.far, DIMENSIONS)
            scale = np.float32(self.strengths.far_scale)
            found["far_weights"], found["far_bias"] = weights * scale, bias * scale
        return found

    def _head(self, kept: npt.NDArray[np.int64], strength: float, columns: int) -> tuple[Floats, Floats]:
        assert self.vectors is not None
        thin = np.array([self.rows[i].language in self.thin for i in kept])
        return fit_linear(
            self.vectors[kept, :columns],
            self.wanted[kept],
            len(self.labels),
            strength,
            many=False,
            counts=np.where(thin, _THIN_COUNTS, 1.0) if thin.any() else None,
        )


@dataclass(frozen=True)
class Fitted:
    """Both tiers, fitted on the rows `kept`."""

    parts: Parts
    kept: npt.NDArray[np.int64]
    vocabulary: Vocabulary
    weights: Floats
    bias: Floats
    head: tuple[Floats, Floats] | None
    far: tuple[Floats, Floats] | None
    """The head for other languages; only of what is to serve."""
    both: tuple[Floats, Floats] | None
    """The head of both encoders side by side, where both have read the texts."""

    def scores(self, rows: Sequence[Labelled], vectors: Floats | None) -> Scored:
        """Of texts and their vectors; by the encoder zeros without one."""
        features = [row.features for row in rows]
        words = np.asarray(matrix_of(features, self.vocabulary) @ self.weights + self.bias, dtype=np.float32)
        known_words = frozenset(self.vocabulary.known.tolist())
        known = np.array([known_share(one, known_words) for one in features], dtype=np.float32)
        if vectors is None or self.head is None:
            return Scored(
                words, np.zeros_like(words), known, None, lambda best: np.zeros(len(best), dtype=np.float32)
            )
        first = vectors[:, :DIMENSIONS]
        second = np.asarray(first @ self.head[0] + self.head[1], dtype=np.float32)
        both = np.asarray(vectors @ self.both[0] + self.both[1], dtype=np.float32) if self.both else None
        examples, example_labels, _ = self.examples()
        cosines = first @ examples.T
        return Scored(words, second, known, both, lambda best: nearness(cosines, best, example_labels))

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
        return self.parts.vectors[rows, :DIMENSIONS], self.parts.wanted[rows].astype(np.int32), rows

    def model(
        self,
        mixture: Mixture,
        confidence: dict[str, float],
        scope: Scope,
        scope_words: Scope,
        rereading: Rereading | None,
        keep_texts: bool,
    ) -> LabelModel:
        """The model as it serves."""
        vocabulary = self.vocabulary
        encoder = None
        if self.head is not None and self.far is not None:
            examples, example_labels, rows = self.examples()
            texts = tuple(self.parts.rows[i].text[:200] for i in rows) if keep_texts else ()
            encoder = EncoderHead(*self.head, *self.far, examples, example_labels, texts)
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
            languages=languages_of([self.parts.rows[i].language for i in self.kept if i < self.parts.texts]),
            thin=self.parts.thin,
            encoder=encoder,
            rereading=rereading,
            mixture=mixture,
            confidence=confidence,
            scope=scope,
            scope_words=scope_words,
        )


def languages_of(codes: Sequence[str]) -> frozenset[str]:
    """Those of more than a stray text; none when nobody knows them (`und`)."""
    counts = Counter(code for code in codes if code != UNDETERMINED)
    return frozenset(code for code, n in counts.items() if n >= _LEAST_TEXTS_A_LANGUAGE)


def thin_languages(codes: Sequence[str], labels: int) -> frozenset[str]:
    """Those of which little is known beside the others: under ten texts a label, and under a tenth of all texts."""
    counts = Counter(codes)
    most = min(_THIN_A_LABEL * labels, _THIN_SHARE * len(codes))
    return frozenset(code for code in languages_of(codes) if counts[code] < most)


def _table(buckets: Array, size: int, first: int) -> npt.NDArray[np.int32]:
    table = np.full(size, -1, dtype=np.int32)
    table[buckets] = np.arange(first, first + len(buckets), dtype=np.int32)
    return table
