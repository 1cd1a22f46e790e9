"""A wish for a person hidden in a long message: values in, values out."""

from collections.abc import Sequence

import numpy as np
import pytest

from services.triage.domain.encoding import DIMENSIONS, Floats
from services.triage.domain.model import Scores
from services.triage.domain.overtones import Overtones, with_overtones
from services.triage.domain.wish import Wish, sentences

_ASKS = np.eye(1, DIMENSIONS, 0, dtype=np.float32)
_NONE = np.zeros(0, dtype=np.float32)
WISH = Wish(_ASKS, np.ones(1, dtype=np.float32), -0.5, 2.0, 1.0, 10.0, 0.0)
OVERTONES = Overtones("o1", (), np.zeros((DIMENSIONS, 0), dtype=np.float32), *4 * (_NONE,), wish=WISH)


class Encoder:
    """A text that begins with an operator is the example; of any other nothing is known. It remembers what it read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        self.read += texts
        asks = [text.startswith("Operator") for text in texts]
        return np.eye(2, DIMENSIONS, dtype=np.float32)[[0 if ask else 1 for ask in asks]]


def chance(text: str, by_words: float, encoder: Encoder) -> float:
    scores = Scores({"person": {"person": by_words}}, 0.5, 1.0)
    (found,) = with_overtones([scores], [text], ["en"], OVERTONES, encoder)
    return found.probabilities["person"]["person"]


def test_likeness_to_an_example_and_the_words_are_added() -> None:
    assert chance("Operator", 0.5, Encoder()) == pytest.approx(1 / (1 + np.exp(-5.0)))
    assert chance("Operator", 0.2, Encoder()) < chance("Operator", 0.8, Encoder())


def test_one_sentence_of_a_message_is_enough() -> None:
    assert chance("My parcel is late. Operator!", 0.9, Encoder()) > 0.9
    assert chance("My parcel is late. Where is it?", 0.9, Encoder()) < 0.5


def test_sentences_of_a_message_without_any_sign_of_a_wish_are_not_encoded() -> None:
    encoder = Encoder()
    chance("My parcel is late. Operator!", 0.01, encoder)
    assert encoder.read == ["My parcel is late. Operator!"]


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
