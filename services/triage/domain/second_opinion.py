"""What somebody outside says of a message whose topic the model did not name: heard, never obeyed.

The text is a stranger's and may try to talk to whoever reads it. So the answer is one key of the taxonomy and nothing else,
and it decides only where it is the model's own best guess: two votes that agree. Alone it
is a fact of rules.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from services.triage.domain.signals import UNKNOWN, Reason, Signal, Signals
from services.triage.domain.text import fold, read

_FEWEST_WORDS: Final = 2
_LEAST: Final = 0.5
_UNDO: Final = (
    "ignore", "disregard", "forget", "override", "ignora", "dimentica", "uita", "ignorati", "ignorez", "oublie", "oubliez",
    "olvida", "esqueca", "ignoriere", "vergiss", "تجاهل", "انس",
)  # fmt: skip
_ORDERS: Final = (
    "instruction", "prompt", "previous", "prior", "above", "istruzion", "regole", "instructiun", "reguli", "consigne",
    "instrucc", "instruco", "regras", "anweisung", "regeln", "تعليمات", "التعليمات", "الاوامر",
)  # fmt: skip
_MARKS: Final = (
    r"\b(?:system|assistant|developer) ?(?:prompt|message|:)",
    r"</?\|?(?:system|assistant|user|im_start|im_end|instructions?|prompt)\|?>",
    r"\[/?inst\]",
    r"#{2,3} ?(?:instruction|system|response)",
    r"\{ ?[\"'](?:topic|role|confidence|content)[\"']",
    r"\byou are (?:now )?(?:a|an|the) (?:ai|assistant|classifier|model|bot)\b",
)
_SPEAKS_TO_MACHINES: Final = re.compile(
    "|".join((rf"(?<!\w)(?:{'|'.join(_UNDO)})\b.{{0,40}}(?<!\w)(?:{'|'.join(_ORDERS)})", *_MARKS)), re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: nothing in it says who wrote it."""

    text: str
    """Without personal data."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What was answered, or why nothing was."""

    topic: str = ""
    """A key of the taxonomy, or empty."""
    confidence: float = 0.0
    """As it was said, 0..1; not calibrated."""
    why: str = "answered"
    """answered, none (it named no topic), late, failed, refused or malformed; not asked: short, addressed (the text speaks
    to a machine), busy (too many at once), budget (of the day is used up), open (it fails too often)."""


def worth_asking(signals: Signals) -> bool:
    """A request whose topic nobody named."""
    return signals.topic.value == UNKNOWN and signals.kind.value in ("request", "unsure")


def unfit(question: Question) -> str:
    """Why a question is not asked: short or addressed; empty when it may be."""
    if len(read(question.text).words) < _FEWEST_WORDS:
        return "short"
    return "addressed" if speaks_to_machines(question.text) else ""


def speaks_to_machines(text: str) -> bool:
    """Whether a text seems written for a machine that follows instructions, in any of eight languages."""
    return _SPEAKS_TO_MACHINES.search(fold(read(text).clean)) is not None


def with_opinion(signals: Signals, opinion: Opinion) -> Signals:
    """The signals with what was heard. The topic becomes the model's own best guess where the opinion is the same."""
    if not opinion.topic:
        said = Reason("second_topic", "endpoint", f"no opinion: {opinion.why}")
        return replace(signals, reasons=(*signals.reasons, said))
    second = Signal(opinion.topic, opinion.confidence)
    agrees = (
        signals.topic.value == UNKNOWN
        and opinion.topic == signals.best_topic
        and opinion.confidence >= _LEAST
    )
    said = Reason("second_topic", "endpoint", opinion.topic, opinion.confidence)
    if not agrees:
        return replace(signals, second_topic=second, reasons=(*signals.reasons, said))
    agreed = Reason("topic", "endpoint", f"a second opinion is {opinion.topic} too", opinion.confidence)
    return replace(
        signals,
        topic=Signal(signals.best_topic, signals.topic.confidence),
        second_topic=second,
        reasons=(*signals.reasons, said, agreed),
    )
