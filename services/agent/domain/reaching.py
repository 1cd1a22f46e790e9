"""By which channel a reply can go: chosen from what ingest says of the ways to the customer, before it is written down."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.agent.domain.errors import BadTemplate, ChannelClosed, ChannelUnknown

ALWAYS_OPEN: Final = frozenset({"web", "chat", "mail", "api"})
"""Channels by which an answer can always go to who wrote by them: nobody has to be asked."""
_PLACE: Final = re.compile(r"\{\{\s*([A-Za-z0-9_]{1,60})\s*\}\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A text that a provider has approved."""

    name: str
    language: str
    text: str
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """One channel to a customer, as ingest tells it."""

    channel: str
    account: str
    endpoint: str
    open: bool
    ends_at: str
    """RFC 3339; empty where a free text is always taken, or never was."""
    reason: str
    consent: str
    templates: tuple[Template, ...] = ()


FilledTemplate = tuple[str, str, tuple[tuple[str, str], ...]]
"""Name, language and values."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """How a reply goes."""

    channel: str
    text: str
    template: FilledTemplate | None = None
    """When it goes as one."""


def usual(ways: Sequence[Way], last: str) -> str:
    """The channel of a reply that names none: where the customer wrote last. A call takes no text and is answered by SMS,
    when that is open."""
    if last == "voice" and any(way.channel == "sms" and way.open for way in ways):
        return "sms"
    return last


def choose(
    ways: Sequence[Way], channel: str, text: str, template: tuple[str, str] | None, values: Mapping[str, str]
) -> Chosen:
    """The reply as it can go by a channel. Raises ChannelUnknown, ChannelClosed, BadTemplate: nothing is sent then."""
    by_it = [way for way in ways if way.channel == channel]
    if not by_it:
        known = ", ".join(dict.fromkeys(way.channel for way in ways)) or "none"
        raise ChannelUnknown(f"The customer cannot be reached by {channel}; known ways are: {known}.")
    way = next((one for one in by_it if one.open), by_it[0])
    if template is None:
        if not way.open:
            raise ChannelClosed(f"Nothing was sent: {way.reason}.")
        return Chosen(channel, text)
    found = next((one for one in way.templates if (one.name, one.language) == template), None)
    if found is None:
        if not way.open and not way.templates:
            raise ChannelClosed(f"Nothing was sent: {way.reason}.")
        known = ", ".join(f"{one.name} ({one.language})" for one in way.templates) or "none"
        raise BadTemplate(
            f"There is no template {template[0]!r} in {template[1]!r} for {channel}; known are: {known}."
        )
    filled = {name: " ".join(value.split()) for name, value in values.items()}
    if missing := [place for place in found.places if not filled.get(place)]:
        raise BadTemplate(f"The template needs a value for {missing[0]!r}.")
    if strange := sorted(filled.keys() - set(found.places)):
        raise BadTemplate(
            f"The template has no place {strange[0]!r}; it has {', '.join(found.places) or 'none'}."
        )
    shown = _PLACE.sub(lambda place: filled[place.group(1)], found.text)
    return Chosen(channel, shown, (*template, tuple(sorted(filled.items()))))
