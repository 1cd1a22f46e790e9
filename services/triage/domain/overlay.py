"""What people corrected counts at once: the same words get the corrected topic, similar ones too, until the next training.

The rule, and how often it helps and hurts, is measured by `bench/corrections.py`; `docs/triage.md` has the figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from services.triage.domain.encoding import DIMENSIONS, Encode, Floats
from services.triage.domain.signals import UNKNOWN, Reason, Signal, Signals
from services.triage.domain.text import read

SIMILAR = 0.65
"""Cosine from which the topic of a correction is taken where the model names none, or names the wrong topic that it gave
to the corrected text too. Where it names yet another, likeness to a correction says nothing against it (measured)."""
SAME_CONFIDENCE = 0.98
MOST = 5_000
"""Corrections that count at once; older ones count from the next training on."""
_LEAST_WORDS = 2
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Lesson:
    """A message whose topic a person corrected."""

    number: int
    """Ascends with time; a lesson is given again under a higher number when it changes."""
    source: str
    """The conversation and message it is about: a later lesson of the same source takes the place of an earlier one."""
    text: str
    language: str
    topic: str
    """Empty: the correction was taken back."""


@dataclass(frozen=True)
class Overlay:
    """The lessons in force, never changed: `taught` makes a new one."""

    lessons: tuple[Lesson, ...] = ()
    vectors: Floats = field(default_factory=lambda: np.zeros((0, DIMENSIONS), dtype=np.float32))
    """Unit vectors of the lessons, zeros where there is no encoder."""
    said: tuple[str, ...] = ()
    """What the model itself says of the lessons."""
    same: Mapping[str, int] = field(default_factory=dict)
    """Words of a text -> the newest lesson with these words."""

    @property
    def number(self) -> int:
        """The highest seen."""
        return max((lesson.number for lesson in self.lessons), default=0)


def words_of(text: str) -> str:
    """The same for texts that differ only in case, accents, marks, numbers and addresses; empty without words."""
    return " ".join(read(text).words)


def taught(
    overlay: Overlay, lessons: Sequence[Lesson], said: Sequence[str], encode: Encode | None, most: int
) -> Overlay:
    """With more lessons and what the model says of each; of more than `most` those taught first are forgotten."""
    by_model = dict(zip(lessons, said, strict=True))
    newest = {lesson.source: lesson for lesson in sorted(lessons, key=lambda one: one.number)}
    kept = [i for i, lesson in enumerate(overlay.lessons) if lesson.source not in newest]
    added = [lesson for lesson in newest.values() if lesson.topic]
    vectors = np.zeros((len(added), DIMENSIONS), dtype=np.float32)
    if encode is not None and added:
        vectors = encode([one.text for one in added], [one.language for one in added])
    every = (*(overlay.lessons[i] for i in kept), *added)[-most:]
    joined = np.vstack([overlay.vectors[kept], vectors])[-most:]
    same = {words: i for i, lesson in enumerate(every) if (words := words_of(lesson.text))}
    before = (*(overlay.said[i] for i in kept), *(by_model[one] for one in added))[-most:]
    return Overlay(every, joined, before, same)


def overlaid(
    texts: Sequence[str],
    signals: Sequence[Signals],
    overlay: Overlay,
    topics: frozenset[str],
    encode: Encode | None,
) -> list[Signals]:
    """Signals with the topic of the same or the most similar lesson in place of the model's, and the reason.

    Only `topics` of the taxonomy are given. What a person set for the conversation itself comes later and stands above.
    """
    found = list(signals)
    if not overlay.lessons:
        return found
    open_rows = []
    for i, text in enumerate(texts):
        at = overlay.same.get(words_of(text))
        if at is not None and overlay.lessons[at].topic in topics:
            found[i] = _with(found[i], overlay.lessons[at], 1.0, SAME_CONFIDENCE)
        elif encode is not None and len(read(text).words) >= _LEAST_WORDS:
            open_rows.append(i)
    for start in range(0, len(open_rows), _BLOCK):
        rows = open_rows[start : start + _BLOCK]
        assert encode is not None
        vectors = encode([texts[i] for i in rows], [found[i].language.value for i in rows])
        cosines = vectors @ overlay.vectors.T
        for i, row, best in zip(rows, cosines, cosines.argmax(axis=1).tolist(), strict=True):
            lesson, said = overlay.lessons[best], found[i].topic.value
            if lesson.topic in topics and counts(said, lesson.topic, overlay.said[best], float(row[best])):
                found[i] = _with(found[i], lesson, float(row[best]), float(row[best]))
    return found


def counts(said: str, corrected: str, said_of_lesson: str, cosine: float) -> bool:
    """Whether a lesson at that cosine changes what the model said."""
    return said != corrected and said in (UNKNOWN, said_of_lesson) and cosine >= SIMILAR


def _with(signals: Signals, lesson: Lesson, cosine: float, confidence: float) -> Signals:
    kept = tuple(
        reason
        for reason in signals.reasons
        if not (reason.signal == "topic" and reason.source == "threshold")
    )
    how = "the same words" if cosine >= 1.0 else "a similar message"
    conversation = lesson.source.partition("/")[0]
    reason = Reason("topic", "correction", f"a person corrected {how} in {conversation}", round(cosine, 4))
    return replace(
        signals,
        topic=Signal(lesson.topic, max(confidence, 0.0)),
        best_topic=lesson.topic,
        reasons=(reason, *kept),
        out_of_scope=min(signals.out_of_scope, 1.0 - confidence),
    )
