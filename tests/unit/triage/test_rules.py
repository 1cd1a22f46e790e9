"""Rules: conditions over facts, what they set, what other rules would change, and how a fault is named."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triage.adapters.rules_reader import RulesError, read_rules
from services.triage.adapters.rules_writer import changes, plain_rules
from services.triage.domain.dry_run import compare
from services.triage.domain.facts import (
    CLOSED,
    COUNTS,
    PROBABILITIES,
    Circumstances,
    facts_of,
    mood_turn,
    restored,
    stored,
)
from services.triage.domain.memory import WATCHED, Conversation, changed, decided
from services.triage.domain.rules import FIELDS, Fact, Rule, apply_rules, differences, try_rules
from services.triage.domain.signals import Signal, Signals

TOPICS, LANGUAGES = ("order", "refund"), ("en", "it")


def _read(*rules: dict[str, Any]) -> tuple[Rule, ...]:
    return read_rules(list(rules), TOPICS, LANGUAGES)


def _rule(when: dict[str, Any], then: dict[str, Any] | None = None, name: str = "r") -> dict[str, Any]:
    return {"name": name, "when": when, "then": then or {"priority": 1}}


@pytest.mark.parametrize(
    ("when", "facts", "matches"),
    [
        ({}, {}, True),
        ({"topic": "order"}, {"topic": "order"}, True),
        ({"topic": ["order", "refund"]}, {"topic": "unknown"}, False),
        ({"topic": {"not": "order"}}, {"topic": "refund"}, True),
        ({"topic": {"not": ["order"]}}, {"topic": "order"}, False),
        ({"tier": "gold"}, {}, False),
        ({"tier": {"not": "gold"}}, {}, True),
        ({"attribute.plan": "premium"}, {"attribute.plan": "premium"}, True),
        ({"attribute.open_orders": ">= 1"}, {"attribute.open_orders": "2"}, True),
        ({"attribute.open_orders": ">= 1, < 3"}, {"attribute.open_orders": "3"}, False),
        ({"attribute.open_orders": ">= 0"}, {"attribute.open_orders": "many"}, False),
        ({"attribute.open_orders": ">= 0"}, {}, False),
        ({"entities": ["iban", "card"]}, {"entities": frozenset({"card", "date"})}, True),
        ({"personal_data": {"not": "card"}}, {"personal_data": frozenset({"card"})}, False),
        ({"hour": ">= 9, < 18"}, {"hour": 17.5}, True),
        ({"hour": ">= 9, < 18"}, {"hour": 18.0}, False),
        ({"contacts_this_week": ">= 3"}, {"contacts_this_week": 2.0}, False),
        ({"complexity": "> 0.5"}, {}, False),
        (
            {"any": [{"topic": "order"}, {"anger": ">= 0.6", "tier": "gold"}]},
            {"anger": 0.7, "tier": "gold"},
            True,
        ),
        ({"any": [{"topic": "order"}, {"anger": ">= 0.6", "tier": "gold"}]}, {"anger": 0.7}, False),
    ],
)
def test_a_rule_matches_when_all_its_conditions_hold(
    when: dict[str, Any], facts: dict[str, Fact], matches: bool
) -> None:
    rules = _read(_rule(when))
    assert (apply_rules(rules, facts).priority == 1) is matches
    (tried,) = try_rules(rules, facts)
    assert tried.matched is matches
    assert bool(tried.failed) is not matches


def test_the_first_rule_that_matches_decides_each_field_and_the_decision_says_which() -> None:
    rules = _read(
        _rule({"topic": "order"}, {"queue_hint": "vip", "tags": ["a"], "macro": "hello"}, "one"),
        _rule(
            {}, {"queue_hint": "general", "tags": ["b", "a"], "skills": ["vip:3"], "escalate": "now"}, "two"
        ),
        _rule({}, {"reply": {"en": "Hi", "it": "Ciao"}, "handling": "human"}, "three"),
    )
    ruling = apply_rules(rules, {"topic": "order", "language": "it"})
    assert (ruling.queue_hint, ruling.tags, ruling.skills) == ("vip", ("a", "b"), ("vip:3",))
    assert (ruling.macro, ruling.reply, ruling.escalate) == ("hello", "Ciao", "now")
    assert dict(ruling.by) == {
        "queue_hint": "one", "macro": "one", "tags": "two", "skills": "two", "escalate": "two",
        "reply": "three", "handling": "three",
    }  # fmt: skip
    assert apply_rules(rules, {"language": "de"}).reply == "Hi"


@pytest.mark.parametrize(
    ("rule", "field", "reason"),
    [
        (_rule({"anger": "= 0.6"}), "when.anger", "no comparison"),
        (_rule({"anger": ">= 1.2"}), "when.anger", "beyond 1"),
        (_rule({"topic": "parcels"}), "when.topic", "'parcels' is none of"),
        (_rule({"language": "xx"}), "when.language", "'xx' is none of"),
        (_rule({"mod": "angry"}), "when.mod", "unknown field 'mod'"),
        (_rule({"channel": []}), "when.channel", "never matches"),
        (_rule({"tier": True}), "when.tier", "in quotes"),
        (_rule({"any": [{}]}), "when.any.0", "always holds"),
        (_rule({"any": [{"mood": "cross"}]}), "when.any.0.mood", "'cross' is none of"),
        (_rule({}, {"priority": 3}), "then.priority", "not one of"),
        (_rule({}, {"priority": True}), "then.priority", "not one of"),
        (_rule({}, {"tags": "angry"}), "then.tags", "expected a list"),
        (_rule({}, {"skills": ["vip:9"]}), "then.skills", "skill"),
        (_rule({}, {"colour": "red"}), "then", "unknown field 'colour'"),
        (_rule({}, {"reply": {"english": "Hi"}}), "then.reply", "language"),
        ({"name": "r", "when": {}, "then": {}}, "then", "sets nothing"),
        ({"name": "r", "then": {"priority": 1}}, "rule", "missing when"),
        ("no rule", "rule", "expected fields"),
    ],
)
def test_a_fault_names_the_rule_and_the_field(rule: Any, field: str, reason: str) -> None:
    good = _rule({}, name="good")
    with pytest.raises(RulesError) as told:
        read_rules([good, rule], TOPICS, LANGUAGES)
    (fault,) = told.value.faults
    assert fault.rule == (rule["name"] if isinstance(rule, dict) else "rule 2")
    assert (fault.field, fault.path[0]) == (field, 1)
    assert reason in fault.reason


def test_all_faults_are_told_at_once_and_a_name_stands_once() -> None:
    with pytest.raises(RulesError) as told:
        _read(_rule({}, name="a"), _rule({}, name="a"), _rule({"x": 1}, name="b"))
    assert [(f.rule, f.field) for f in told.value.faults] == [("a", "name"), ("b", "when.x")]


_WORD = st.sampled_from(["order", "refund", "unknown"])
_BOUND = st.sampled_from([">= 0.25", "< 0.5", "> 0, <= 1"])
_CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "topic": _WORD | st.lists(_WORD, min_size=1, max_size=2).map(lambda w: {"not": w}),
        "mood": st.sampled_from(CLOSED["mood"]),
        "tier": st.sampled_from(["gold", "basic"]),
        "entities": st.lists(st.sampled_from(CLOSED["entities"]), min_size=1, max_size=3),
        "anger": _BOUND,
        "contacts_this_week": st.sampled_from([">= 2", "<= 5"]),
    },
)
_THEN = st.fixed_dictionaries(
    {"priority": st.integers(-2, 2)},
    optional={
        "queue_hint": st.sampled_from(["billing", "orders"]),
        "tags": st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2),
        "skills": st.just(["vip:2"]),
        "macro": st.just("m1"),
        "reply": st.sampled_from(["Hello", {"en": "Hi", "it": "Ciao"}]),
        "escalate": st.just("threat"),
    },
)
_RULES = st.lists(
    st.tuples(_CONDITIONS, st.lists(_CONDITIONS.filter(bool), max_size=2), _THEN), max_size=6
).map(
    lambda rows: [
        _rule({**when, **({"any": groups} if groups else {})}, then, f"rule {i}")
        for i, (when, groups, then) in enumerate(rows)
    ]
)
_FACTS: st.SearchStrategy[dict[str, Fact]] = st.fixed_dictionaries(
    {
        "topic": _WORD,
        "mood": st.sampled_from(CLOSED["mood"]),
        "tier": st.sampled_from(["gold", "basic", ""]),
        "entities": st.frozensets(st.sampled_from(CLOSED["entities"]), max_size=3),
        "anger": st.sampled_from([0.0, 0.25, 0.5, 1.0]),
        "contacts_this_week": st.sampled_from([1.0, 2.0, 7.0]),
        "language": st.sampled_from(["en", "it", "de"]),
    }
)


@given(_RULES)
def test_rules_that_are_written_and_read_again_are_the_same(values: list[dict[str, Any]]) -> None:
    rules = _read(*values)
    assert _read(*plain_rules(rules)) == rules
    assert changes(rules, rules) == {"added": [], "removed": [], "changed": [], "moved": []}


@given(_RULES, _FACTS)
def test_each_field_comes_from_the_first_rule_that_matches_and_sets_it(
    values: list[dict[str, Any]], facts: dict[str, Fact]
) -> None:
    rules = _read(*values)
    ruling, tried = apply_rules(rules, facts), try_rules(rules, facts)
    matched = [rule for rule, one in zip(rules, tried, strict=True) if one.matched]
    for name in ("priority", "queue_hint", "macro", "escalate"):
        first = next((rule for rule in matched if getattr(rule, name) is not None), None)
        assert getattr(ruling, name) == (
            getattr(first, name) if first else getattr(apply_rules((), {}), name)
        )
        assert dict(ruling.by).get(name) == (first.name if first else None)
    assert set(ruling.tags) == {tag for rule in matched for tag in rule.tags}
    assert apply_rules(rules, restored(stored(facts))) == ruling


@given(_RULES, _RULES, _FACTS)
def test_a_dry_run_says_exactly_what_would_differ(
    old: list[dict[str, Any]], new: list[dict[str, Any]], facts: dict[str, Fact]
) -> None:
    one, other = _read(*old), _read(*new)
    found, ruling = compare("c", 1, facts, one, other)
    expected = differences(apply_rules(one, facts), apply_rules(other, facts))
    assert ruling == apply_rules(other, facts)
    assert (dict(found.fields) if found else {}) == expected
    assert compare("c", 1, facts, one, one)[0] is None
    assert set(expected) <= set(FIELDS)


def test_every_fact_that_rules_may_ask_for_is_there() -> None:
    signals = Signals(
        Signal("en", 1.0), Signal("order", 0.9), "order", Signal("request", 1.0), Signal("high", 0.5),
        0.1, 0.2, 0.3, 0.4, "m", "p",
    )  # fmt: skip
    facts = facts_of(signals, Circumstances(attributes={"plan": "premium"}, tier="gold"))
    wanted = {
        *CLOSED,
        *PROBABILITIES,
        *COUNTS,
        "topic",
        "second_topic",
        "language",
        "tier",
        "account",
        "product",
        "attribute.plan",
    }
    assert set(facts) == wanted
    assert restored(stored(facts)) == facts


@pytest.mark.parametrize(
    ("before", "now", "turn"),
    [
        (("", 0.0), ("angry", 1.0), "first"),
        (("neutral", 0.0), ("angry", 0.4), "worse"),
        (("angry", 0.4), ("angry", 0.9), "worse"),
        (("angry", 0.6), ("angry", 0.7), "same"),
        (("angry", 0.6), ("neutral", 0.0), "better"),
        (("happy", 0.6), ("disappointed", 0.3), "worse"),
        (("neutral", 0.0), ("neutral", 0.0), "same"),
    ],
)
def test_the_mood_turns_when_it_changes_side_or_grows(
    before: tuple[str, float], now: tuple[str, float], turn: str
) -> None:
    assert mood_turn(*before, *now) == turn


@given(st.permutations([1, 2, 3]))
def test_what_was_decided_last_is_of_the_newest_message_in_any_order(order: list[int]) -> None:
    conversation = Conversation("c")
    for seq in order:
        conversation = decided(conversation, "anna", seq, seq * 10, dict.fromkeys(WATCHED, seq))
    assert (conversation.decided_seq, conversation.contacted_at_ms) == (3, 30)
    assert conversation.decided["mood"] == 3
    assert changed(conversation, 3, dict.fromkeys(WATCHED, 9)) == ()
    assert changed(conversation, 4, {**dict.fromkeys(WATCHED, 3), "mood": 4}) == ("mood",)
