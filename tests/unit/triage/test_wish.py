"""A wish for a person hidden in a long message: values in, values out."""

from collections.abc import Sequence

import numpy as np
import pytest

from services.triage.domain.encoding import DIMENSIONS, Floats
from services.triage.domain.model import Scores
from services.triage.domain.overtones import Overtones, with_overtones
from services.triage.domain.wish import Joint, Machine, Wish, sentences

_ASKS = np.eye(1, DIMENSIONS, 0, dtype=np.float32)
_NONE = np.zeros(0, dtype=np.float32)
_HEARS = Machine(_ASKS, np.ones(1, dtype=np.float32), -0.5, 2.0)
WISH = Wish(_HEARS, Joint((1.0, 10.0), 0.0), _HEARS, Joint((1.0, 10.0, 20.0), 0.0))
OVERTONES = Overtones("o1", (), np.zeros((DIMENSIONS, 0), dtype=np.float32), *4 * (_NONE,), wish=WISH)


class Ears:
    """A text that begins with an operator is the example, one with perhaps is half like it; of any other nothing is known.
    The second encoder hears the example in "please" as well. They remember what they read."""

    def __init__(self, *, second: bool = False) -> None:
        self.second = second
        self.read: list[str] = []
        self.read_again: list[str] = []

    def __call__(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        self.read += texts
        return self._heard([1.0 if t.startswith("Operator") else t.startswith("Perhaps") / 2 for t in texts])

    across = __call__

    def beside(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        self.read_again += texts
        return self._heard([float("lease" in text) for text in texts])

    @staticmethod
    def _heard(asks: Sequence[float]) -> Floats:
        found = np.zeros((len(asks), DIMENSIONS), dtype=np.float32)
        found[:, 0], found[:, 1] = asks, 1 - np.array(asks)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def chance(text: str, by_words: float, encoder: Ears) -> float:
    scores = Scores({"person": {"person": by_words}}, 0.5, 1.0)
    (found,) = with_overtones([scores], [text], ["en"], OVERTONES, encoder)
    return found.probabilities["person"]["person"]


def test_likeness_to_an_example_and_the_words_are_added() -> None:
    assert chance("Operator", 0.5, Ears()) == pytest.approx(1 / (1 + np.exp(-5.0)))
    assert chance("Operator", 0.2, Ears()) < chance("Operator", 0.8, Ears())


def test_one_sentence_of_a_message_is_enough() -> None:
    assert chance("My parcel is late. Operator!", 0.9, Ears()) > 0.9
    assert chance("My parcel is late. Where is it?", 0.9, Ears()) < 0.5


def test_the_second_encoder_is_asked_where_the_first_leaves_it_open() -> None:
    open_, sure, none = (Ears(second=True) for _ in range(3))
    assert chance("Somebody please", 0.99, open_) > 0.9 > chance("Somebody please", 0.99, Ears())
    assert open_.read_again == ["Somebody please"]
    assert chance("Operator", 0.5, sure) > 0.97
    assert chance("Somebody please", 0.5, none) < 0.1
    assert sure.read_again == none.read_again == []


def test_of_a_long_text_the_second_encoder_reads_the_loudest_sentence() -> None:
    story, wish = "It is late and nobody knows why. ", "Perhaps somebody please."
    short, long_ = Ears(second=True), Ears(second=True)
    chance(f"{story}{wish}", 0.88, short)
    chance(f"{4 * story}{wish}", 0.88, long_)
    assert short.read_again == [f"{story}{wish}"]
    assert long_.read_again == [wish]


def test_a_message_without_any_sign_of_a_wish_is_read_once() -> None:
    encoder = Ears(second=True)
    chance("My parcel is late. Operator!", 0.01, encoder)
    assert encoder.read == ["My parcel is late. Operator!"]
    assert encoder.read_again == []


def test_what_is_heard_of_a_message_does_not_depend_on_those_read_with_it() -> None:
    texts = ["No.", "It is late. Operator!", "", "Please. Where? Now!", "Operator"]
    scores = [Scores({"person": {"person": 0.99}}, 0.5, 1.0)] * len(texts)
    together = with_overtones(scores, texts, ["en"] * len(texts), OVERTONES, Ears(second=True))
    alone = [chance(text, 0.99, Ears(second=True)) for text in texts]
    assert [one.probabilities["person"]["person"] for one in together] == pytest.approx(alone)


def test_sentences_end_at_marks_and_lines_and_quotations_are_left_out() -> None:
    assert sentences("One. Two! ثلاثة؟ four\nfive\n> an earlier mail. Its end.") == [
        "One.",
        "Two!",
        "ثلاثة؟",
        "four",
        "five",
    ]
    assert sentences("") == []
    many = sentences(" ".join(f"Number {n}." for n in range(100)))
    assert (len(many), many[0], many[-1]) == (12, "Number 0.", "Number 99.")
