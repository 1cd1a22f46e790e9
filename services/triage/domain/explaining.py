"""A decision taken apart: for each signal what spoke for it, what it had to reach, and what the runner-up lacked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_HALF: Final = 0.5
_BY_WORDS: Final = ("word", "lexicon")
SIGNALS: Final = (
    "language", "topic", "kind", "urgency", "mood", "anger", "disappointment", "joy", "complexity", "wish_for_person",
    "self_service",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or words, that spoke for a signal."""

    text: str
    weight: float
    start: int
    end: int
    """Half-open, in the text that was classified; both 0 when nowhere."""


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """What came second."""

    value: str
    probability: float
    lacked: float
    """By how much its probability was below the decided one's confidence, at least 0."""
    lacked_words: tuple[str, ...]
    """The loudest words that spoke for the decided one more than for any other."""


@dataclass(frozen=True, slots=True)
class Part:
    """The explanation of one signal."""

    signal: str
    value: str
    """Of probabilities alone: yes or no."""
    confidence: float
    threshold: float | None
    """What the confidence had to reach; None where the highest wins, or where the thresholds have changed since."""
    reached: bool
    words: tuple[Word, ...]
    examples: tuple[str, ...]
    notes: tuple[str, ...]
    """Headers, people, earlier messages: what else spoke for it."""
    runner_up: RunnerUp | None


@dataclass(frozen=True, slots=True)
class SetField:
    """What a rule set."""

    field: str
    value: str
    rule: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """All of it."""

    parts: tuple[Part, ...]
    set_by_rules: tuple[SetField, ...]
    set_by_people: tuple[str, ...]
    """Fields that a person had set, so that neither model nor rule could: topic, tags."""
    failed: str
    """Why the text could not be classified at all, or empty."""


def explain(detail: Mapping[str, Any], thresholds: Mapping[str, float]) -> Explanation:
    """Take a decision apart, as it is kept and shown. `thresholds` are those it was made with, empty when not known."""
    reasons: Sequence[Mapping[str, Any]] = detail["reasons"]
    by_people = tuple(
        r["signal"] for r in reasons if r["source"] == "prior" and r["detail"] == "set by a person"
    )
    rules = tuple(
        SetField(r["signal"], _shown(detail.get(_FIELD.get(r["signal"], r["signal"]))), r["detail"])
        for r in reasons
        if r["source"] == "rule"
    )
    failed = ""
    if detail["language"]["confidence"] == 0 and detail["kind"]["value"] == "unsure":
        failed = next(
            (r["detail"] for r in reasons if r["signal"] == "kind" and r["source"] == "threshold"), ""
        )
        failed = "" if "is below the threshold" in failed else failed
    return Explanation(
        tuple(_part(signal, detail, reasons, thresholds) for signal in SIGNALS), rules, by_people, failed
    )


_FIELD: Final = {"skills": "required_skills"}


def _part(
    signal: str,
    detail: Mapping[str, Any],
    reasons: Sequence[Mapping[str, Any]],
    thresholds: Mapping[str, float],
) -> Part:
    found = detail.get(signal, 0.0)
    mine = [r for r in reasons if r["signal"] == ("mood_strength" if signal == "mood" else signal)]
    if isinstance(found, Mapping):
        value, confidence = str(found["value"]), float(found["confidence"])
        limit = _limit(signal, value, thresholds)
    else:
        confidence, limit = float(found), _HALF
        value = "yes" if confidence >= _HALF else "no"
    words = tuple(
        Word(r["detail"], r["weight"], r.get("start", 0), r.get("end", 0))
        for r in mine
        if r["source"] in _BY_WORDS
    )
    second = next((r for r in mine if r["source"] == "runner_up"), None)
    return Part(
        signal,
        value,
        confidence,
        limit,
        limit is None or confidence >= limit,
        words,
        tuple(r["detail"] for r in mine if r["source"] == "example"),
        tuple(r["detail"] for r in mine if r["source"] in ("header", "prior", "tier")),
        _runner_up(second, confidence, words) if second is not None else None,
    )


def _runner_up(second: Mapping[str, Any], confidence: float, words: Sequence[Word]) -> RunnerUp:
    probability = float(second["weight"])
    loudest = tuple(word.text for word in words[:3])
    return RunnerUp(second["detail"], probability, round(max(0.0, confidence - probability), 4), loudest)


def _limit(signal: str, value: str, thresholds: Mapping[str, float]) -> float | None:
    if signal == "topic":
        return thresholds.get("topic")
    if signal == "kind":
        return thresholds.get(value)
    if signal == "urgency":
        return thresholds.get(f"urgency_{value}")
    return _HALF if signal == "mood" and value != "neutral" else None


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
