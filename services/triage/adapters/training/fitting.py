"""Fits the linear heads on features of labelled texts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from services.triage.adapters.training.dataset import Example
from services.triage.domain.features import DERIVED_COLUMNS, LETTERS, WORDS, Features, word_bucket

Array = npt.NDArray[Any]
KINDS = ("request", "thanks", "automatic", "spam")
URGENCIES = ("low", "normal", "high")


_OF_THE_WISH = ("wish_", "wish.")
_SILENT = -6.0
_STRENGTH: Mapping[str, float] = {
    "topic": 1.0,
    "kind": 3.0,
    "urgency": 0.3,
    "anger": 0.5,
    "person": 1.0,
    "disappointment": 0.5,
    "joy": 0.5,
    "complexity": 0.5,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What was chosen by cross-validation on the training split."""

    word_scale: float = 2.0
    letter_scale: float = 6.0
    least_word_texts: int = 2
    least_letter_texts: int = 3
    strength: Mapping[str, float] | None = None
    """Inverse regularisation by head."""

    def c(self, head: str) -> float:
        """Inverse regularisation of a head."""
        return (self.strength or _STRENGTH)[head]


@dataclass(frozen=True)
class Vocabulary:
    """Which buckets and columns have a row, and the factor of each row."""

    words: Array
    letters: Array
    columns: tuple[str, ...]
    factors: Array
    known: Array

    @property
    def size(self) -> int:
        """Rows."""
        return len(self.words) + len(self.letters) + len(self.columns)


@dataclass(frozen=True)
class Fitted:
    """Weights (rows x classes, factors folded in) and bias of all heads."""

    vocabulary: Vocabulary
    heads: Mapping[str, tuple[str, ...]]
    weights: Array
    bias: Array


def vocabulary_of(features: Sequence[Features], columns: Sequence[str], settings: Settings) -> Vocabulary:
    """The rows worth having: those seen in enough texts, weighted by how rare they are."""
    words: Counter[int] = Counter()
    letters: Counter[int] = Counter()
    known: set[int] = set()
    for one in features:
        words.update(one.words.keys())
        letters.update(one.letters.keys())
        known.update(word_bucket(token) for token in one.tokens)
    kept_words = sorted(bucket for bucket, n in words.items() if n >= settings.least_word_texts)
    kept_letters = sorted(bucket for bucket, n in letters.items() if n >= settings.least_letter_texts)
    total = np.log(len(features))
    factors = np.concatenate(
        [
            settings.word_scale * (1 - np.log([words[b] for b in kept_words]) / total),
            settings.letter_scale * (1 - np.log([letters[b] for b in kept_letters]) / total),
            np.ones(len(columns)),
        ]
    )
    return Vocabulary(
        np.array(kept_words, dtype=np.uint32),
        np.array(kept_letters, dtype=np.uint32),
        tuple(columns),
        factors,
        np.array(sorted(known), dtype=np.uint32),
    )


def matrix_of(features: Sequence[Features], vocabulary: Vocabulary) -> sp.csr_matrix:
    """Texts x rows, without the factors."""
    word_rows = np.full(WORDS, -1)
    word_rows[vocabulary.words] = np.arange(len(vocabulary.words))
    letter_rows = np.full(LETTERS, -1)
    letter_rows[vocabulary.letters] = np.arange(len(vocabulary.letters)) + len(vocabulary.words)
    first = len(vocabulary.words) + len(vocabulary.letters)
    column_rows = {name: first + index for index, name in enumerate(vocabulary.columns)}
    starts, indices, values = [0], list[int](), list[float]()
    for one in features:
        for table, buckets in ((word_rows, one.words), (letter_rows, one.letters)):
            if buckets:
                rows = table[list(buckets)]
                rows = rows[rows >= 0]
                indices += rows.tolist()
                values += [1.0 / len(buckets) ** 0.5] * len(rows)
        for name, value in one.columns.items():
            if name in column_rows:
                indices.append(column_rows[name])
                values.append(value)
        starts.append(len(indices))
    return sp.csr_matrix((values, indices, starts), shape=(len(features), vocabulary.size))


def columns_of(lexicon_columns: Sequence[str], *, wish: bool = False) -> tuple[str, ...]:
    """The named columns in a fixed order; with `wish` also those that serve the wish for a person alone."""
    every = (*sorted(lexicon_columns), *DERIVED_COLUMNS)
    return tuple(column for column in every if wish or not column.startswith(_OF_THE_WISH))


def fit(
    examples: Sequence[Example],
    features: Sequence[Features],
    columns: Sequence[str],
    topics: Sequence[str],
    settings: Settings,
) -> Fitted:
    """Fit all heads. The same input gives the same weights on the same machine and libraries."""
    vocabulary = vocabulary_of(features, columns, settings)
    matrix = (matrix_of(features, vocabulary) @ sp.diags(vocabulary.factors)).tocsr()
    heads: dict[str, tuple[str, ...]] = {
        "topic": tuple(topics),
        "kind": KINDS,
        "urgency": URGENCIES,
        "anger": ("anger",),
        "person": ("person",),
        "disappointment": ("disappointment",),
        "joy": ("joy",),
        "complexity": ("complexity",),
    }
    topical = [i for i, e in enumerate(examples) if e.topic and e.kind == "request"]
    every = [i for i, e in enumerate(examples) if e.kind]
    labels: dict[str, tuple[list[int], list[Any]]] = {
        "topic": (topical, [examples[i].topic for i in topical]),
        "kind": (every, [examples[i].kind for i in every]),
        "urgency": (every, [examples[i].urgency for i in every]),
        "anger": (every, [examples[i].angry for i in every]),
        "person": (list(range(len(examples))), [e.person for e in examples]),
        "disappointment": (every, [examples[i].disappointed for i in every]),
        "joy": (every, [examples[i].happy for i in every]),
        "complexity": (every, [examples[i].complex for i in every]),
    }
    weights, bias = [], []
    for head, classes in heads.items():
        rows, wanted = labels[head]
        counts = Counter(wanted)
        if len(counts) < 2:
            # Nothing to tell apart: the head stays silent.
            weights.append(np.zeros((vocabulary.size, len(classes))))
            bias.append(np.full(len(classes), _SILENT))
            continue
        # Rare kinds would never win: half way, on the log scale, to counting every kind the same.
        rare = {label: (len(wanted) / n) ** 0.5 for label, n in counts.items()} if head == "kind" else None
        model = LogisticRegression(C=settings.c(head), max_iter=600, tol=2e-4, class_weight=rare)
        model.fit(matrix[rows], wanted)
        order = [list(model.classes_).index(name) for name in classes] if len(classes) > 1 else [0]
        weights.append((model.coef_[order] * vocabulary.factors).T)
        bias.append(model.intercept_[order])
    return Fitted(vocabulary, heads, np.hstack(weights), np.concatenate(bias))
