"""Messages that nobody asked for: by which rule, to whom, when, by which channel, in which words, and why not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from services.ingest.domain.consents import Consent, ConsentState
from services.ingest.domain.templates import BadValues, Filled, Template, fill, text_of
from services.ingest.domain.ways import Way

_PLACE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,59})\}")
_HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
CHANNELS: Final = ("sms", "whatsapp", "telegram", "messenger", "instagram", "webhook", "mail")
"""By which a rule may write: those that reach somebody who is not looking."""


class OutreachState(StrEnum):
    """How far a rule's message about an event has come."""

    WAITING = "waiting"
    SENT = "sent"
    """It is on its way: its delivery says the rest."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Test:
    """What one attribute of an event must be."""

    attribute: str
    any_of: tuple[str, ...] = ()
    """One of these, in small letters; empty when a number is compared."""
    compare: str = ""
    """>=, <=, > or <."""
    number: float = 0.0

    def holds(self, attributes: Mapping[str, str]) -> bool:
        """Whether the event's attribute is so; a missing one never is."""
        value = attributes.get(self.attribute)
        if value is None:
            return False
        if not self.compare:
            return value.strip().lower() in self.any_of
        try:
            found = float(value)
        except ValueError:
            return False
        return {
            ">=": found >= self.number,
            "<=": found <= self.number,
            ">": found > self.number,
            "<": found < self.number,
        }[self.compare]


@dataclass(frozen=True, slots=True)
class TemplateChoice:
    """A template for where free texts are not taken, its values made of the event's attributes."""

    name: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many messages to one customer in so many days."""

    messages: int
    days: float


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the customer's day in which nothing is sent; over midnight when it ends before it begins."""

    begins: time
    ends: time


@dataclass(frozen=True, slots=True)
class Rule:
    """What is sent on an event."""

    name: str
    event: str
    """Its type."""
    when: tuple[Test, ...]
    languages: tuple[str, ...]
    """Of the customers it is for; empty for all."""
    channels: tuple[str, ...]
    """The first by which the customer may be written to is taken."""
    text: Mapping[str, str]
    """By language; the first one is for all others."""
    subject: Mapping[str, str]
    template: TemplateChoice | None
    must_have_agreed: bool
    """Only where consent was given; else also where they have written by themselves."""
    cap: Cap | None
    quiet: Quiet | None
    expires_ms: int
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Book:
    """All rules, with what holds for them together."""

    version: int
    rules: tuple[Rule, ...]
    cap: Cap | None = None
    quiet: Quiet | None = None

    def of(self, event_type: str) -> list[Rule]:
        """The rules that are in force for an event."""
        return [rule for rule in self.rules if rule.event == event_type and rule.enabled]

    def named(self, name: str) -> Rule | None:
        """A rule that is in force, or None."""
        return next((rule for rule in self.rules if rule.name == name and rule.enabled), None)


@dataclass(frozen=True, slots=True)
class Outreach:
    """One rule acting on one event."""

    outreach_id: str
    event_id: str
    event_type: str
    rule: str
    customer_id: str
    attributes: Mapping[str, str]
    zone: str
    """IANA name of the customer's."""
    language: str
    state: str
    reason: str
    due_at_ms: int
    expires_at_ms: int
    channel: str
    conversation_id: str
    created_at_ms: int
    sent_at_ms: int


@dataclass(frozen=True, slots=True)
class Words:
    """What is said."""

    text: str
    subject: str
    filled: Filled | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """By which way, in which words; or why not."""

    way: Way | None = None
    words: Words | None = None
    reason: str = ""


def audience_fault(rule: Rule, attributes: Mapping[str, str], language: str) -> str:
    """Why an event is not for a rule, or empty."""
    for test in rule.when:
        if not test.holds(attributes):
            return f"attribute {test.attribute!r} is {attributes.get(test.attribute, 'not given')!r}"
    if rule.languages and language not in rule.languages:
        return f"the customer's language is {language or 'not known'!r}"
    return ""


def later_ms(quiet: Quiet | None, zone: str, now_ms: int) -> int:
    """When the quiet hours that now is in are over; now when it is in none. `zone` is a known IANA name."""
    if quiet is None or quiet.begins == quiet.ends:
        return now_ms
    local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    at = local.time()
    over_midnight = quiet.begins > quiet.ends
    within = (at >= quiet.begins or at < quiet.ends) if over_midnight else quiet.begins <= at < quiet.ends
    if not within:
        return now_ms
    day = local.date() + timedelta(days=1 if over_midnight and at >= quiet.begins else 0)
    # Taken as wall time of the zone: the change of the clocks moves it as it moves people.
    ends = datetime.combine(day, quiet.ends, ZoneInfo(zone))
    return max(now_ms + 1, int(ends.timestamp() * 1000))


def capped(cap: Cap | None, sent_at_ms: Sequence[int], now_ms: int) -> str:
    """Why a customer gets no more for now, or empty. `sent_at_ms` are the times of what they were sent."""
    if cap is None:
        return ""
    since = now_ms - int(cap.days * DAY_MS)
    count = sum(at > since for at in sent_at_ms)
    return f"the customer has been sent {count} in {cap.days:g} days" if count >= cap.messages else ""


def choose(
    rule: Rule,
    found: Sequence[Way],
    consents: Mapping[tuple[str, str, str], Consent],
    attributes: Mapping[str, str],
    language: str,
) -> Choice:
    """The first way of the rule's channels that is allowed and has words, or why none is."""
    reasons: list[str] = []
    for channel in rule.channels:
        by_it = [way for way in found if way.channel == channel]
        if not by_it:
            reasons.append(f"{channel}: the customer is not known there")
        for way in by_it:
            fault = _consent_fault(rule, way, consents.get(way.key))
            if not fault:
                try:
                    return Choice(way, _words(rule, way, attributes, language))
                except BadValues as error:
                    fault = str(error)
            reasons.append(f"{channel}: {fault}")
    return Choice(reason="; ".join(dict.fromkeys(reasons)))


def _consent_fault(rule: Rule, way: Way, consent: Consent | None) -> str:
    if consent is not None and consent.state == ConsentState.WITHDRAWN:
        return "the customer wants no messages there"
    if consent is not None and consent.state == ConsentState.GIVEN:
        return way.closed if way.barred else ""
    if rule.must_have_agreed:
        return "no consent is on record"
    return way.closed if way.barred else ""


def _words(rule: Rule, way: Way, attributes: Mapping[str, str], language: str) -> Words:
    subject = put_in(_spoken(rule.subject, language), attributes) if rule.subject else ""
    if way.closed:
        if rule.template is None:
            raise BadValues(f"free texts are not taken now, and the rule names no template ({way.closed})")
        template = _template(rule.template, way.templates, language)
        filled = fill(template, {place: put_in(value, attributes) for place, value in rule.template.values})
        return Words(text_of(filled), subject, filled)
    return Words(put_in(_spoken(rule.text, language), attributes), subject)


def _template(choice: TemplateChoice, known: Sequence[Template], language: str) -> Template:
    named = [one for one in known if one.name == choice.name]
    if not named:
        raise BadValues(f"the account declares no template {choice.name!r}")
    return next((one for one in named if one.language.partition("_")[0] == language), named[0])


def _spoken(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language) or next(iter(texts.values()))


def put_in(text: str, attributes: Mapping[str, str]) -> str:
    """The text with the event's attributes in its places, each as it is. Raises BadValues for one that is not given."""

    def value(found: re.Match[str]) -> str:
        known = attributes.get(found.group(1), "").strip()
        if not known:
            raise BadValues(f"the event has no attribute {found.group(1)!r}")
        return known

    return _PLACE.sub(value, text)


def places_of(text: str) -> list[str]:
    """Names of the attributes in a text."""
    return _PLACE.findall(text)
