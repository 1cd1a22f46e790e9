"""Finding the right text among many, measured: the train file holds what can be found, the test file what is asked.

Three rankings are added as standard scores: the first encoder, the second one where it is installed (both across
languages), and words (BM25, Robertson and Zaragoza 2009, k1 1.2, b 0.75), which count only within one language.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from services.triage.adapters.encoders import EncoderMissing, e5, readable
from services.triage.adapters.evaluation.labels import Tools, with_languages
from services.triage.adapters.evaluation.report import Evaluation, Prediction
from services.triage.adapters.labelled_files import Row
from services.triage.domain.encoding import Encode, Floats
from services.triage.domain.probabilities import logistic
from services.triage.domain.text import read

_K1: Final = 1.2
_B: Final = 0.75
_WORDS_SHARE: Final = 0.5
_ENCODED: Final = 32


def evaluate_retrieval(
    documents: Sequence[Row], queries: Sequence[Row], tools: Tools, progress: Callable[[str], None]
) -> Evaluation:
    """Rank the labels of the train file for each test text; a label counts by its best text."""
    documents, queries = with_languages(documents, tools.detect), with_languages(queries, tools.detect)
    labels = sorted({row.label for row in documents})
    notes = []
    total = np.zeros((len(queries), len(documents)), dtype=np.float32)
    if tools.encode is not None:
        progress("first encoder")
        total += _standard(_vectors(queries, tools.encode) @ _vectors(documents, tools.encode).T)
    try:
        progress("second encoder")
        total += _standard(_second(queries, documents))
        notes.append("both encoders and words")
    except EncoderMissing as error:
        notes.append(str(error))
    total += _WORDS_SHARE * _words(queries, documents)
    by_label = np.full((len(queries), len(labels)), -np.inf, dtype=np.float32)
    for index, label in enumerate(labels):
        mine = [i for i, row in enumerate(documents) if row.label == label]
        by_label[:, index] = total[:, mine].max(axis=1)
    return _measured(queries, labels, by_label, notes)


def _measured(queries: Sequence[Row], labels: Sequence[str], scores: Floats, notes: list[str]) -> Evaluation:
    order = np.argsort(-scores, axis=1, kind="stable")
    place = {label: i for i, label in enumerate(labels)}
    ranks = np.array(
        [
            int(np.flatnonzero(order[i] == place[row.label])[0]) + 1 if row.label in place else 10**9
            for i, row in enumerate(queries)
        ]
    )
    second = scores[np.arange(len(queries)), order[:, 1]] if len(labels) > 1 else np.zeros(len(queries))
    margin = scores[np.arange(len(queries)), order[:, 0]] - second
    confidence = logistic(2.0 * margin)
    predictions = [
        Prediction(row, labels[order[i, 0]], float(confidence[i]), float(1.0 - confidence[i]))
        for i, row in enumerate(queries)
    ]
    groups: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(queries):
        groups[row.language or "und"].append(i)
    by_language = {code: _figures(ranks[rows]) for code, rows in sorted(groups.items()) if len(rows) >= 20}
    return Evaluation("retrieval", _figures(ranks), by_language, predictions, notes)


def _figures(ranks: np.ndarray) -> dict[str, float]:
    return {
        "texts": len(ranks),
        **{f"recall_at_{k}": float(np.mean(ranks <= k)) for k in (1, 3, 10)},
        "mean_reciprocal_rank": float(np.mean(1.0 / ranks)),
    }


def _vectors(rows: Sequence[Row], encode: Encode) -> Floats:
    return encode([row.text for row in rows], [row.language for row in rows])


def _second(queries: Sequence[Row], documents: Sequence[Row]) -> Floats:
    model = e5()

    def vectors(rows: Sequence[Row], encode: Callable[[list[str]], Floats]) -> Floats:
        parts = [
            np.asarray(encode([readable(row.text) for row in rows[start : start + _ENCODED]]))
            for start in range(0, len(rows), _ENCODED)
        ]
        found = np.vstack(parts)
        # Each language's own mean is taken off: it is most of what two of its texts have in common.
        for code in {row.language for row in rows}:
            mine = [i for i, row in enumerate(rows) if row.language == code]
            if len(mine) >= 10:
                found[mine] -= found[mine].mean(axis=0)
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9))

    return np.asarray(vectors(queries, model.query) @ vectors(documents, model.passage).T)


def _words(queries: Sequence[Row], documents: Sequence[Row]) -> Floats:
    bags = [Counter(read(row.text).words) for row in documents]
    lengths = np.array([sum(bag.values()) for bag in bags], dtype=np.float32)
    mean = float(lengths.mean()) or 1.0
    postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for index, bag in enumerate(bags):
        for word, count in bag.items():
            postings[word].append((index, count))
    scores = np.zeros((len(queries), len(documents)), dtype=np.float32)
    for row, query in enumerate(queries):
        for word in set(read(query.text).words):
            found = postings.get(word, [])
            weight = math.log(1 + (len(documents) - len(found) + 0.5) / (len(found) + 0.5))
            for index, count in found:
                norm = count + _K1 * (1 - _B + _B * float(lengths[index]) / mean)
                scores[row, index] += weight * count * (_K1 + 1) / norm
    same = np.array([[q.language == d.language for d in documents] for q in queries])
    return np.asarray(np.where(same, _standard(scores), 0.0), dtype=np.float32)


def _standard(scores: Floats) -> Floats:
    """Each row with mean 0 and deviation 1."""
    mean, deviation = scores.mean(axis=1, keepdims=True), scores.std(axis=1, keepdims=True)
    return np.asarray((scores - mean) / np.maximum(deviation, 1e-6), dtype=np.float32)
