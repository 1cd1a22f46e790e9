"""What a customer is to us: the tier that the operator's systems say, and the debt of bad experiences.

The ledger has one entry for each experience: a bad one adds BAD, up to DEBT_CAP, a good one takes GOOD away, and what a
bad one added fades to nothing in a year. Twelve good ones for a bad one is a rule of thumb without a study behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from services.routing.domain import explain, sla
from services.routing.domain.commands import KnowCustomer
from services.routing.domain.events import RingOpened
from services.routing.domain.placement import await_ring
from services.routing.domain.queue_policy import DEBT_CAP, care_of
from services.routing.domain.state import Pool

BAD, GOOD = 12, 1
YEAR_MS = 365 * 86_400_000
_KEPT = 50
_JUDGED = {5: (2, 4), 7: (3, 6), 10: (6, 9)}
"""By the top of the scale (CSAT, CES, NPS): at most this is bad, at least that is good."""

Mood = Literal["bad", "good", "neither"]


class Experience(NamedTuple):
    at_ms: int
    mood: Mood


def judged(score: int, scale_max: int) -> Mood:
    """What an answer says of the experience."""
    bad, good = _JUDGED.get(scale_max, (scale_max * 2 // 5, scale_max * 4 // 5))
    return "bad" if score <= bad else "good" if score >= good else "neither"


def debt_at(ledger: Iterable[Experience], at_ms: int) -> int:
    """The debt at the instant, 0 to DEBT_CAP; the order of the entries does not matter. Fractions count up."""
    owed = 0
    for experience in sorted(ledger):
        age_ms = max(0, at_ms - experience.at_ms)
        if experience.mood == "bad" and age_ms < YEAR_MS:
            owed = min(DEBT_CAP * YEAR_MS, owed + BAD * (YEAR_MS - age_ms))
        elif experience.mood == "good":
            owed = max(0, owed - GOOD * YEAR_MS)
    return -(-owed // YEAR_MS)


def noted(ledger: Mapping[str, Experience], name: str, experience: Experience) -> dict[str, Experience]:
    """The ledger with the experience of that name, in place of an earlier one of it; the newest are kept."""
    known = {**ledger, name: experience}
    newest = sorted(known, key=lambda one: (known[one].at_ms, one))[-_KEPT:]
    return {one: known[one] for one in newest}


def know_customer(pool: Pool, command: KnowCustomer) -> None:
    """Whatever the customer has here gets its place anew; more rings may open, none closes."""
    for conversation_id in sorted(pool.of_customer.get(command.customer_id, ())):
        item = pool.items[conversation_id]
        if (item.tier, item.debt) == (command.tier, command.debt):
            continue
        was = {"was_tier": item.tier, "was_debt": item.debt}
        item = item._replace(tier=command.tier, debt=command.debt)
        ring = care_of(pool.queue_of(item), item).ring
        if item.state == "waiting" and ring > item.ring:
            item = await_ring(pool, item._replace(ring=ring, relax_at_ms=0))
            pool.emit(RingOpened(item.conversation_id, item.episode, ring, "customer"))
        item = sla.rekey(pool, item)
        facts = {"tier": item.tier, "debt": item.debt, "boost_ms": item.boost_ms, **was}
        pool.explain(explain.noted(pool, item, "customer", **facts))
        if item.state == "waiting":
            pool.place_later(conversation_id, "customer")
