"""Models of any labels: trained, kept in files, judged."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triage.adapters.label_file import ARRAYS, CARD, load_labels, save_labels
from services.triage.adapters.model_file import ModelFileError
from services.triage.adapters.training.labels import TooFewLabels, spoken, train_labels
from services.triage.adapters.training.linear import choose_strengths, fit_linear
from services.triage.adapters.training.mixing import best_scale, loss
from services.triage.adapters.training.parts import Labelled
from services.triage.domain.encoding import DIMENSIONS, Floats
from services.triage.domain.features import extract
from services.triage.domain.judging import judge
from services.triage.domain.label_model import LabelModel
from services.triage.domain.text import read
from tests.support.encoders import BagOfWords

_PARTS = {
    "lost_parcel": ("my parcel is lost", "where is the parcel", "parcel never came", "the courier lost it"),
    "lower_price": ("this is too expensive", "can i get a discount", "any voucher code", "lower the price"),
    "login": ("cannot log in", "forgot my password", "the account is locked", "no code for sign in"),
}


encode = BagOfWords()


def labelled(times: int = 4) -> list[Labelled]:
    return [
        Labelled(f"{text} {n}", label, "en", extract(read(f"{text} {n}"), ()))
        for label, texts in _PARTS.items()
        for text in texts
        for n in range(times)
    ]


@pytest.fixture(scope="module")
def model() -> LabelModel:
    return train_labels(labelled(), encode, keep_texts=True).model


def test_both_tiers_name_the_label_of_a_text_never_seen(model: LabelModel) -> None:
    texts = ["the parcel got lost somewhere", "is there a discount", "my password does not work"]
    for tier in (encode, None):
        verdicts = judge([extract(read(t), ()) for t in texts], texts, ["en"] * 3, model, tier, cascade=False)
        said = [model.labels[int(i)] for i in verdicts.probabilities.argmax(axis=1)]
        assert said == ["lost_parcel", "lower_price", "login"]
        assert verdicts.encoded.all() == (tier is not None)


def test_words_count_only_in_languages_that_were_trained(model: LabelModel) -> None:
    model = replace(model, mixture=replace(model.mixture, sure=0.6))
    text, features = "my parcel is lost", extract(read("my parcel is lost"), ())
    assert model.languages == {"en"}

    login = BagOfWords(always="forgot my password")
    at_home, abroad, nowhere = (
        judge([features], [text], [code], model, login) for code in ("en", "it", "und")
    )
    said = [model.labels[int(one.probabilities[0].argmax())] for one in (at_home, abroad)]
    assert said == ["lost_parcel", "login"]
    assert [bool(one.encoded[0]) for one in (at_home, abroad)] == [False, True]
    assert nowhere.probabilities[0] == pytest.approx(at_home.probabilities[0])


def test_in_each_language_a_model_is_as_sure_as_it_is_right_there_and_few_texts_tell_nothing(
    tmp_path: Path,
) -> None:
    rows = labelled(12)
    # The same texts in other languages, of which every other one has another label.
    astray = [
        replace(
            row, language="it", label=rows[(at + len(rows) // 3) % len(rows)].label if at % 2 else row.label
        )
        for at, row in enumerate(rows)
    ]
    few = [replace(row, language="fr") for row in astray[:60]]
    found = save_labels(train_labels([*rows, *astray, *few], encode).model, tmp_path, {})
    assert {name for name in found.confidence if name.startswith("language:")} == {
        "language:en",
        "language:it",
    }

    def sure(code: str) -> float:
        texts = [row.text for row in rows]
        features = [row.features for row in rows]
        return float(
            judge(features, texts, [code] * len(rows), found, encode, cascade=False).confidence.mean()
        )

    assert sure("en") > 0.85
    assert sure("it") == pytest.approx(0.5, abs=0.12)
    assert sure("it") < sure("fr") < sure("en")


def test_a_language_of_few_texts_is_read_as_one_that_was_not_trained(tmp_path: Path) -> None:
    rows = labelled(20)
    few = [replace(row, language="it") for row in labelled(1)]
    encoder = BagOfWords(second=True)
    found = save_labels(train_labels([*rows, *few], encoder).model, tmp_path, {})
    assert sorted(found.languages) == ["en", "it"]
    assert sorted(found.thin) == ["it"]
    assert set(encoder.across_languages) == {"it"}
    assert len(encoder.across_languages) == len(few)
    texts = ["my parcel is lost"] * 3
    encoder.across_languages.clear()
    judge([extract(read(t), ()) for t in texts], texts, ["en", "it", "fr"], found, encoder, cascade=False)
    assert encoder.across_languages == ["it", "fr"]


def test_of_few_examples_both_encoders_read_every_text_side_by_side(tmp_path: Path) -> None:
    both, one = BagOfWords(second=True), BagOfWords()
    few = save_labels(train_labels(labelled(3), both).model, tmp_path, {})
    texts = ["my parcel is lost", "forgot my password"]
    features = [extract(read(text), ()) for text in texts]
    said = []
    for encoder in (both, one):
        encoder.beside_texts.clear()
        verdicts = judge(features, texts, ["en", "fr"], few, encoder, cascade=False)
        said.append([few.labels[int(i)] for i in verdicts.probabilities.argmax(axis=1)])
        # Of a language that was not trained nothing is read that has no meaning across languages.
        assert encoder.beside_texts == (texts[:1] if encoder is both else [])
    assert said == 2 * [["lost_parcel", "login"]]


class OneKnowsMore:
    """Of a text such as "dim q31" the first encoder knows the class, 31 modulo 4, only where it is "clear", the second
    always, if `knows`."""

    second = True

    def __init__(self, *, knows: bool = True) -> None:
        self.knows = knows
        self.read_again: list[str] = []

    def __call__(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        return self._seen([text.startswith("clear") for text in texts], texts, 0)

    across = __call__

    def beside(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        self.read_again += texts
        return self._seen([self.knows] * len(texts), texts, 100)

    @staticmethod
    def _seen(known: Sequence[bool], texts: Sequence[str], first: int) -> Floats:
        found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, (yes, text) in enumerate(zip(known, texts, strict=True)):
            number = re.fullmatch(r"(?:clear|dim) q(\d+)", text)
            found[row, first + (1 + int(number[1]) % 4 if yes and number else 0)] = 1.0
        return found


def of_four(count: int, start: int = 0) -> list[Labelled]:
    """Words tell nothing of their labels."""
    rows = [("dim" if i % 3 else "clear", i) for i in range(start, start + count)]
    return [
        Labelled(f"{how} q{i}", "abcd"[i % 4] * 2, "en", extract(read(f"{how} q{i}"), ())) for how, i in rows
    ]


def test_what_is_not_sure_is_read_again_by_both_encoders_where_that_tells_more(tmp_path: Path) -> None:
    encoder = OneKnowsMore()
    trained = train_labels(of_four(480), encoder)
    found = save_labels(trained.model, tmp_path, {})
    assert found.rereading is not None
    assert 0.0 < found.rereading.below < 1.0
    rows = of_four(48, start=1_000)
    texts, features = [row.text for row in rows], [row.features for row in rows]
    encoder.read_again.clear()
    verdicts = judge(features, texts, ["en"] * 48, found, encoder)
    assert encoder.read_again == [text for text in texts if text.startswith("dim")]
    assert verdicts.reread.tolist() == [text.startswith("dim") for text in texts]
    assert [found.labels[i] for i in verdicts.probabilities.argmax(axis=1).tolist()] == [
        row.label for row in rows
    ]
    # The figures of the training are of the same two readings.
    assert [found.labels[i] for i in trained.held.argmax(axis=1).tolist()] == [
        row.label for row in trained.rows
    ]
    assert verdicts.confidence.min() > 0.8
    assert verdicts.outside.max() < 0.5


def test_nothing_is_read_again_where_it_tells_no_more() -> None:
    encoder = OneKnowsMore(knows=False)
    found = train_labels(of_four(480), encoder).model
    assert found.rereading is None
    encoder.read_again.clear()
    rows = of_four(12, start=1_000)
    judge([row.features for row in rows], [row.text for row in rows], ["en"] * 12, found, encoder)
    assert encoder.read_again == []


@pytest.mark.parametrize("apart", [0.6, 1.2, 3.0])
def test_what_shall_hold_in_other_languages_is_held_back_as_far_as_it_costs_nothing(apart: float) -> None:
    source = np.random.default_rng(3)
    wanted = np.arange(600) % 4
    vectors = source.normal(size=(600, 32)) + apart * np.eye(4, 32)[wanted]
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    folds, strengths = (np.arange(600) // 4) % 3, (0.3, 1.0, 3.0, 10.0, 30.0)
    found = choose_strengths(vectors, wanted, folds, 4, strengths, 32)

    def held_out(strength: float) -> tuple[float, float]:
        weights, bias = fit_linear(vectors[folds > 0], wanted[folds > 0], 4, strength, many=False)
        scores, labels = vectors[folds == 0] @ weights + bias, wanted[folds == 0]
        scale = best_scale(scores, labels)
        return loss(scores * scale, labels), scale

    losses = {strength: held_out(strength)[0] for strength in strengths}
    assert losses[found.near] == min(losses.values())
    almost = [strength for strength in strengths if losses[strength] <= losses[found.near] + 0.05]
    assert found.far == almost[0]
    assert found.far_scale == pytest.approx(held_out(found.far)[1] / held_out(found.near)[1], rel=1e-6)


_WORDS = sorted({word for texts in _PARTS.values() for text in texts for word in text.split()})
_TEXTS = st.lists(st.one_of(st.sampled_from(_WORDS), st.text(max_size=12)), max_size=6).map(" ".join)


@given(st.lists(_TEXTS, min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_batch_says_of_any_text_what_it_says_of_it_alone(model: LabelModel, texts: list[str]) -> None:
    model = replace(model, mixture=replace(model.mixture, sure=0.6))
    features = [extract(read(text), ()) for text in texts]
    together = judge(features, texts, ["en"] * len(texts), model, encode)
    assert np.allclose(together.probabilities.sum(axis=1), 1.0, atol=1e-4)
    for figures in (together.confidence, together.outside):
        assert ((figures >= 0) & (figures <= 1)).all()
    for index, (one, text) in enumerate(zip(features, texts, strict=True)):
        alone = judge([one], [text], ["en"], model, encode)
        assert alone.probabilities[0] == pytest.approx(together.probabilities[index], abs=1e-4)
        assert alone.confidence[0] == pytest.approx(together.confidence[index], abs=1e-4)


def test_a_text_without_a_known_word_is_never_sure_by_words_alone(model: LabelModel) -> None:
    verdicts = judge([extract(read("qqq zzz"), ())], ["qqq zzz"], ["en"], model, None)
    assert verdicts.confidence[0] <= 1 / (1 + len(model.labels))


def test_two_labels_alike_share_the_belief() -> None:
    rows = labelled()
    twins = [
        Labelled(row.text, f"{row.label} {side}", "en", row.features) for row in rows for side in ("a", "b")
    ]
    found = train_labels(twins, encode).model
    text = "where is the parcel 1"
    verdicts = judge([extract(read(text), ())], [text], ["en"], found, encode, cascade=False)
    assert verdicts.confidence[0] < 0.75


def test_a_label_with_one_example_can_be_learnt_by_its_name() -> None:
    rows = [*labelled(), Labelled("hallo", "broken_screen", "en", extract(read("hallo"), ()))]
    found = train_labels(rows, encode).model
    text = "my broken screen"
    verdicts = judge([extract(read(text), ())], [text], ["en"], found, encode, cascade=False)
    assert found.labels[int(verdicts.probabilities[0].argmax())] == "broken_screen"


def test_a_few_texts_that_are_all_right_do_not_make_everything_certain() -> None:
    few = [
        Labelled(text, label, "en", extract(read(text), ()))
        for label in ("lost_parcel", "login")
        for text in (f"{label} one", f"{label} two", f"{label} three", f"{label} four")
    ]
    found = train_labels(few, BagOfWords()).model
    texts = ["login two", "login of a strange kind about lost things"]
    features = [extract(read(text), ()) for text in texts]
    known, strange = judge(features, texts, ["en"] * 2, found, BagOfWords(), cascade=False).confidence
    assert strange < 0.9 < known


def test_one_label_teaches_nothing_and_the_refusal_names_it() -> None:
    with pytest.raises(TooFewLabels, match="login"):
        train_labels([row for row in labelled() if row.label == "login"], encode)


def test_the_same_rows_give_the_same_model() -> None:
    first, second = (train_labels(labelled(), encode).model for _ in range(2))
    assert np.array_equal(first.weights, second.weights)
    assert first.mixture == second.mixture


def test_a_saved_model_says_the_same_and_keeps_its_version(model: LabelModel, tmp_path: Path) -> None:
    saved = save_labels(model, tmp_path, {})
    again = load_labels(tmp_path)
    assert again.version == saved.version
    texts = ["the parcel got lost", "discount please"]
    features = [extract(read(t), ()) for t in texts]
    before, after = (judge(features, texts, ["en"] * 2, one, encode, cascade=False) for one in (model, again))
    assert after.probabilities == pytest.approx(before.probabilities, abs=0.02)
    assert save_labels(model, tmp_path / "twice", {}).version == saved.version


def test_a_torn_file_is_refused_with_its_name(model: LabelModel, tmp_path: Path) -> None:
    save_labels(model, tmp_path, {})
    whole = (tmp_path / ARRAYS).read_bytes()
    (tmp_path / ARRAYS).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFileError, match="is torn or of another training"):
        load_labels(tmp_path)
    (tmp_path / ARRAYS).write_bytes(whole)
    (tmp_path / CARD).write_bytes((tmp_path / CARD).read_bytes()[:100])
    with pytest.raises(ModelFileError, match="train it again"):
        load_labels(tmp_path)


def test_a_file_of_another_version_is_refused_with_both_versions(model: LabelModel, tmp_path: Path) -> None:
    save_labels(model, tmp_path, {})
    card = json.loads((tmp_path / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps(card | {"format": 99}))
    with pytest.raises(ModelFileError, match="format 99, this program reads 1"):
        load_labels(tmp_path)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("card_arrival", "card arrival"),
        ("GetQuote", "get quote"),
        ("weather/find", "weather find"),
        ("17", ""),
        ("a1", ""),
    ],
)
def test_labels_are_read_as_words_where_they_are_words(label: str, words: str) -> None:
    assert spoken(label) == words
