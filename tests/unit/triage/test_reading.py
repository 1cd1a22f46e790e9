"""Texts, languages, lexicons and features: values in, values out."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triage.domain.features import LETTERS, WORDS, extract, known_share, word_bucket
from services.triage.domain.language import UNDETERMINED, decide_language
from services.triage.domain.lexicon import LexiconEntryError, compile_lexicon
from services.triage.domain.text import READ_CHARS, fold, read

LANGUAGES = ("en", "it", "ro", "ar", "fr", "pt", "es", "de")


@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_string_can_be_read(text: str) -> None:
    made = read(text)
    made.clean.encode("utf-8")
    assert "\x00" not in made.clean
    assert all(made.tokens)


@given(st.lists(st.integers(0xD800, 0xDFFF), max_size=20))
def test_lone_surrogates_vanish(codes: list[int]) -> None:
    assert read("".join(map(chr, codes))).tokens == ()


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert len(read("a" * 200_000).clean) == READ_CHARS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ștefan", "stefan"),
        ("Şi", "și"),
        ("STRASSE", "straße"),
        ("أريد", "اريد"),
        ("فاتورة", "فاتوره"),
        ("شُكْراً", "شكرا"),
        ("Cœur", "coeur"),
    ],
)
def test_spellings_that_writers_mix_are_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_numbers_addresses_and_amounts_become_place_holders() -> None:
    tokens = read(
        "order 88123, pay 12,50 € to a.b@example.com or https://example.com/x or +49 170 1234567"
    ).tokens
    assert {"xnum", "xmoney", "xmail", "xurl", "xphone"} <= set(tokens)
    assert not any(character in string.digits for token in tokens for character in token)


def _language(
    text: str, scores: dict[str, float] | None = None, prior: dict[str, float] | None = None
) -> str:
    return decide_language(
        text, languages=LANGUAGES, scores=scores or {}, prior=prior or {}, sharpness=14.0
    ).language


@pytest.mark.parametrize("text", ["", "12 34", "?!", "🙂", "\n"])
def test_a_text_without_letters_has_no_language(text: str) -> None:
    assert _language(text, {"en": 0.9}, {"it": 6.0}) == UNDETERMINED


def test_script_and_romanian_letters_are_decided_before_the_detector() -> None:
    assert _language("أين طلبي من Amazon", {"en": 0.9}) == "ar"
    assert _language("vreau să știu", {"it": 0.9}) == "ro"
    assert _language("Где моя посылка", {"en": 0.9}) == UNDETERMINED


def test_the_prior_decides_where_the_detector_hardly_does() -> None:
    scores = {"en": 0.8, "it": 0.78}
    assert _language("ok no", scores) == "en"
    assert _language("ok no", scores, {"it": 6.0}) == "it"
    assert _language("where is the parcel that I ordered", {"en": 0.9, "it": 0.2}, {"it": 6.0}) == "en"


def test_a_short_text_is_less_sure_than_a_long_one() -> None:
    def confidence(text: str) -> float:
        return decide_language(
            text, languages=LANGUAGES, scores={"es": 0.8}, prior={}, sharpness=14.0
        ).confidence

    assert confidence("hola") < confidence("hola, donde esta mi paquete")


def test_a_language_that_is_not_served_is_not_given() -> None:
    guess = decide_language("أين طلبي", languages=("en", "de"), scores={}, prior={}, sharpness=14.0)
    assert guess.language == UNDETERMINED


def test_a_language_that_is_not_served_and_beats_those_that_are_is_not_taken_for_one() -> None:
    text = "waar blijft mijn pakket"
    assert _language(text, {"de": 0.5, "nl": 0.9}) == UNDETERMINED
    assert _language(text, {"de": 0.85, "nl": 0.9}) == "de"
    assert _language("رمز عبور من کار نمی\u200cکند", {"ar": 0.3, "fa": 0.9}) == UNDETERMINED
    assert _language("Şifremi unuttum efendim", {"ro": 0.3, "tr": 0.9}) == UNDETERMINED


def test_few_letters_or_a_prior_make_a_foreign_language_harder_to_believe() -> None:
    scores = {"de": 0.5, "nl": 0.7}
    assert _language("dank u wel hoor", scores) == UNDETERMINED
    assert _language("dank", scores) == "de"
    assert _language("dank u wel hoor", scores, {"de": 6.0}) == "de"


def test_words_stems_and_phrases_fire_their_columns() -> None:
    lexicon = compile_lexicon("en", {"late": ["late", "delay*", "still not here"], "parcel": ["parcel*"]})
    assert lexicon.hits(read("My PARCELS are delayed. Still not here!").tokens) == {
        "parcel": ["parcels"],
        "late": ["delayed", "still not here"],
    }
    assert lexicon.hits(read("lately").tokens) == {}


def test_arabic_prefixes_are_taken_off() -> None:
    lexicon = compile_lexicon("ar", {"invoice": ["فاتورة"]})
    assert "invoice" in lexicon.hits(read("أريد الفاتورة").tokens)
    assert "invoice" in lexicon.hits(read("وبالفاتورة").tokens) or "invoice" in lexicon.hits(
        read("بالفاتورة").tokens
    )


@pytest.mark.parametrize("entry", ["", "*", "a*", "a* b", "x*y z"])
def test_an_entry_that_cannot_be_used_is_named(entry: str) -> None:
    with pytest.raises(LexiconEntryError, match="late"):
        compile_lexicon("en", {"late": [entry]})


@given(st.text(max_size=200))
def test_features_stay_within_their_ranges(text: str) -> None:
    features = extract(read(text), [])
    assert all(0 <= bucket < WORDS for bucket in features.words)
    assert all(0 <= bucket < LETTERS for bucket in features.letters)
    assert all(0.0 < value <= 1.0 for value in features.columns.values())
    assert all(0 <= position < len(features.tokens) for position in features.letters.values())


def test_how_a_text_is_written_is_seen() -> None:
    columns = extract(read("WHERE IS MY PARCEL??? I WAIT SINCE MONDAY!!!"), []).columns
    assert columns["form.capitals"] > 0.7
    assert columns["form.exclamations"] == 1.0
    assert "form.capitals" not in extract(read("where is my parcel"), []).columns


def test_the_share_of_known_words_leaves_out_numbers() -> None:
    known = frozenset({word_bucket("parcel")})
    assert known_share(extract(read("parcel 12345 !"), []), known) == 1.0
    assert known_share(extract(read("parcel zzkq"), []), known) == 0.5
    assert known_share(extract(read("123 ??"), []), known) == 0.0
