"""Model, signals, rules, decisions and memory: values in, values out."""

from dataclasses import replace

import numpy as np
import pytest

from services.triage.domain.classification import Knowledge, Query, classify
from services.triage.domain.decision import decide, nothing_known
from services.triage.domain.facts import Circumstances
from services.triage.domain.features import LETTERS, WORDS, word_bucket
from services.triage.domain.lexicon import compile_lexicon
from services.triage.domain.memory import Conversation, corrected, ended, heard, touched
from services.triage.domain.model import Calibration, LinearModel
from services.triage.domain.rules import Condition, Rule, RuleSet, apply_rules
from services.triage.domain.signals import Signal, Signals
from services.triage.domain.taxonomy import Taxonomy, Thresholds, Topic

TAXONOMY = Taxonomy(
    "t1",
    ("en", "it"),
    (Topic("delivery", "", ""), Topic("invoice", "", "")),
    Thresholds(topic=0.4, thanks=0.7, automatic=0.4, spam=0.4, urgency_high=0.35, urgency_low=0.5),
    (
        Rule("angry", (Condition("anger", compare=">=", bound=0.6),), priority=1, tags=("angry",)),
        Rule("parcels", (Condition("topic", frozenset({"delivery"})),), queue_hint="orders"),
        Rule("all", (), priority=0, queue_hint="general", tags=("seen",)),
    ),
)
RULES = RuleSet("r1", TAXONOMY.rules)
WORD_ROWS = {"parcel": 0, "invoice": 1, "thanks": 2, "now": 3, "idiots": 4}


def _model() -> LinearModel:
    heads = {
        "topic": ("delivery", "invoice"),
        "kind": ("request", "thanks", "automatic", "spam"),
        "urgency": ("low", "normal", "high"),
        "anger": ("anger",),
        "person": ("person",),
    }
    word_rows = np.full(WORDS, -1, dtype=np.int32)
    for word, row in WORD_ROWS.items():
        word_rows[word_bucket(word)] = row
    weights = np.zeros((6, 11), dtype=np.float32)
    weights[0, 0] = weights[1, 1] = 20.0
    weights[2, 3] = 20.0
    weights[3, 8] = 20.0
    weights[4, 9] = 20.0
    weights[5, 10] = 9.0
    bias = np.array([0, 0, 3, 0, 0, 0, 0, 3, 0, -3, -3], dtype=np.float32)
    ones = dict.fromkeys(heads, 1.0)
    topic = {"slope": 1.0, "known": 2.0, "short": 0.0, "intercept": -1.0}
    return LinearModel(
        "m1",
        heads,
        word_rows,
        np.full(LETTERS, -1, dtype=np.int32),
        {"person": 5},
        weights,
        bias,
        frozenset(word_bucket(word) for word in WORD_ROWS),
        Calibration(ones, {"anger": 0.0, "person": 0.0}, topic),
    )


def _self_service() -> LinearModel:
    """Says yes to "how"."""
    word_rows = np.full(WORDS, -1, dtype=np.int32)
    word_rows[word_bucket("how")] = 0
    return LinearModel(
        "s1",
        {"self_service": ("self_service",)},
        word_rows,
        np.full(LETTERS, -1, dtype=np.int32),
        {},
        np.full((1, 1), 9.0, dtype=np.float32),
        np.full(1, -3.0, dtype=np.float32),
        frozenset(),
        Calibration({"self_service": 1.0}, {"self_service": 0.0}, {}),
    )


KNOWLEDGE = Knowledge(
    TAXONOMY,
    {"en": compile_lexicon("en", {"person": ["human"]})},
    _model(),
    lambda text: {"en": 0.9 if text.strip() else 0.0},
    _self_service(),
)


def _signals(text: str) -> Signals:
    return classify(Query(text), KNOWLEDGE)


def test_a_known_word_gives_its_topic_with_that_word_as_the_reason() -> None:
    signals = _signals("parcel")
    assert signals.topic.value == "delivery"
    assert signals.topic.confidence > 0.9
    words = [r for r in signals.reasons if r.signal == "topic" and r.source == "word"]
    assert [r.detail for r in words] == ["parcel"]
    assert words[0].weight > 1
    assert [r.detail for r in signals.reasons if r.source == "runner_up"] == ["invoice"]
    assert (signals.model_version, signals.policy_version) == ("m1s1", "t1")


def test_what_a_help_page_could_settle_is_told_with_its_word() -> None:
    asks, complains = _signals("how parcel"), _signals("parcel")
    assert asks.self_service > 0.7
    assert complains.self_service < 0.1
    assert [r.detail for r in asks.reasons if r.signal == "self_service"] == ["how"]
    assert not [r for r in complains.reasons if r.signal == "self_service"]
    assert _signals("how").self_service < 0.5  # about nobody knows what


def test_unknown_words_stay_below_the_threshold_and_it_is_said() -> None:
    signals = _signals("qqzx wvv")
    assert signals.topic.value == "unknown"
    assert signals.topic.confidence <= 0.05
    assert signals.best_topic in {"delivery", "invoice"}
    (reason,) = [r for r in signals.reasons if r.signal == "topic" and r.source == "threshold"]
    assert reason.weight == 0.4


def test_a_text_in_a_language_that_is_not_served_is_never_sure_of_its_topic() -> None:
    knowledge = replace(KNOWLEDGE, detect=lambda _: {"en": 0.2, "nl": 0.9})
    signals = classify(Query("waar is mijn parcel"), knowledge)
    assert (signals.language.value, signals.topic.value) == ("und", "unknown")
    assert signals.topic.confidence <= 0.05
    assert "nl" in " ".join(r.detail for r in signals.reasons if r.signal == "language")


def test_a_topic_that_the_operator_took_out_is_not_given() -> None:
    knowledge = replace(KNOWLEDGE, taxonomy=replace(TAXONOMY, topics=(Topic("invoice", "", ""),)))
    assert classify(Query("parcel"), knowledge).best_topic == "invoice"


def test_each_head_speaks_for_itself() -> None:
    assert _signals("thanks").kind.value == "thanks"
    assert _signals("parcel").kind.value == "request"
    assert _signals("now").urgency.value == "high"
    assert _signals("idiots").anger > 0.9
    assert _signals("parcel").anger < 0.1
    person = _signals("a human")
    assert person.wish_for_person > 0.9
    assert ("lexicon", "person: human") in {(r.source, r.detail) for r in person.reasons}


def test_a_message_that_is_hardly_a_request_is_unsure() -> None:
    model = replace(
        KNOWLEDGE.model, bias=np.array([0, 0, 0.0, 0.7, 0.0, -9, 0, 3, 0, -3, -3], dtype=np.float32)
    )
    signals = classify(Query("parcel"), replace(KNOWLEDGE, model=model))
    assert signals.kind.value == "unsure"
    assert any(r.signal == "kind" and r.source == "threshold" for r in signals.reasons)


def test_the_first_matching_rule_decides_each_field_and_tags_add_up() -> None:
    ruling = apply_rules(TAXONOMY.rules, {"topic": "delivery", "anger": 0.9})
    assert (ruling.priority, ruling.queue_hint, ruling.tags) == (1, "orders", ("angry", "seen"))
    assert ruling.by == (("priority", "angry"), ("tags", "angry"), ("queue_hint", "parcels"), ("tags", "all"))


@pytest.mark.parametrize(
    ("compare", "bound", "value", "holds"),
    [(">=", 0.6, 0.6, True), (">", 0.6, 0.6, False), ("<", 0.6, 0.5, True), ("<=", 0.6, 0.7, False)],
)
def test_conditions_compare_as_written(compare: str, bound: float, value: float, holds: bool) -> None:
    assert Condition("anger", compare=compare, bound=bound).holds({"anger": value}) is holds


def test_headers_beat_the_model_and_people_beat_both() -> None:
    signals = _signals("parcel idiots")
    decision = decide(
        signals, Circumstances(automatic=True, corrected_topic="invoice", tags_corrected=True), RULES
    )
    assert decision.signals.kind == Signal("automatic", 0.99)
    assert decision.signals.topic == Signal("invoice", 1.0)
    assert decision.ruling.queue_hint == "general"
    assert decision.ruling.tags == ()
    assert {("kind", "header"), ("topic", "prior"), ("tags", "prior")} <= {
        (r.signal, r.source) for r in decision.reasons
    }


def test_what_cannot_be_classified_is_left_to_a_person() -> None:
    decision = decide(nothing_known("it broke", TAXONOMY, "m1"), Circumstances(), RULES)
    assert (decision.signals.kind.value, decision.signals.topic.value) == ("unsure", "unknown")
    assert "it broke" in {r.detail for r in decision.reasons}


def test_only_a_sure_language_of_the_newest_message_is_remembered() -> None:
    known = heard(Conversation("c"), Signal("it", 0.99), 5)
    assert known.language == "it"
    assert heard(known, Signal("en", 0.5), 6) == known
    assert heard(known, Signal("und", 1.0), 6) == known
    assert heard(known, Signal("en", 0.99), 4) == known
    assert heard(known, Signal("en", 0.99), 6).language == "en"


def test_corrections_hold_until_the_episode_ends_in_any_order_of_repeats() -> None:
    first = corrected(Conversation("c"), "topic", "refund", 1)
    second = corrected(first, "topic", "invoice", 2)
    assert corrected(second, "topic", "refund", 1) == second
    over = ended(second, 3)
    assert (over.corrected_topic, over.human_version) == ("", 3)
    assert corrected(over, "topic", "invoice", 2) == over
    assert ended(corrected(over, "tags", "", 4), 3).tags_corrected


def test_the_human_version_never_falls() -> None:
    assert touched(touched(Conversation("c"), 7), 3).human_version == 7
