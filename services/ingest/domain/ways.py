"""By which channels a customer can be written to, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.ingest.domain.model import PROVIDED, ChannelName, Customer, Identity, Thread

_DAY_MS: Final = 86_400_000
_WINDOWS: Final = {
    ChannelName.WHATSAPP: _DAY_MS,
    ChannelName.MESSENGER: _DAY_MS,
    ChannelName.INSTAGRAM: _DAY_MS,
}
"""After the customer's newest message the provider takes free texts for so long."""


@dataclass(frozen=True, slots=True)
class Way:
    """One channel to a customer."""

    channel: ChannelName
    account: str
    endpoint: str
    ends_at_ms: int = 0
    """Until when free texts are taken; 0 for always."""
    closed: str = ""
    """Why nothing can be written by it now; empty when it can."""


def endpoints(thread: Thread, customer: Customer | None) -> list[tuple[str, str, str]]:
    """(channel, account, endpoint) a customer has written by, the newest first. A call is answered by SMS to its number."""
    found = [(thread.channel, thread.account, thread.endpoint)] if thread.endpoint else []
    known = customer.identities if customer else ()
    found += [(c, a, e) for c, a, e, _ in reversed(known) if c in PROVIDED]
    return list(dict.fromkeys(found))


def way_of(channel: ChannelName, account: str, endpoint: str, identity: Identity | None, now_ms: int) -> Way:
    """The way to an endpoint as it is now."""
    window = _WINDOWS.get(channel, 0)
    if channel == ChannelName.VOICE:
        return Way(channel, account, endpoint, closed="a call takes no text: call back, or write by SMS")
    if not window:
        return Way(channel, account, endpoint)
    ends_at_ms = (identity.last_inbound_at_ms if identity else 0) + window
    closed = (
        f"{channel} takes free texts for 24 hours after the customer's newest message, which are over:"
        " send a template, or write by another channel"
        if now_ms >= ends_at_ms
        else ""
    )
    return Way(channel, account, endpoint, ends_at_ms, closed)


def choose(
    channel: ChannelName, found: Sequence[tuple[str, str, str]], sms_account: str
) -> tuple[str, str] | None:
    """(account, endpoint) for a channel, or None when the customer cannot be reached by it."""
    for known, account, endpoint in found:
        if known == channel:
            return account, endpoint
    if channel == ChannelName.SMS and sms_account:
        for known, _, endpoint in found:
            if known == ChannelName.VOICE:
                return sms_account, endpoint
    return None
