"""Which customers are one person: links between them, made and undone, and what follows from them.

LinkRefused         a link that cannot be; nothing has changed
├── SamePerson      the two are one person already
└── TooManyLinked   more customers than one person has
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

MOST_LINKED: Final = 50
"""Customers of one person. More is a shop's own number or a shared mailbox, and no person."""


class LinkRefused(Exception):
    """Base of what makes a link impossible; the text is for who wanted it."""

    slug = "link-refused"


class SamePerson(LinkRefused):
    """They are linked already, by other links too."""

    slug = "same-person"


class TooManyLinked(LinkRefused):
    """The person would have too many customers."""

    slug = "too-many-linked"


@dataclass(frozen=True, slots=True)
class Membership:
    """To which person a customer belongs. The rows of all members say the same."""

    customer_id: str
    person_id: str
    """The id of one of the members."""
    version: int
    """Rises with every link and unlink that concerns the customer."""
    members: tuple[str, ...]
    links: tuple[str, ...]
    """Ids of the links that hold the members together."""


@dataclass(frozen=True, slots=True)
class Link:
    """Two customers who were found to be one person, and whether that still holds."""

    link_id: str
    customer_id: str
    joined_customer_id: str
    version: int
    reason: str
    actor: str
    """Who decided it: a person, or rule:NAME."""
    evidence: tuple[str, ...]
    linked_at_ms: int
    undone_at_ms: int = 0
    """0 while it holds."""
    undone_by: str = ""
    undone_reason: str = ""


def alone(customer_id: str) -> Membership:
    """A customer who was never linked."""
    return Membership(customer_id, customer_id, 0, (customer_id,), ())


def next_version(memberships: Iterable[Membership]) -> int:
    """Above every version that one of them has had."""
    return 1 + max((one.version for one in memberships), default=0)


def join(link: Link, kept: Membership, joined: Membership) -> list[Membership]:
    """The memberships of everybody after a link; the person goes by the id of `kept`. Raises LinkRefused."""
    if kept.person_id == joined.person_id:
        raise SamePerson(f"Customers {kept.customer_id} and {joined.customer_id} are one person already.")
    members = (*kept.members, *joined.members)
    if len(members) > MOST_LINKED:
        raise TooManyLinked(
            f"The person would have {len(members)} customers; at most {MOST_LINKED} are taken for one person."
        )
    links = (*kept.links, *joined.links, link.link_id)
    return [Membership(one, kept.person_id, link.version, members, links) for one in members]


def separate(undone: Link, links: Sequence[Link], before: Membership, version: int) -> list[Membership]:
    """The memberships of everybody after a link was undone. `links` are those of the person, `before` any member's."""
    left = [one for one in links if one.link_id != undone.link_id]
    found: list[Membership] = []
    for members in _connected(before.members, left):
        among = [one for one in left if one.customer_id in members]
        # The one who gave the person its id keeps it; the others go by whom they had been known by before.
        person_id = next(
            (one for one in (before.person_id, undone.joined_customer_id) if one in members), members[0]
        )
        ids = tuple(one.link_id for one in among)
        found += [Membership(one, person_id, version, members, ids) for one in members]
    return found


def undo(link: Link, by: str, reason: str, at_ms: int) -> Link:
    """The link, undone."""
    return replace(link, undone_at_ms=at_ms, undone_by=by, undone_reason=reason)


def _connected(members: Sequence[str], links: Sequence[Link]) -> list[tuple[str, ...]]:
    """The members in groups that links hold together, each in the order of the members."""
    group = {one: one for one in members}

    def root(one: str) -> str:
        while group[one] != one:
            one = group[one]
        return one

    for link in links:
        group[root(link.joined_customer_id)] = root(link.customer_id)
    roots = dict.fromkeys(root(one) for one in members)
    return [tuple(one for one in members if root(one) == each) for each in roots]
