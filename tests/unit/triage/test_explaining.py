"""Moods, words near each other, places of words, and explanations: values in, values out."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.triage.adapters.knowledge import TAXONOMY
from services.triage.adapters.plain_words import PlainWords
from services.triage.adapters.showing import shown
from services.triage.adapters.taxonomy_file import load_taxonomy
from services.triage.domain.decision import decide, nothing_known
from services.triage.domain.entities import Entity
from services.triage.domain.explaining import explain
from services.triage.domain.facts import Circumstances
from services.triage.domain.lexicon import compile_lexicon
from services.triage.domain.mood import mood_of
from services.triage.domain.nearness import near
from services.triage.domain.rules import Rule, RuleSet
from services.triage.domain.signals import Reason, Signal, Signals
from services.triage.domain.spans import with_spans
from services.triage.domain.taxonomy import Taxonomy, Thresholds, Topic
from services.triage.domain.text import read

TEXTS = Path(__file__).resolve().parents[3] / "services" / "triage" / "texts"
LANGUAGES = ("en", "it", "ro", "ar", "fr", "pt", "es", "de")
LIMITS = {"topic": 0.4, "spam": 0.4, "urgency_high": 0.35}
SIGNALS = Signals(
    language=Signal("it", 0.98),
    topic=Signal("delivery", 0.82),
    best_topic="delivery",
    kind=Signal("request", 0.97),
    urgency=Signal("high", 0.6),
    anger=0.9,
    wish_for_person=0.8,
    spam=0.01,
    known_share=0.9,
    model_version="m",
    policy_version="p",
    reasons=(
        Reason("topic", "word", "pacco", 1.5, 4, 9),
        Reason("topic", "lexicon", "courier: corriere", 1.1),
        Reason("topic", "runner_up", "order", 0.12),
        Reason("wish_for_person", "word", "persona", 2.0),
        Reason("mood_strength", "lexicon", "insult: ladri", 0.0),
    ),
    mood=Signal("angry", 0.9),
    mood_strength=0.8,
    complexity=0.7,
    entities=(
        Entity("order_number", "88123", 0, 5, 0.9, "form"),
        Entity("email", "anna@example.com", 6, 22, 0.98, "form"),
    ),
)
RULES = RuleSet("7", (Rule("vip {percent}", (), priority=2, tags=("a", "b"), skills=("vip",)),))


def test_a_decision_is_taken_apart_with_the_runner_up_and_what_it_lacked() -> None:
    found = explain(shown(decide(SIGNALS, Circumstances(), RULES)), LIMITS)
    parts = {part.signal: part for part in found.parts}
    topic = parts["topic"]
    assert (topic.value, topic.confidence, topic.threshold, topic.reached) == ("delivery", 0.82, 0.4, True)
    assert [(w.text, w.start, w.end) for w in topic.words] == [("pacco", 4, 9), ("courier: corriere", 0, 0)]
    assert topic.runner_up is not None
    assert (topic.runner_up.value, topic.runner_up.lacked) == ("order", 0.7)
    assert topic.runner_up.lacked_words == ("pacco", "courier: corriere")
    assert parts["urgency"].threshold == 0.35
    assert parts["wish_for_person"].value == "yes"
    assert parts["complexity"].confidence == 0.7
    assert {(one.field, one.value, one.rule) for one in found.set_by_rules} == {
        ("priority", "2", "vip {percent}"), ("tags", "a, b", "vip {percent}"), ("skills", "vip", "vip {percent}"),
    }  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_explanation_is_said_in_each_language_with_everything_in_its_place(language: str) -> None:
    words = PlainWords()
    detail = shown(decide(SIGNALS, Circumstances(), RULES))
    said = words.say(explain(detail, LIMITS), detail, {"delivery": "Delivery", "order": "Order"}, language)
    texts = yaml.safe_load((TEXTS / f"{language}.yaml").read_text(encoding="utf-8"))
    text = "\n".join(said)
    assert texts["topics"]["delivery"] in said[0]
    assert texts["topics"]["order"] in text
    assert "88123" in text
    assert "a…@example.com" in text
    assert "vip {percent}" in text, "what an operator wrote is no template"
    assert "anna@example.com" not in text
    assert len(re.findall(r"[{}]", text.replace("vip {percent}", ""))) == 0
    assert re.search(r"82|٨٢", text)


def test_what_a_person_set_and_what_could_not_be_read_are_said() -> None:
    words = PlainWords()
    detail = shown(decide(SIGNALS, Circumstances(corrected_topic="refund", tags_corrected=True), RULES))
    found = explain(detail, LIMITS)
    assert set(found.set_by_people) == {"topic", "tags"}
    said = words.say(found, detail, {"refund": "Refund"}, "en")
    assert said[0] == "A person has set the topic “Refund”."
    assert said[-1] == "A person has set the tags."
    taxonomy = Taxonomy("t", LANGUAGES, (Topic("a", "", ""),), Thresholds(0.4, 0.7, 0.4, 0.4, 0.35, 0.5), ())
    failed = shown(decide(nothing_known("it ended the reader twice", taxonomy, ""), Circumstances(), RULES))
    assert "it ended the reader twice" in words.say(explain(failed, {}), failed, {}, "en")[0]


def test_the_sentences_of_all_languages_have_the_same_places_to_fill() -> None:
    texts = {p.stem: yaml.safe_load(p.read_text(encoding="utf-8")) for p in TEXTS.glob("*.yaml")}
    assert set(texts) == set(LANGUAGES)
    for one in texts.values():
        assert set(one["topics"]) == set(load_taxonomy(TAXONOMY).keys)
        assert {part: set(keys) for part, keys in one.items()} == {
            part: set(k) for part, k in texts["en"].items()
        }
        for key, sentence in one["sentences"].items():
            assert set(re.findall(r"{(\w+)}", sentence)) == set(
                re.findall(r"{(\w+)}", texts["en"]["sentences"][key])
            )


def test_a_language_without_sentences_is_told_in_english() -> None:
    words = PlainWords()
    assert (words.language_for("pt-BR"), words.language_for("xx"), words.language_for("")) == (
        "pt",
        "en",
        "en",
    )


def test_words_have_their_places_in_the_text_as_it_was_given() -> None:
    text = "Wo IST mein Päckchen?\u200b Ich möchte sprechen, mit einem Menschen."
    reasons = [
        Reason("topic", "word", "packchen", 1.0),
        Reason("topic", "lexicon", "near.talk_human: sprechen … menschen", 1.0),
        Reason("topic", "word", "wo ist", 1.0),
        Reason("topic", "word", "xnum", 1.0),
        Reason("topic", "runner_up", "wo", 0.5),
        Reason("topic", "lexicon", "form.capitals", 0.5),
    ]
    places = [text[r.start : r.end] for r in with_spans(reasons, text)]
    assert places == ["Päckchen", "sprechen", "Wo IST", "", "", ""]


def test_a_wish_is_two_words_near_each_other() -> None:
    lexicon = compile_lexicon(
        "en", {"talk": ["speak"], "human": ["somebody", "human being"], "negation": ["not"], "bot": ["robot"]}
    )

    def pairs(text: str) -> set[str]:
        tokens = read(text).tokens
        return set(near(tokens, [lexicon], lexicon.hits(tokens)))

    assert pairs("let me speak, please, to a human being") == {"near.talk_human"}
    assert pairs("somebody must speak") == {"near.talk_human"}
    assert pairs("not with your robot") == {"near.no_bot"}
    assert pairs("speak " + "very " * 12 + "somebody") == set()
    assert pairs("somebody") == set()


def test_wanting_to_speak_to_somebody_is_a_chain_and_an_operator_may_stand_alone() -> None:
    lexicon = compile_lexicon(
        "de", {"wish_want": ["will"], "wish_speak": ["sprechen"], "wish_staff": ["berater", "einem berater"]}
    )

    def found(text: str) -> dict[str, tuple[str, ...]]:
        tokens = read(text).tokens
        return near(tokens, [lexicon], lexicon.hits(tokens))

    asked = found("ich will heute noch mit einem Berater sprechen")
    assert asked["wish.want_speak_staff"] == ("will … einem berater … sprechen",)
    assert "wish.staff_alone" not in asked
    assert "wish.want_speak_staff" not in found("einem Berater, der sprechen will, gebe ich recht")
    assert found("Berater bitte") == {"wish.staff_alone": ("berater",)}


@given(
    st.dictionaries(st.sampled_from(["anger", "disappointment", "joy"]), st.floats(0, 1)),
    st.dictionaries(st.sampled_from(["insult", "form.capitals", "praise", "authority"]), st.floats(0, 1)),
)
def test_a_louder_text_is_never_a_weaker_mood(chances: dict[str, float], columns: dict[str, float]) -> None:
    mood = mood_of(chances, columns)
    louder = mood_of(chances, {**columns, "form.capitals": 1.0})
    assert 0.0 <= mood.strength <= louder.strength <= 1.0
    assert (mood.strength == 0) == (mood.value == "neutral")
    assert mood.level == "none" if mood.value == "neutral" else mood.level in ("mild", "clear", "strong")
