"""Rules from plain values (YAML or JSON alike); every fault names the rule, the field and what was expected."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.triage.domain.facts import ATTRIBUTE, CLOSED, COUNTS, OPEN, PROBABILITIES
from services.triage.domain.rules import COMPARE, FIELDS, AnyOf, Condition, Rule

Path = tuple[str | int, ...]
MOST_RULES: Final = 500
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_SKILL = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}(?::[1-5])?")
_LANGUAGE = re.compile(r"[a-z]{2}")
_COMPARISON = re.compile(r"(>=|<=|>|<)\s*(\d{1,9}(?:\.\d{1,6})?|\.\d{1,6})")
_WORDS = frozenset((*CLOSED, *OPEN, "topic", "second_topic", "language"))
_NUMBERS = frozenset((*PROBABILITIES, *COUNTS))
_LONGEST_REPLY = 2_000
_SHOWN = 100
"""Characters of what somebody else wrote that a fault repeats."""
_LONGEST_REASON = 900


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a rule."""

    rule: str
    """Its name, or `rule 3` when it has none."""
    field: str
    """Such as `when.anger` or `then.priority`."""
    reason: str
    path: Path
    """Where it stands, from the list of rules on."""

    def __str__(self) -> str:
        return f"rule {self.rule!r}, {self.field}: {self.reason}"


class RulesError(ValueError):
    """The rules cannot be used. `faults` has all that is wrong; nothing of them is taken."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults[:5])))
        self.faults = tuple(faults)


class _Wrong(Exception):
    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(reason)
        self.path, self.reason = path, reason


def read_rules(values: object, topics: Sequence[str], languages: Sequence[str]) -> tuple[Rule, ...]:
    """Check and build. `topics` and `languages` are those the operator has. Raises RulesError with every fault."""
    if not isinstance(values, list):
        raise RulesError([Fault("", "rules", "expected a list of rules", ())])
    if len(values) > MOST_RULES:
        raise RulesError([Fault("", "rules", f"{len(values)} rules; at most {MOST_RULES}", ())])
    reader = _Reader(frozenset((*topics, "unknown")), frozenset((*languages, "und")))
    rules: list[Rule] = []
    faults: list[Fault] = []
    names: set[str] = set()
    for index, value in enumerate(values):
        name = value.get("name") if isinstance(value, dict) else None
        shown = name[:_SHOWN] if isinstance(name, str) and name else f"rule {index + 1}"
        try:
            rule = reader.rule(value)
            if rule.name in names:
                raise _Wrong(("name",), f"the name {rule.name!r} stands twice")
            names.add(rule.name)
            rules.append(rule)
        except _Wrong as wrong:
            where = ".".join(str(part)[:_SHOWN] for part in wrong.path) or "rule"
            faults.append(Fault(shown, where, wrong.reason[:_LONGEST_REASON], (index, *wrong.path)))
    if faults:
        raise RulesError(faults)
    return tuple(rules)


class _Reader:
    def __init__(self, topics: frozenset[str], languages: frozenset[str]) -> None:
        closed = {name: frozenset(words) for name, words in CLOSED.items()}
        self._closed = {**closed, "topic": topics, "second_topic": topics, "language": languages}

    def rule(self, value: object) -> Rule:
        fields = _mapping(value, (), ("name", "when", "then"))
        for name in ("name", "when", "then"):
            if name not in fields:
                raise _Wrong((), f"missing {name}")
        name = _text(fields["name"], ("name",), 100)
        when = self._conditions(fields["when"], ("when",))
        then = _mapping(fields["then"], ("then",), FIELDS)
        if not then:
            raise _Wrong(("then",), "sets nothing")
        return Rule(name, when, **{field: _set(field, then[field], ("then", field)) for field in then})

    def _conditions(self, value: object, path: Path) -> tuple[Condition | AnyOf, ...]:
        found: list[Condition | AnyOf] = []
        for fact, wanted in _mapping(value, path, None).items():
            here = (*path, fact)
            if fact == "any" and path == ("when",):
                groups = _list(wanted, here)
                found.append(AnyOf(tuple(self._group(g, (*here, i)) for i, g in enumerate(groups))))
            else:
                found += self._condition(fact, wanted, here)
        return tuple(found)

    def _group(self, value: object, path: Path) -> tuple[Condition, ...]:
        fields = _mapping(value, path, None)
        if not fields:
            raise _Wrong(path, "an empty group always holds")
        return tuple(
            c for fact, wanted in fields.items() for c in self._condition(fact, wanted, (*path, fact))
        )

    def _condition(self, fact: str, wanted: object, path: Path) -> list[Condition]:
        compared = isinstance(wanted, str) and _COMPARISON.match(wanted.strip()) is not None
        if fact in _NUMBERS or (compared and fact.startswith(ATTRIBUTE) and len(fact) > len(ATTRIBUTE)):
            return _comparisons(fact, wanted, path)
        if fact not in _WORDS and not (fact.startswith(ATTRIBUTE) and len(fact) > len(ATTRIBUTE)):
            known = ", ".join((*sorted(_WORDS), *sorted(_NUMBERS), f"{ATTRIBUTE}NAME", "any"))
            raise _Wrong(path, f"unknown field {fact!r}; known are {known}")
        negated = isinstance(wanted, dict)
        if negated:
            inner = _mapping(wanted, path, ("not",))
            if "not" not in inner:
                raise _Wrong(path, "expected words, or {not: words}")
            wanted, path = inner["not"], (*path, "not")
        values = wanted if isinstance(wanted, list) else [wanted]
        if not values:
            raise _Wrong(path, "an empty list never matches")
        words = frozenset(_text(one, path, 200) for one in values)
        allowed = self._closed.get(fact)
        if allowed is not None and (odd := sorted(words - allowed)):
            raise _Wrong(path, f"{odd[0]!r} is none of {', '.join(sorted(allowed))}")
        return [Condition(fact, words, negated=negated)]


def _comparisons(fact: str, wanted: object, path: Path) -> list[Condition]:
    text = _text(wanted, path, 60)
    found = []
    for part in text.split(","):
        match = _COMPARISON.fullmatch(part.strip())
        if match is None:
            raise _Wrong(path, f'{text!r} is no comparison such as ">= 0.7" ({", ".join(COMPARE)})')
        bound = float(match[2])
        if fact in PROBABILITIES and bound > 1:
            raise _Wrong(path, f"{bound:g} is beyond 1, and {fact} goes from 0 to 1")
        found.append(Condition(fact, compare=match[1], bound=bound))
    return found


def _set(field: str, value: object, path: Path) -> Any:
    if field == "priority":
        if isinstance(value, bool) or not isinstance(value, int) or not -2 <= value <= 2:
            raise _Wrong(path, f"priority {value!r} is not one of -2, -1, 0, 1, 2")
        return value
    if field == "handling":
        if value not in ("human", "bot"):
            raise _Wrong(path, f"{value!r} is none of bot, human")
        return value
    if field == "reply":
        return _reply(value, path)
    if field in ("tags", "skills"):
        pattern, meaning = (
            (_KEY, "a tag") if field == "tags" else (_SKILL, "a skill such as `vip` or `vip:3`")
        )
        return tuple(_word(one, pattern, meaning, path) for one in _list(value, path))
    meaning = {"queue_hint": "a queue id", "macro": "the key of a macro", "escalate": "a reason in one word"}[
        field
    ]
    return _word(value, _KEY, meaning, path)


def _reply(value: object, path: Path) -> tuple[tuple[str, str], ...]:
    if isinstance(value, str):
        return (("", _text(value, path, _LONGEST_REPLY)),)
    texts = _mapping(value, path, None)
    if not texts:
        raise _Wrong(path, "expected a text, or texts by language")
    return tuple(
        (_word(code, _LANGUAGE, "a language such as en", path), _text(text, (*path, code), _LONGEST_REPLY))
        for code, text in texts.items()
    )


def _mapping(value: object, path: Path, known: Sequence[str] | None) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(path, f"expected fields, found {_named(value)}")
    for name in value:
        if not isinstance(name, str) or (known is not None and name not in known):
            raise _Wrong(path, f"unknown field {name!r}; known are {', '.join(known or ())}")
    return value


def _list(value: object, path: Path) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise _Wrong(path, f"expected a list with something in it, found {_named(value)}")
    return value


def _text(value: object, path: Path, longest: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Wrong(path, f"expected a text, found {_named(value)}; write it in quotes")
    if len(value) > longest:
        raise _Wrong(path, f"{len(value)} characters; at most {longest}")
    return value.strip()


def _word(value: object, pattern: re.Pattern[str], meaning: str, path: Path) -> str:
    text = _text(value, path, 200)
    if not pattern.fullmatch(text):
        raise _Wrong(path, f"{text!r} is not {meaning}")
    return text


def _named(value: object) -> str:
    return "nothing" if value is None else f"{value!r}"[:60]
