"""What a survey asks and how it says so in each language."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

LINK: Final = "{link}"
RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ur"})


@dataclass(frozen=True, slots=True)
class Texts:
    """Every sentence a customer reads, in one language."""

    name: str
    """The language in its own words."""
    invitation: str
    """Goes with the link, which stands where `{link}` is."""
    title: str
    question: str
    labels: tuple[str, ...]
    """One for each score, worst first."""
    comment_label: str
    comment_hint: str
    submit: str
    change: str
    choose: str
    """Said when the form comes without a score."""
    too_long: str
    thanks: str
    thanks_more: str
    until: str
    """With `{date}`, the last day to answer."""
    private: str
    gone: str
    gone_more: str
    busy: str
    languages: str
    """Name of the list of languages, for screen readers."""
    optional: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A survey. Scores go from 1 (worst) to `scale_max` (best)."""

    key: str
    title: str
    scale_max: int
    texts: Mapping[str, Texts]

    def language_for(self, *wanted: str) -> str:
        """The first of these languages, as `pt-BR` or `pt`, that has texts. The last must have."""
        for language in wanted:
            base = language.replace("_", "-").split("-")[0].strip().lower()
            if base in self.texts:
                return base
        raise ValueError(
            f"survey {self.key!r} has no texts in {wanted[-1]!r}; it has {', '.join(self.texts)}"
        )


def definition_from(value: Mapping[str, Any]) -> Definition:
    """Checks a definition as read from its file. Raises ValueError that says what is wrong and where."""
    key, scale_max = str(value["key"]), int(value["scale_max"])
    if not 2 <= scale_max <= 11:
        raise ValueError(f"survey {key!r}: scale_max is {scale_max}; expected 2 to 11")
    texts = {language: _texts(key, language, given, scale_max) for language, given in value["texts"].items()}
    if not texts:
        raise ValueError(f"survey {key!r} has no texts")
    return Definition(key, str(value["title"]), scale_max, texts)


def _texts(key: str, language: str, given: Mapping[str, Any], scale_max: int) -> Texts:
    where = f"survey {key!r}, language {language!r}"
    names = {field.name for field in fields(Texts)}
    _expect(where, names ^ set(given), "missing or not known")
    _expect(where, (name for name in names if not given[name]), "empty")
    if len(given["labels"]) != scale_max:
        raise ValueError(f"{where}: {len(given['labels'])} labels for {scale_max} scores")
    if given["invitation"].count(LINK) != 1:
        raise ValueError(f"{where}: invitation must hold {LINK} once")
    if "{date}" not in given["until"]:
        raise ValueError(f"{where}: until must hold {{date}}")
    return Texts(**{**given, "labels": tuple(given["labels"])})


def _expect(where: str, wrong: Iterable[str], what: str) -> None:
    if listed := sorted(wrong):
        raise ValueError(f"{where}: {what}: {', '.join(listed)}")
