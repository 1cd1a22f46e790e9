"""What the encoder adds to the signals that are yes or no: values in, values out."""

from collections.abc import Sequence

import numpy as np
import pytest

from services.triage.domain.encoding import DIMENSIONS, Floats
from services.triage.domain.model import Scores
from services.triage.domain.overtones import Overtones, with_overtones

_WEIGHTS = np.zeros((DIMENSIONS, 1), dtype=np.float32)
_WEIGHTS[0, 0] = 2.0
_ONE = np.ones(1, dtype=np.float32)
OVERTONES = Overtones("o1", ("anger",), _WEIGHTS, 0 * _ONE, _ONE, 3 * _ONE, -1 * _ONE)


class Shouting:
    """A text that shouts points one way, any other the other way."""

    second = False

    def __call__(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        found[:, 0] = [1.0 if text.isupper() else -1.0 for text in texts]
        return found

    across = beside = __call__


encode = Shouting()


def scores(anger: float) -> Scores:
    return Scores({"anger": {"anger": anger}, "person": {"person": 0.2}}, 0.5, 1.0)


def test_the_log_odds_of_words_and_encoder_are_added() -> None:
    shouted, said = with_overtones(
        [scores(0.5), scores(0.5)], ["WHERE", "where"], ["en", "it"], OVERTONES, encode
    )
    assert shouted.probabilities["anger"]["anger"] == pytest.approx(1 / (1 + np.exp(-5.0)))
    assert said.probabilities["anger"]["anger"] == pytest.approx(1 / (1 + np.exp(7.0)))
    assert shouted.probabilities["person"] == {"person": 0.2}


def test_words_alone_are_believed_in_no_language_served_and_without_an_encoder() -> None:
    before = [scores(0.5), scores(0.9)]
    foreign, home = with_overtones(before, ["WHERE", "WHERE"], ["und", "en"], OVERTONES, encode)
    assert foreign == before[0]
    assert home != before[1]
    assert with_overtones(before, ["WHERE", "A"], ["en", "en"], OVERTONES, None) == before
    assert with_overtones(before, ["WHERE", "A"], ["en", "en"], None, encode) == before
    assert with_overtones([], [], [], OVERTONES, encode) == []
