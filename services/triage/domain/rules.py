"""The operator's rules: conditions over facts, what they set, and which rule set what. Built once, matched often."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

Fact = str | float | frozenset[str]
"""A word, a number or a set of words."""

COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_PLAIN: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?")
SINGLE: Final = ("priority", "queue_hint", "handling", "macro", "reply", "escalate")
"""What the first rule that matches decides, each by itself."""
GROWING: Final = ("tags", "skills")
"""What all rules that match add to."""
FIELDS: Final = (*SINGLE, *GROWING)


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of one fact: with words (one of them, or none), or with a number."""

    fact: str
    one_of: frozenset[str] = frozenset()
    compare: str = ""
    bound: float = 0.0
    negated: bool = False

    def holds(self, facts: Mapping[str, Fact]) -> bool:
        """Whether it is true. A fact that is not known is the word "", the number that no comparison takes."""
        seen = facts.get(self.fact, "")
        if self.compare:
            number = _number(seen)
            return number is not None and COMPARE[self.compare](number, self.bound)
        found = not self.one_of.isdisjoint(seen) if isinstance(seen, frozenset) else seen in self.one_of
        return found is not self.negated

    def __str__(self) -> str:
        if self.compare:
            return f"{self.fact} {self.compare} {self.bound:g}"
        words = ", ".join(sorted(self.one_of))
        return f"{self.fact} {'is none of' if self.negated else 'is one of'} {words}"


def _number(fact: Fact) -> float | None:
    """Of an attribute too, which is a word: "3" is three; what is no number holds no comparison."""
    if isinstance(fact, str):
        return float(fact) if _PLAIN.fullmatch(fact.strip()) else None
    return None if isinstance(fact, frozenset) else fact


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of several groups of conditions, each of which needs all of its own."""

    groups: tuple[tuple[Condition, ...], ...]

    def holds(self, facts: Mapping[str, Fact]) -> bool:
        """Whether one group holds."""
        return any(all(condition.holds(facts) for condition in group) for group in self.groups)

    def __str__(self) -> str:
        return "any of: " + "; ".join(" and ".join(map(str, group)) for group in self.groups)


@dataclass(frozen=True, slots=True)
class Rule:
    """If all conditions hold, the fields set here are decided, unless an earlier rule has decided them."""

    name: str
    when: tuple[Condition | AnyOf, ...]
    priority: int | None = None
    """-2 (last) to 2 (first)."""
    queue_hint: str | None = None
    handling: str | None = None
    tags: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    """`skill` or `skill:level`."""
    macro: str | None = None
    """The key of a macro that the agent's screen offers."""
    reply: tuple[tuple[str, str], ...] | None = None
    """(language, text) of a suggested reply; the first is for languages that have none."""
    escalate: str | None = None
    """Why somebody must see it at once."""

    def fails(self, facts: Mapping[str, Fact]) -> Condition | AnyOf | None:
        """The first condition that does not hold; None when all do."""
        return next((condition for condition in self.when if not condition.holds(facts)), None)


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
    macro: str = ""
    reply: str = ""
    escalate: str = ""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version of the rules."""

    version: str
    """`file:` and twelve characters of the file's hash, or the number of the version that was put by HTTP."""
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one rule on one set of facts."""

    rule: str
    matched: bool
    failed: str
    """The first condition that did not hold, or empty."""
    seen: str
    """The fact that condition met, or empty."""


def apply_rules(rules: Sequence[Rule], facts: Mapping[str, Fact]) -> Ruling:
    """First match decides each field of SINGLE; tags and skills add up, each once, in the order of the rules."""
    decided: dict[str, object] = {}
    growing: dict[str, dict[str, None]] = {name: {} for name in GROWING}
    by: list[tuple[str, str]] = []
    for rule in rules:
        if rule.fails(facts) is not None:
            continue
        for name in SINGLE:
            value = getattr(rule, name)
            if value is not None and name not in decided:
                decided[name] = value
                by.append((name, rule.name))
        for name, found in growing.items():
            if added := getattr(rule, name):
                found.update(dict.fromkeys(added))
                by.append((name, rule.name))
    if "reply" in decided:
        decided["reply"] = _in_language(decided["reply"], str(facts.get("language", "")))  # type: ignore[arg-type]  # by name
    return Ruling(
        tags=tuple(growing["tags"]),
        skills=tuple(growing["skills"]),
        by=tuple(by),
        **decided,  # type: ignore[arg-type]  # by name
    )


def try_rules(rules: Sequence[Rule], facts: Mapping[str, Fact]) -> list[Tried]:
    """For each rule whether it matched, and if not, on what it failed."""
    found = []
    for rule in rules:
        failed = rule.fails(facts)
        seen = shown_fact(facts.get(failed.fact, "")) if isinstance(failed, Condition) else ""
        found.append(Tried(rule.name, failed is None, "" if failed is None else str(failed), seen))
    return found


def shown_fact(fact: Fact) -> str:
    """A fact as people read it."""
    if isinstance(fact, frozenset):
        return ", ".join(sorted(fact))
    return fact if isinstance(fact, str) else f"{fact:g}"


def differences(old: Ruling, new: Ruling) -> dict[str, tuple[object, object]]:
    """Field -> (old, new) of every field that differs."""
    pairs = {name: (getattr(old, name), getattr(new, name)) for name in FIELDS}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _in_language(replies: tuple[tuple[str, str], ...], language: str) -> str:
    return dict(replies).get(language, replies[0][1])
