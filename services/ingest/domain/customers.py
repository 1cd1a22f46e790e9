"""Who wrote: identities and what is learnt about their customer."""

from dataclasses import replace

from services.ingest.domain.model import ChannelName, Customer, Identity, IdentityKey, Inbound

ASSERTED = "customer"
"""Channel of identities that an operator's own system vouches for: one customer number on every channel."""


def identity_key(
    channel: ChannelName, account: str, external_id: str, email: str, *, trusted: bool
) -> IdentityKey | None:
    """How the sender of a form, chat or API message is known; None when they said nothing about themselves.

    What a visitor claims counts only on its own channel and account, so a claimed address never meets the customer that
    the operator's system vouches for, nor the one who writes from that mailbox.
    """
    address = email.strip().lower()
    if trusted and external_id:
        return IdentityKey(ASSERTED, "", external_id)
    known_by = external_id or address
    if not known_by:
        return None
    return IdentityKey(f"{channel}-asserted" if trusted else channel, account, known_by)


def mail_identity(account: str, address: str) -> IdentityKey | None:
    """How the sender of a mail is known."""
    return IdentityKey(ChannelName.MAIL, account, address.lower()) if address else None


def new_customer(inbound: Inbound, customer_id: str) -> Customer:
    """A customer seen for the first time."""
    return Customer(customer_id, inbound.name, inbound.address, inbound.language, inbound.received_at_ms, ())


def with_identity(
    known: tuple[tuple[str, str, str, bool], ...], key: IdentityKey, verified: bool
) -> tuple[tuple[str, str, str, bool], ...]:
    """The identities with one more, or with one that somebody now vouches for."""
    if (*key.row_key, True) in known or (*key.row_key, verified) in known:
        return known
    return (*(one for one in known if one[:3] != key.row_key), (*key.row_key, verified))


def learn(customer: Customer, inbound: Inbound) -> Customer:
    """What the message adds: the newest name and language given, the first address, a new identity."""
    identities = customer.identities
    if inbound.identity is not None:
        identities = with_identity(identities, inbound.identity, inbound.verified)
    return replace(
        customer,
        display_name=inbound.name or customer.display_name,
        address=customer.address or inbound.address,
        language=inbound.language or customer.language,
        identities=identities,
    )


def new_identity(key: IdentityKey, customer_id: str, verified: bool) -> Identity:
    """An identity seen for the first time."""
    return Identity(key.channel, key.account, key.external_id, customer_id, verified, "")
