"""What speaks for two customers being one person, and where what is known of the two does not agree."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from services.ingest.domain.model import ChannelName, Customer

SAME_NUMBER: Final = "rule:same-number"
SIGNED_IN: Final = "rule:signed-in"
MOST_HOLDERS: Final = 20
"""A number or mailbox that more customers have says nothing of any of them."""
_NUMBERED: Final = frozenset({ChannelName.SMS, ChannelName.WHATSAPP, ChannelName.VOICE})
_PHONE: Final = re.compile(r"\+?(\d{8,15})")
_FIELDS: Final = ("display_name", "language", "address", "tier")


class ProposalState(StrEnum):
    """What became of a proposal."""

    WAITING = "waiting"
    LINKED = "linked"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Handle:
    """A phone number or mail address, and the customers who were seen with it."""

    handle: str
    holders: tuple[tuple[str, bool], ...]
    """(customer, whether its provider vouches for it)"""

    def with_holder(self, customer_id: str, verified: bool) -> "Handle":
        """The handle with one more holder, or one who is now vouched for."""
        others = tuple(one for one in self.holders if one[0] != customer_id)
        was = any(known for id_, known in self.holders if id_ == customer_id)
        return replace(self, holders=(*others, (customer_id, verified or was)))


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two customers who may be one person, and what speaks for it. One for each pair."""

    proposal_id: str
    customer_id: str
    other_customer_id: str
    evidence: tuple[str, ...]
    state: str
    created_at_ms: int
    decided_at_ms: int = 0
    decided_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field in which two customers of one person do not agree: a person decides which value holds."""

    conflict_id: str
    link_id: str
    customer_id: str
    """By whose id the person is known; their value holds meanwhile."""
    field: str
    value: str
    other_customer_id: str
    other_value: str
    state: str
    """waiting, decided, or withdrawn: the link was undone."""
    created_at_ms: int
    chosen: str = ""
    """Whose value holds, once it is decided."""
    decided_at_ms: int = 0
    decided_by: str = ""


def handles_of(customer: Customer) -> dict[str, bool]:
    """The numbers and addresses of a customer, each with whether somebody other than the customer vouches for it."""
    found: dict[str, bool] = {}
    for channel, _, external_id, verified in customer.identities:
        number = _PHONE.fullmatch(external_id) if channel in _NUMBERED else None
        if number:
            handle = f"phone:+{number[1]}"
        elif channel == ChannelName.MAIL:
            handle = f"mail:{external_id}"
        else:
            continue
        found[handle] = found.get(handle, False) or verified
    if customer.address:
        found.setdefault(f"mail:{customer.address.lower()}", False)
    return found


def evidence_of(handle: str) -> str:
    """A handle as a sentence for who decides."""
    kind, _, value = handle.partition(":")
    return f"both were seen with the {'number' if kind == 'phone' else 'mail address'} {value}"


def proves(handle: str, mine: bool, theirs: bool) -> bool:
    """Whether the rule may link without a person: a phone number for which providers vouch on both sides."""
    return handle.startswith("phone:") and mine and theirs


def differing(kept: Customer, joined: Customer) -> Iterator[tuple[str, str, str]]:
    """(field, value of the one, value of the other) where both say something, and not the same."""
    for name in _FIELDS:
        one, other = getattr(kept, name), getattr(joined, name)
        if one and other and one != other:
            yield name, one, other
    known = dict(joined.attributes)
    for name, value in kept.attributes:
        if value and known.get(name, value) not in ("", value):
            yield f"attributes.{name}", value, known[name]


def with_field(customer: Customer, name: str, value: str) -> Customer:
    """The customer with one field or attribute set."""
    if name.startswith("attributes."):
        return with_attributes(customer, {name.removeprefix("attributes."): value})
    return replace(customer, **{name: value})  # type: ignore[arg-type]  # the fields are texts


def field_of(customer: Customer, name: str) -> str:
    """The value of a field or attribute."""
    if name.startswith("attributes."):
        return dict(customer.attributes).get(name.removeprefix("attributes."), "")
    return str(getattr(customer, name))


def with_attributes(customer: Customer, changes: dict[str, str | None]) -> Customer:
    """The customer with attributes set, and those that are None removed."""
    known = {**dict(customer.attributes), **changes}
    return replace(
        customer, attributes=tuple(sorted((name, text) for name, text in known.items() if text is not None))
    )
