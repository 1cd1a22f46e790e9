"""Texts that a provider has approved: the only ones it takes outside its window, with places that are filled in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_PLACE: Final = re.compile(r"\{\{\s*([A-Za-z0-9_]{1,60})\s*\}\}")
_LONGEST_VALUE: Final = 1024


class BadValues(ValueError):
    """The values do not fit the template; the text names the place."""


@dataclass(frozen=True, slots=True)
class Template:
    """One template of an account."""

    name: str
    language: str
    """As the provider calls it: `it`, `pt_BR`."""
    text: str
    """The body, with places such as {{1}} or {{order}}."""
    provider_id: str = ""
    """Its id, where the provider names templates by ids: Twilio's ContentSid."""

    @property
    def key(self) -> tuple[str, str]:
        return (self.name, self.language)

    @property
    def places(self) -> tuple[str, ...]:
        """Names of what is filled in, in the order of the text, each once."""
        return tuple(dict.fromkeys(_PLACE.findall(self.text)))

    @property
    def numbered(self) -> bool:
        """Whether the places are numbers; else they are names."""
        return all(place.isdecimal() for place in self.places)


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with its values, in the order of its places."""

    template: Template
    values: tuple[tuple[str, str], ...]


def fault_of(template: Template) -> str:
    """What no provider would take of a declaration, or empty."""
    places = template.places
    if not template.text.strip():
        return "its text is empty"
    if _PLACE.sub("", template.text).count("{{") or "}}" in _PLACE.sub("", template.text):
        return "a place in its text is not {{1}} or {{name}}"
    if any(place.isdecimal() for place in places) and not template.numbered:
        return "its places are numbers or names, not both"
    if template.numbered and sorted(map(int, places)) != list(range(1, len(places) + 1)):
        return f"its places are {', '.join(places)}; numbers go from 1 without a gap"
    return ""


def fill(template: Template, values: Mapping[str, str]) -> Filled:
    """The template with values of one line each. Raises BadValues for a missing, empty, too long or unknown one."""
    known = {name.strip(): " ".join(value.split()) for name, value in values.items()}
    places = tuple(sorted(template.places, key=int)) if template.numbered else template.places
    if strange := sorted(known.keys() - set(places)):
        raise BadValues(
            f"template {template.name!r} has no place {strange[0]!r}; its places are {', '.join(places) or 'none'}"
        )
    for place in places:
        if not known.get(place):
            raise BadValues(f"template {template.name!r} needs a value for {place!r}")
        if len(known[place]) > _LONGEST_VALUE:
            raise BadValues(f"the value for {place!r} is longer than {_LONGEST_VALUE} characters")
    return Filled(template, tuple((place, known[place]) for place in places))


def text_of(filled: Filled) -> str:
    """What the customer reads."""
    values = dict(filled.values)
    return _PLACE.sub(lambda found: values[found.group(1)], filled.template.text)
