"""By which channels a customer can be written to, until when, and why not: told before anybody writes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.ingest.domain.consents import Consent, ConsentState
from services.ingest.domain.model import PROVIDED, ChannelName, Customer, Identity, Thread
from services.ingest.domain.templates import Template

Key = tuple[str, str, str]
_DAY_MS: Final = 86_400_000
WINDOWS: Final = {
    ChannelName.WHATSAPP: _DAY_MS,
    ChannelName.MESSENGER: _DAY_MS,
    ChannelName.INSTAGRAM: _DAY_MS,
}
"""After the customer's newest message the provider takes free texts for so long."""
_PHONES: Final = (ChannelName.SMS, ChannelName.WHATSAPP, ChannelName.VOICE)


@dataclass(frozen=True, slots=True)
class Sender:
    """An account that can write, as far as the ways need it."""

    channel: str
    id: str
    templates: tuple[Template, ...] = ()
    plus: bool = True
    """Whether its provider writes phone numbers with a plus."""


class Senders:
    """The accounts that can write, in the order of the configuration."""

    def __init__(self, senders: Sequence[Sender] = ()) -> None:
        self._by_key = {(one.channel, one.id): one for one in senders}

    def find(self, channel: str, id_: str) -> Sender | None:
        """The account, or None when it is not configured."""
        return self._by_key.get((channel, id_))

    def first(self, channel: str) -> Sender | None:
        """The first account of a channel, or None."""
        return next((one for one in self._by_key.values() if one.channel == channel), None)


@dataclass(frozen=True, slots=True)
class Way:
    """One channel to a customer."""

    channel: ChannelName
    account: str
    endpoint: str
    """Their id there; of mail the address, empty on channels that have none."""
    ends_at_ms: int = 0
    """Until when free texts are taken; 0 for always."""
    closed: str = ""
    """Why no free text can be written by it now; empty when one can."""
    barred: bool = False
    """A template cannot go either: they have asked for nothing more, never agreed, or there is no account."""
    templates: tuple[Template, ...] = ()
    """What can be sent although it is closed, and before."""
    consent: str = ""
    """Why they may be written to: `answer` (they wrote last by it), `wrote` (they have written by it), `called`, `given`;
    `none` or `withdrawn` when they may not."""

    @property
    def key(self) -> Key:
        return (self.channel.value, self.account, self.endpoint)


def endpoints(thread: Thread, customer: Customer | None, senders: Senders) -> list[Key]:
    """(channel, account, endpoint) by which the customer of a conversation may be reachable: where they last were, then
    their contacts."""
    last = ChannelName(thread.channel)
    first = (thread.channel, thread.account, thread.address if last == ChannelName.MAIL else thread.endpoint)
    found = [first, *contacts(customer, senders, (first,), thread.address)]
    return list(
        dict.fromkeys(one for one in found if one == first or one[0] != ChannelName.MAIL or last != one[0])
    )


def contacts(
    customer: Customer | None, senders: Senders, used: Sequence[Key] = (), address: str = ""
) -> list[Key]:
    """Where a customer has written, the newest first, then the numbers of their calls and texts on the other channels
    of phones, and their mail address."""
    known = customer.identities if customer else ()
    found = [(c, a, e) for c, a, e, _ in reversed(known) if c in PROVIDED]
    found += list(_by_phone([*used, *found], senders))
    mail = senders.find(ChannelName.MAIL, "default") or senders.first(ChannelName.MAIL)
    address = address or (customer.address if customer else "")
    if address and mail:
        found.append((ChannelName.MAIL.value, mail.id, address))
    return list(dict.fromkeys(found))


def _by_phone(found: Sequence[Key], senders: Senders) -> Iterator[Key]:
    numbers = [
        endpoint for channel, _, endpoint in found if channel in _PHONES and endpoint.strip("+").isdecimal()
    ]
    for channel in (ChannelName.SMS, ChannelName.WHATSAPP):
        sender = senders.first(channel)
        if sender is None or any(known == channel for known, _, _ in found):
            continue
        for number in dict.fromkeys(one.strip("+") for one in numbers):
            yield channel.value, sender.id, f"+{number}" if sender.plus else number


def ways(
    thread: Thread,
    keys: Sequence[Key],
    identities: Mapping[Key, Identity],
    consents: Mapping[Key, Consent],
    senders: Senders,
    now_ms: int,
) -> list[Way]:
    """The ways as they are now, in the order of `keys`; the first one is where an answer goes by itself."""
    return [
        way_to(thread, key, identities.get(key), consents.get(key), senders, now_ms, last=place == 0)
        for place, key in enumerate(keys)
    ]


def way_to(
    thread: Thread | None,
    key: Key,
    identity: Identity | None,
    consent: Consent | None,
    senders: Senders,
    now_ms: int,
    *,
    last: bool = False,
) -> Way:
    """One way as it is now; `thread` is the conversation that goes on by it, `last` whether the customer was there last."""
    channel, sender = ChannelName(key[0]), senders.find(key[0], key[1])
    way = Way(channel, key[1], key[2], templates=sender.templates if sender else ())
    if channel == ChannelName.VOICE:
        return _barred(way, "a call takes no text: call back, or write by SMS")
    if sender is None:
        return _barred(way, f"account {key[1]!r} of channel {channel} is not configured any more")
    wrote_at_ms = (
        thread.last_inbound_at_ms if thread and last else identity.last_inbound_at_ms if identity else 0
    )
    if consent is not None and consent.state == ConsentState.WITHDRAWN and wrote_at_ms <= consent.at_ms:
        reason = f"the customer has asked for no more messages by {channel} ({consent.evidence[:60]!r})"
        return _barred(replace(way, consent="withdrawn"), f"{reason}: wait until they write again")
    way = replace(way, consent=_consent(thread, key, consent, wrote_at_ms, last=last))
    if not way.consent:
        reason = f"the customer has never written by {channel} and has not agreed to be written to by it"
        return _barred(replace(way, consent="none"), f"{reason}: ask them, and record their consent first")
    window = WINDOWS.get(channel, 0)
    if not window:
        return replace(way, templates=())
    ends_at_ms = (identity.last_inbound_at_ms if identity else 0) + window
    if now_ms < ends_at_ms:
        return replace(way, ends_at_ms=ends_at_ms)
    rest = "send a template, or write" if way.templates else "its account declares no template: write"
    since = (
        "which are over" if identity and identity.last_inbound_at_ms else "and they have never written by it"
    )
    closed = f"{channel} takes free texts for 24 hours after the customer's newest message, {since}"
    return replace(
        way, ends_at_ms=ends_at_ms if identity else 0, closed=f"{closed}: {rest} by another channel"
    )


def _consent(
    thread: Thread | None, key: Key, consent: Consent | None, wrote_at_ms: int, *, last: bool
) -> str:
    channel = ChannelName(key[0])
    if last:
        return "answer"
    if consent is not None and consent.state == ConsentState.GIVEN:
        return "given"
    if wrote_at_ms or (channel == ChannelName.MAIL and key[2]):
        return "wrote"
    if thread and channel == ChannelName.SMS and thread.channel == ChannelName.VOICE:
        return "called" if thread.endpoint.strip("+") == key[2].strip("+") else ""
    return ""


def _barred(way: Way, reason: str) -> Way:
    return replace(way, closed=reason, barred=True, templates=())


def choose(channel: str, found: Sequence[Way]) -> Way | None:
    """The way of a channel, one that is open before one that is not; None when the customer cannot be reached by it. A
    call takes no text: what goes to it goes by SMS, when that may be."""
    if channel == ChannelName.VOICE:
        texts = choose(ChannelName.SMS, found)
        if texts is not None and not texts.closed:
            return texts
    by_it = [way for way in found if way.channel == channel]
    return next((way for way in by_it if not way.closed), by_it[0] if by_it else None)
