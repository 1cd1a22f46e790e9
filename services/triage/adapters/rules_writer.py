"""Rules as plain values: what `rules_reader` reads, and what one version changed of another."""

from collections.abc import Sequence
from typing import Any

from services.triage.domain.rules import FIELDS, AnyOf, Condition, Rule


def plain_rules(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """As JSON values; reading them gives the same rules."""
    return [{"name": rule.name, "when": _when(rule.when), "then": _then(rule)} for rule in rules]


def changes(old: Sequence[Rule], new: Sequence[Rule]) -> dict[str, list[str]]:
    """Names of the rules that were added, removed, changed, or only stand elsewhere."""
    before, after = {rule.name: rule for rule in old}, {rule.name: rule for rule in new}
    kept_before = [name for name in before if name in after]
    kept_after = [name for name in after if name in before]
    return {
        "added": [name for name in after if name not in before],
        "removed": [name for name in before if name not in after],
        "changed": [name for name in kept_after if before[name] != after[name]],
        "moved": [a for a, b in zip(kept_after, kept_before, strict=True) if a != b],
    }


def _when(when: Sequence[Condition | AnyOf]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for condition in when:
        if isinstance(condition, AnyOf):
            found["any"] = [_when(group) for group in condition.groups]
        elif condition.compare:
            one = f"{condition.compare} {condition.bound!r}"
            found[condition.fact] = f"{found[condition.fact]}, {one}" if condition.fact in found else one
        else:
            words = sorted(condition.one_of)
            found[condition.fact] = {"not": words} if condition.negated else words
    return found


def _then(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in FIELDS:
        value = getattr(rule, name)
        if value is None or value == ():
            continue
        if name == "reply":
            texts = dict(value)
            found[name] = texts.get("", texts)
        else:
            found[name] = list(value) if isinstance(value, tuple) else value
    return found
