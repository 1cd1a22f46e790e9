"""The texts that ship, and what is refused."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.survey.adapters.texts import read_definitions
from services.survey.domain.definitions import definition_from

FILE = Path(__file__).resolve().parents[3] / "services" / "survey" / "data" / "csat.yaml"
SHIPPED: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def test_the_shipped_survey_speaks_eight_languages() -> None:
    definition = read_definitions()["csat"]
    assert sorted(definition.texts) == ["ar", "de", "en", "es", "fr", "it", "pt", "ro"]
    assert definition.scale_max == 5
    invitations = [texts.invitation for texts in definition.texts.values()]
    assert len(set(invitations)) == 8
    assert all(len(set(texts.labels)) == 5 for texts in definition.texts.values())
    arabic = definition.texts["ar"]
    assert all(re.search("[\u0600-\u06ff]", text) for text in (arabic.title, arabic.gone, *arabic.labels))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(("pt-BR", "en"), "pt"), (("AR", "en"), "ar"), (("zh_Hant", "de"), "de"), (("und", "", "ro"), "ro")],
)
def test_the_first_language_with_texts_is_taken(wanted: tuple[str, ...], found: str) -> None:
    assert read_definitions()["csat"].language_for(*wanted) == found


def test_a_default_language_without_texts_is_refused() -> None:
    with pytest.raises(ValueError, match="no texts in 'fi'"):
        read_definitions()["csat"].language_for("xx", "fi")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("invitation", "no place for it", "{link} once"),
        ("invitation", "{link} {link}", "{link} once"),
        ("labels", ["a", "b"], "2 labels for 5 scores"),
        ("until", "soon", "{date}"),
        ("title", "", "empty: title"),
        ("surprise", "x", "surprise"),
        ("gone", None, "gone"),
    ],
)
def test_wrong_texts_are_refused_and_named(field: str, value: object, said: str) -> None:
    broken = copy.deepcopy(SHIPPED)
    broken["texts"]["it"][field] = value
    with pytest.raises(ValueError, match="language 'it'") as caught:
        definition_from(broken)
    assert said in str(caught.value)
