"""Who is there: transitions of presence and what they do to offers and conversations.

online takes work; no_new keeps what he has, open offers included; away loses open offers; offline loses open
offers at once and his conversations after a grace.
"""

from __future__ import annotations

from services.routing.domain.capacity import NO_RULE, Seat
from services.routing.domain.commands import EndLease, SetPresence
from services.routing.domain.events import PresenceChanged
from services.routing.domain.model import Offer, PresenceState, Result
from services.routing.domain.offers import withdraw
from services.routing.domain.placement import wait_anew
from services.routing.domain.replies import done, refused
from services.routing.domain.state import Pool
from services.routing.domain.transfers import unassign


def set_presence(pool: Pool, command: SetPresence) -> Result:
    seat = pool.bench.seats.get(command.agent_id)
    if seat is None:
        return refused(pool, command.command_id, "not-found", {"agent_id": command.agent_id})
    change(pool, seat, command.presence, command.reason)
    return done(pool, command.command_id, describe(seat))


def end_lease(pool: Pool, command: EndLease) -> None:
    seat = pool.bench.seats.get(command.agent_id)
    if seat is not None and seat.presence_epoch == command.presence_epoch and seat.presence != "offline":
        change(pool, seat, "offline", "lease-ended")


def miss(pool: Pool, offer: Offer) -> None:
    """An offer expired unanswered; too many in a row make the agent away, with notice."""
    seat = pool.bench.seats[offer.agent_id]
    seat.missed += 1
    withdraw(pool, offer, "expired", "no-answer")
    if seat.missed >= pool.directory.missed_limit and seat.presence in ("online", "no_new"):
        change(pool, seat, "away", "missed-offers")


def change(pool: Pool, seat: Seat, presence: PresenceState, reason: str) -> None:
    """Go over to another presence; the same one again changes nothing."""
    previous = seat.presence
    if previous == presence:
        return
    seat.presence = presence
    seat.presence_epoch += 1
    seat.since_ms = pool.at_ms
    seat.reason = reason
    if presence == "online":
        seat.missed = 0
        seat.idle_since_ms = pool.at_ms
        pool.fill_later(seat)
    pool.touch(seat)
    pool.emit(PresenceChanged(seat.agent_id, presence, previous, seat.presence_epoch, reason))
    pool.tell(seat, "presence", describe(seat))
    if presence in ("away", "offline"):
        for offer_id in sorted(seat.offers):
            withdraw(pool, pool.offers[offer_id], "rescinded", presence)
    if presence != "online":
        end_holds(pool, seat)
    if presence == "offline":
        grace = (pool.directory.live_grace_ms, pool.directory.interruptible_grace_ms)
        pool.timers.watch_agent(seat, grace)


def rested(pool: Pool, agent_id: str, due_ms: int) -> None:
    """Time lets the agent take more: his fair share, or the budget of somebody new."""
    seat = pool.bench.seats.get(agent_id)
    if seat is not None and due_ms in seat.instants():
        pool.touch(seat)
        pool.fill_later(seat)


def absent(pool: Pool, agent_id: str, due_ms: int) -> None:
    """Give back what an offline agent still has when the grace of its channel ends."""
    seat = pool.bench.seats.get(agent_id)
    if seat is None or seat.presence != "offline":
        return
    for conversation_id in sorted(seat.conversations):
        item = pool.items[conversation_id]
        interruptible = seat.rules.get(item.channel, NO_RULE).interruptible
        grace = pool.directory.interruptible_grace_ms if interruptible else pool.directory.live_grace_ms
        if seat.since_ms + grace == due_ms:
            wait_anew(pool, unassign(pool, item, "agent-offline"), "", "agent-offline")


def describe(seat: Seat) -> dict[str, object]:
    """An agent as the routing API shows it."""
    return {
        "agent_id": seat.agent_id,
        "presence": seat.presence,
        "presence_epoch": seat.presence_epoch,
        "since_ms": seat.since_ms,
        "reason": seat.reason,
        "missed": seat.missed,
        "live_used": seat.live_used,
        "live_budget": seat.budget,
        "interruptible_used": seat.interruptible_used,
        "interruptible_budget": seat.interruptible_budget,
        "open_offers": len(seat.offers),
        "assigned": len(seat.conversations),
    }


def end_holds(pool: Pool, seat: Seat) -> None:
    """Nobody waits for the agent any longer."""
    for conversation_id in pool.waiting.held_for(seat.agent_id):
        pool.put_item(pool.items[conversation_id]._replace(held_for="", hold_until_ms=0))
        pool.place_later(conversation_id, "hold-ended")
