"""What other rules would have decided of conversations that were decided before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.triage.domain.rules import Fact, Rule, Ruling, apply_rules, differences


@dataclass(frozen=True, slots=True)
class Changed:
    """One conversation that would be treated in another way."""

    conversation_id: str
    message_seq: int
    fields: Mapping[str, tuple[object, object]]
    """Field -> (by the rules in force, by the others)."""
    by: Mapping[str, tuple[str, ...]]
    """Field -> the other rules that set it; nothing when none does."""


def compare(
    conversation_id: str,
    message_seq: int,
    facts: Mapping[str, Fact],
    in_force: Sequence[Rule],
    others: Sequence[Rule],
) -> tuple[Changed | None, Ruling]:
    """Both sets of rules on the same facts: what differs, or None, and what the others say."""
    new = apply_rules(others, facts)
    fields = differences(apply_rules(in_force, facts), new)
    if not fields:
        return None, new
    by = {name: tuple(rule for field, rule in new.by if field == name) for name in fields}
    return Changed(conversation_id, message_seq, fields, by), new
