"""What the operator's own system says of a customer: orders, contracts, parcels. It is shown, and believed nowhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.ingest.domain.model import Customer

MOST_IDENTITIES: Final = 20


class ContextState(StrEnum):
    """Where the context comes from."""

    OFF = "off"
    """No hook is configured."""
    UNVERIFIED = "unverified"
    """Nobody vouches for who the customer is: a claim must not show somebody else's orders."""
    FRESH = "fresh"
    CACHED = "cached"
    STALE = "stale"
    """The hook failed just now; this is what it said before."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ContextItem:
    """One line."""

    label: str
    value: str
    url: str = ""
    """https, or empty."""


@dataclass(frozen=True, slots=True)
class ContextSection:
    """Lines under a title."""

    title: str
    items: tuple[ContextItem, ...]


@dataclass(frozen=True, slots=True)
class CustomerContext:
    """An answer of the hook."""

    sections: tuple[ContextSection, ...]
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ContextConflict:
    """An attribute of which the hook says something else than what is stored."""

    name: str
    stored: str
    told: str


def asked_for(customers: Iterable[Customer]) -> tuple[tuple[str, str, str], ...]:
    """The identities that the hook is asked about: those that somebody vouches for, in order, without repeats."""
    known = (one[:3] for customer in customers for one in customer.identities if one[3])
    return tuple(sorted(set(known)))[:MOST_IDENTITIES]


def conflicting(context: CustomerContext, stored: Mapping[str, str]) -> list[ContextConflict]:
    """Where the hook and what is stored do not agree."""
    return [
        ContextConflict(name, stored[name], told)
        for name, told in sorted(context.attributes.items())
        if stored.get(name, told) != told
    ]
