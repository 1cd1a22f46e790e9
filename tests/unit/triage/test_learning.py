"""What is learnt from tickets and corrections, as rules over values."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.agent.domain.asking import asked
from services.agent.domain.timeline import Entry
from services.triage.adapters.labelled_files import Dirty, Labelled, Row
from services.triage.adapters.learning.tickets import key_of, sift
from services.triage.adapters.lessons import Lessons
from services.triage.domain.clusters import clusters
from services.triage.domain.judged import Judged, answered, by_topic, compare, confusions, reliability
from services.triage.domain.overlay import Lesson, Overlay, counts, overlaid, taught, words_of
from services.triage.domain.signals import UNKNOWN, Reason, Signal, Signals

_TEXTS = ["where is it", "WHERE is it?", "my bill", "cancel", "größe", "", "42", "أين طردي"]
_TOPICS = frozenset({"a", "b", "c"})


def _file(pairs: list[tuple[str, str]]) -> Labelled:
    rows = [Row(i, i + 1, text, label, "") for i, (text, label) in enumerate(pairs, 1)]
    return Labelled(Path("t.csv"), rows, [Dirty(1, "no text")])


def _signals(topic: str, confidence: float = 0.6) -> Signals:
    return Signals(
        language=Signal("en", 0.9),
        topic=Signal(topic, confidence),
        best_topic="a",
        kind=Signal("request", 0.9),
        urgency=Signal("normal", 0.9),
        anger=0.0,
        wish_for_person=0.0,
        spam=0.0,
        known_share=1.0,
        model_version="m",
        policy_version="p",
        reasons=(Reason("topic", "threshold", "too low", 0.4),),
    )


def _lesson(number: int, text: str, topic: str, source: str = "") -> Lesson:
    return Lesson(number, source or f"c{number}/m", text, "en", topic)


@given(st.lists(st.tuples(st.sampled_from(_TEXTS), st.sampled_from(["A", "a ", "B", "oos", "C-1", "c_1"]))))
def test_every_row_of_a_file_is_learnt_told_or_a_repetition(pairs: list[tuple[str, str]]) -> None:
    found = sift(_file(pairs))
    assert len(found.rows) + len(found.skipped) + found.repeated == len(pairs) + 1
    assert all(one.reason for one in found.skipped)
    labels: dict[str, set[str]] = {}
    for row in found.rows:
        labels.setdefault(words_of(row.text) or row.text, set()).add(row.label)
    assert all(len(mine) == 1 for mine in labels.values())
    assert all(n > 1 for label, n in Counter(r.label for r in found.rows).items() if label != "oos")
    assert {row.label for row in found.rows} - {"oos"} == set(found.names)


def test_what_cannot_be_learnt_is_told_with_its_line_and_the_other_line() -> None:
    pairs = [("where is it", "A"), ("x y", "A"), ("Where IS it?", "B"), ("z", "B"), ("w", "B"), ("v", "rare")]
    found = sift(_file(pairs))
    assert [(one.line, one.reason) for one in found.skipped] == [
        (1, "no text"),
        (2, "the same text has label 'a' here and 'b' on line 4"),
        (3, "the only example of label 'A'; at least two are needed"),
        (4, "the same text has label 'b' here and 'a' on line 2"),
        (7, "the only example of label 'rare'; at least two are needed"),
    ]


def test_labels_that_are_no_topic_of_the_operators_taxonomy_are_told() -> None:
    found = sift(_file([("a b", "Refund"), ("c d", "REFUND"), ("e f", "money")]), {"refund": "Refund"})
    assert [row.label for row in found.rows] == ["refund", "refund"]
    assert (4, "label 'money' is no topic of the taxonomy") in [(o.line, o.reason) for o in found.skipped]


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("account.access", "account.access"),
        ("Refund not showing up?", "refund_not_showing_up"),
        ("Kündigung / Größe", "kundigung_grosse"),
        ("unknown", "topic_23a8d4aab1"),
    ],
)
def test_a_label_becomes_a_key(label: str, key: str) -> None:
    assert key_of(label)[:6] == key[:6]
    if not key.startswith("topic_"):
        assert key_of(label) == key


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_keys_fit_the_taxonomy_and_labels_in_other_scripts_stay_apart(one: str, other: str) -> None:
    rows = [("a b", one), ("c d", one), ("e f", other), ("g h", other)]
    found = sift(_file(rows))
    assert all(key.replace("_", "").replace(".", "").isascii() and len(key) <= 64 for key in found.names)
    plain = {" ".join(label.casefold().replace("_", " ").replace("-", " ").split()) for label in (one, other)}
    if len(plain) == 2 and all(plain) and not plain & {"oos", "out of scope"}:
        assert len(found.names) == 2


_judged = st.lists(
    st.builds(
        Judged,
        key=st.sampled_from([str(n) for n in range(12)]),
        label=st.sampled_from(["a", "b"]),
        said=st.sampled_from(["a", "b", "c"]),
        confidence=st.floats(0, 1),
        language=st.just("en"),
        check=st.booleans(),
    ),
    unique_by=lambda j: j.key,
)


@given(_judged, _judged)
def test_what_one_model_gains_on_another_is_what_the_other_loses(
    one: list[Judged], two: list[Judged]
) -> None:
    there, back = compare(one, two), compare(two, one)
    assert (set(there.gained), set(there.lost)) == (set(back.lost), set(back.gained))
    assert there.texts == back.texts
    same = compare(one, one)
    assert (same.worse, list(same.gained), list(same.lost)) == (False, [], [])
    if there.texts:
        change = (len(there.gained) - len(there.lost)) / there.texts
        assert there.after["accuracy"] - there.before["accuracy"] == pytest.approx(change)


@given(_judged)
def test_figures_by_topic_add_up(judged: list[Judged]) -> None:
    right = sum(j.label == j.said for j in judged)
    topics = by_topic(judged)
    assert sum(t.texts for t in topics) == len(judged)
    assert sum(t.recall * t.texts for t in topics if t.texts) == pytest.approx(right)
    assert sum(n for _, _, n in confusions(judged, 100)) == len(judged) - right
    assert sum(b.texts for b in reliability(judged)) == len(judged)
    assert all(b.low - 1e-9 <= b.confidence <= b.high + 1e-9 for b in reliability(judged))
    if judged:
        assert answered(judged, 0.0)[0] == 1.0
        assert answered(judged, 0.0)[1] == pytest.approx(right / len(judged))


_lessons = st.lists(
    st.builds(
        _lesson,
        number=st.integers(1, 50),
        text=st.sampled_from(_TEXTS),
        topic=st.sampled_from(["a", "b", ""]),
        source=st.sampled_from(["c1/m", "c2/m", "c3/m"]),
    ),
    unique_by=lambda lesson: lesson.number,
)


def _taught(overlay: Overlay, lessons: list[Lesson]) -> Overlay:
    return taught(overlay, lessons, ["a"] * len(lessons), None, 100)


@given(_lessons, st.integers(0, 10))
def test_lessons_count_the_same_however_they_arrive(lessons: list[Lesson], cut: int) -> None:
    ordered = sorted(lessons, key=lambda one: one.number)
    whole = _taught(Overlay(), ordered)
    parts = _taught(_taught(Overlay(), ordered[:cut]), ordered[cut:])
    assert {(x.source, x.topic) for x in parts.lessons} == {(x.source, x.topic) for x in whole.lessons}
    newest = {x.source: x for x in ordered}
    assert {x.source for x in whole.lessons} == {s for s, x in newest.items() if x.topic}
    assert len(parts.vectors) == len(parts.lessons)


@given(_lessons)
def test_the_same_words_get_the_newest_correction(lessons: list[Lesson]) -> None:
    overlay = _taught(Overlay(), lessons)
    for text in _TEXTS:
        (found,) = overlaid([text], [_signals("c")], overlay, _TOPICS, None)
        told = [x for x in overlay.lessons if words_of(x.text) and words_of(x.text) == words_of(text)]
        assert found.topic.value == (told[-1].topic if told else "c")
        assert (found.reasons[0].source == "correction") == bool(told)


def test_a_similar_message_counts_where_the_model_knows_nothing_or_makes_the_same_mistake() -> None:
    vectors = {
        "parcel lost": (1.0, 0.0),
        "parcel gone": (0.62, 0.7846),
        "parcel late": (0.85, 0.53),
        "x y": (0.0, 1.0),
    }

    def encode(texts: object, _languages: object) -> np.ndarray:
        found = np.zeros((len(list(texts)), 512), dtype=np.float32)  # type: ignore[call-overload]  # a sequence
        for i, text in enumerate(texts):  # type: ignore[arg-type, var-annotated]  # a sequence
            found[i, :2] = vectors[text]
        return found

    overlay = taught(Overlay(), [_lesson(1, "parcel lost", "b")], ["a"], encode, 100)
    texts = ["parcel late", "parcel late", "parcel late", "parcel gone", "x y"]
    before = [_signals(one) for one in (UNKNOWN, "a", "c", UNKNOWN, UNKNOWN)]
    found = overlaid(texts, before, overlay, _TOPICS, encode)
    assert [one.topic.value for one in found] == ["b", "b", "c", UNKNOWN, UNKNOWN]
    assert found[0].reasons[0].detail == "a person corrected a similar message in c1"
    assert not any(reason.source == "threshold" for reason in found[0].reasons)
    assert overlaid(texts, before, overlay, frozenset({"a"}), encode) == before


_twentieths = st.integers(10, 20).map(lambda n: n / 20)


@given(st.sampled_from(["a", UNKNOWN]), _twentieths, _twentieths)
def test_more_likeness_never_counts_less(said: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert counts(said, "b", "a", high) >= counts(said, "b", "a", low)
    assert not counts("b", "b", "a", high)


@settings(max_examples=50)
@given(_lessons, st.integers(1, 4))
def test_every_process_hears_every_lesson_once_and_in_order(lessons: list[Lesson], most: int) -> None:
    kept = Lessons()
    kept.add(lessons)
    kept.add(lessons)
    heard, position = [], 0
    while position < kept.position:
        part, position = kept.after(position, most)
        heard += part
    assert [one.number for one in heard] == sorted(one.number for one in lessons) or len(heard) <= len(
        lessons
    )
    newest = {one.source: one for one in sorted(lessons, key=lambda one: one.number)}
    assert {one.source: one for one in heard} == newest


def _entry(seq: int, text: str, subject: str = "") -> Entry:
    return Entry(f"m{seq}", "c", seq, seq, 0, "", "chat", "", False, False, subject, text, False, 0)


def test_a_greeting_is_joined_with_what_follows_it() -> None:
    assert asked([_entry(1, "hello"), _entry(2, "my parcel is lost"), _entry(3, "bye")]) == (
        "m1",
        "hello\nmy parcel is lost",
    )
    assert asked([_entry(1, "please send my invoice again", "Invoice")])[1].startswith("Invoice\n")
    assert asked([]) == ("", "")
    assert len(asked([_entry(1, "x " * 9_000)])[1]) <= 4_000


@given(st.lists(st.sampled_from(range(4)), max_size=25), st.integers(2, 5))
def test_groups_hold_each_text_once_and_only_what_is_alike(kinds: list[int], least: int) -> None:
    vectors = np.zeros((len(kinds), 512), dtype=np.float32)
    vectors[np.arange(len(kinds)), kinds] = 1.0
    texts = [f"text about matter{'abcd'[kind]} number {n}" for n, kind in enumerate(kinds)]
    found = clusters(texts, vectors, alike=0.6, least=least, most=10)
    rows = [row for group in found for row in group.rows]
    assert len(rows) == len(set(rows))
    assert {kinds[group.rows[0]] for group in found} == {k for k, n in Counter(kinds).items() if n >= least}
    for group in found:
        assert len({kinds[row] for row in group.rows}) == 1
    if len(found) > 1:
        assert found[0].words[0] == f"matter{'abcd'[kinds[found[0].rows[0]]]}"
