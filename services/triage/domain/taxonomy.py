"""The operator's taxonomy: topics, thresholds and rules, as values."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

KINDS: Final = ("request", "unsure", "thanks", "automatic", "spam", "survey_answer")
URGENCIES: Final = ("low", "normal", "high")
CHANNELS: Final = ("web", "chat", "mail", "api")
WORDS: Final = ("topic", "kind", "language", "urgency", "channel")
"""Facts a rule compares with words."""
NUMBERS: Final = ("anger", "wish_for_person", "spam", "topic_confidence", "kind_confidence")
"""Facts a rule compares with numbers, 0..1."""
COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of the taxonomy."""

    key: str
    label: str
    about: str


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities, 0..1, from which a signal is believed."""

    topic: float
    """Below it the topic is `unknown`."""
    thanks: float
    automatic: float
    spam: float
    """A message that reaches none of the three, yet is likely no request, is `unsure`: a person sees it."""
    urgency_high: float
    urgency_low: float


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; a rule needs all of its own."""

    fact: str
    one_of: frozenset[str] = frozenset()
    compare: str = ""
    bound: float = 0.0

    def holds(self, words: Mapping[str, str], numbers: Mapping[str, float]) -> bool:
        """Whether it is true of these facts."""
        if self.compare:
            return COMPARE[self.compare](numbers[self.fact], self.bound)
        return words[self.fact] in self.one_of


@dataclass(frozen=True, slots=True)
class Rule:
    """If all conditions hold, the fields set here are decided, unless an earlier rule has decided them."""

    name: str
    when: tuple[Condition, ...]
    priority: int | None = None
    queue_hint: str | None = None
    handling: str | None = None
    tags: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """All that an operator configures of triage."""

    version: str
    """Hash of the content."""
    languages: tuple[str, ...]
    topics: tuple[Topic, ...]
    thresholds: Thresholds
    rules: tuple[Rule, ...]

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all topics."""
        return frozenset(topic.key for topic in self.topics)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules decided, and which rule each field came from."""

    priority: int = 0
    queue_hint: str = ""
    handling: str = "human"
    tags: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    by: tuple[tuple[str, str], ...] = field(default=())
    """(field, rule) in the order of the rules."""


def apply_rules(rules: Sequence[Rule], words: Mapping[str, str], numbers: Mapping[str, float]) -> Ruling:
    """First match decides priority, queue_hint and handling, each by itself; tags and skills add up."""
    decided: dict[str, object] = {}
    tags: dict[str, None] = {}
    skills: dict[str, None] = {}
    by: list[tuple[str, str]] = []
    for rule in rules:
        if not all(condition.holds(words, numbers) for condition in rule.when):
            continue
        for name in ("priority", "queue_hint", "handling"):
            value = getattr(rule, name)
            if value is not None and name not in decided:
                decided[name] = value
                by.append((name, rule.name))
        for name, found, added in (("tags", tags, rule.tags), ("skills", skills, rule.skills)):
            if added:
                found.update(dict.fromkeys(added))
                by.append((name, rule.name))
    return Ruling(tags=tuple(tags), skills=tuple(skills), by=tuple(by), **decided)  # type: ignore[arg-type]  # by name
