"""The life of an offer: accepted, declined, expired or rescinded, exactly one of them."""

from __future__ import annotations

from typing import Any

from services.routing.domain import sla
from services.routing.domain.commands import AcceptOffer, DeclineOffer
from services.routing.domain.events import AgentAssigned, OfferClosed, Released, TeamAssigned
from services.routing.domain.model import Item, Offer, OfferState, Result
from services.routing.domain.placement import describe_item, wait_again
from services.routing.domain.replies import done, refused
from services.routing.domain.state import Pool


def accept(pool: Pool, command: AcceptOffer) -> Result:
    """The assignment, or what happened to the offer instead."""
    refusal = _refusal(pool, command.command_id, command.offer_id, command.agent_id)
    if refusal:
        return refusal
    offer = pool.offers[command.offer_id]
    item = take(pool, offer, "transfer" if offer.transfer_from else "offer")
    return done(pool, command.command_id, describe_item(pool, item))


def accept_waiting(pool: Pool) -> bool:
    """Turn the offers of this step that need no answer into assignments. False when there was none."""
    found = [pool.offers[offer_id] for offer_id in pool.take_unaccepted()]
    for offer in found:
        if offer.state == "open":
            item = pool.items[offer.conversation_id]
            take(pool, offer, "returned" if item.returning else "auto-accept")
    return bool(found)


def take(pool: Pool, offer: Offer, cause: str) -> Item:
    """The agent has the conversation now; others to whom it was offered too are told that it is taken."""
    item = pool.items[offer.conversation_id]
    seat = pool.bench.seats[offer.agent_id]
    if offer.transfer_from:
        item = _hand_over(pool, item, offer)
    others = [o for o in open_offers(item) if o != offer.offer_id]
    seat.offers.discard(offer.offer_id)
    seat.conversations.add(item.conversation_id)
    seat.missed = 0
    seat.count_assignment(pool.at_ms)
    pool.touch(seat)
    close_offer(pool, offer, "accepted", "" if cause in ("offer", "transfer") else cause)
    item = item._replace(
        state="assigned",
        agent_id=offer.agent_id,
        last_agent_id=offer.agent_id,
        assigned_at_ms=pool.at_ms,
        assigned_epoch=offer.epoch,
        offer_id="",
        more_offers=(),
        excluded=(),
        recheck_at_ms=0,
        held_for="",
        hold_until_ms=0,
        returning=False,
        pinned_at_ms=0,
    )
    pool.put_item(pool.rekeyed(item))
    item = pool.items[item.conversation_id]
    for offer_id in others:
        withdraw(pool, pool.offers[offer_id], "rescinded", "taken")
    team_id = pool.queue_of(item).team_id
    pool.emit(
        AgentAssigned(
            item.conversation_id, item.episode, offer.agent_id, team_id, offer.epoch, offer.offer_id, cause
        )
    )
    pool.fill_later(seat)
    pool.tell(seat, "assigned", describe_item(pool, item))
    return item


def open_offers(item: Item) -> tuple[str, ...]:
    """The ids of an item's open offers."""
    return (item.offer_id, *item.more_offers) if item.offer_id else ()


def decline(pool: Pool, command: DeclineOffer) -> Result:
    """The item goes on with the same age; the agent is not asked again until the exclusion is lifted."""
    refusal = _refusal(pool, command.command_id, command.offer_id, command.agent_id)
    if refusal:
        return refusal
    offer = pool.offers[command.offer_id]
    pool.bench.seats[offer.agent_id].missed = 0
    withdraw(pool, offer, "declined", command.reason)
    return done(pool, command.command_id, {"offer_id": offer.offer_id, "state": "declined"})


def withdraw(pool: Pool, offer: Offer, outcome: OfferState, reason: str) -> None:
    """End an open offer without acceptance: free the capacity, tell the agent, let the item go on."""
    item = pool.items[offer.conversation_id]
    seat = pool.bench.seats[offer.agent_id]
    seat.offers.discard(offer.offer_id)
    seat.free(item.channel)
    pool.touch(seat)
    pool.fill_later(seat)
    close_offer(pool, offer, outcome, reason)
    facts = {"offer_id": offer.offer_id, "conversation_id": offer.conversation_id}
    pool.tell(seat, "offer_closed", {**facts, "state": outcome, "reason": reason})
    if offer.transfer_from:
        pool.put_item(item._replace(offer_id=""))
        sender = pool.bench.seats.get(offer.transfer_from)
        if sender:
            told = {**facts, "to_agent_id": offer.agent_id, "state": outcome, "reason": reason}
            pool.tell(sender, "transfer_failed", told)
    elif item.state == "offered":
        refused_by = "" if outcome == "rescinded" else offer.agent_id
        left = tuple(o for o in open_offers(item) if o != offer.offer_id)
        if left:
            out = tuple(sorted({*item.excluded, refused_by} - {""}))
            pool.put_item(item._replace(offer_id=left[0], more_offers=left[1:], excluded=out))
        else:
            wait_again(pool, item, refused_by, f"offer-{outcome}")


def withdraw_all(pool: Pool, item: Item, reason: str) -> Item:
    """Rescind every open offer of the item; what is left of it."""
    for offer_id in open_offers(item):
        withdraw(pool, pool.offers[offer_id], "rescinded", reason)
    return pool.items[item.conversation_id]


def close_offer(pool: Pool, offer: Offer, outcome: OfferState, reason: str) -> None:
    """Record the one terminal state."""
    pool.put_offer(offer._replace(state=outcome, closed_at_ms=pool.at_ms, reason=reason))
    pool.emit(
        OfferClosed(
            offer.conversation_id, offer.episode, offer.offer_id, offer.agent_id, offer.epoch, outcome, reason
        )
    )


def what_happened(pool: Pool, offer: Offer) -> dict[str, Any]:
    """For somebody who comes too late."""
    item = pool.items.get(offer.conversation_id)
    return {
        "offer_id": offer.offer_id,
        "conversation_id": offer.conversation_id,
        "state": offer.state,
        "reason": offer.reason,
        "closed_at_ms": offer.closed_at_ms,
        "expires_at_ms": offer.expires_at_ms,
        "conversation_state": item.state if item else "closed",
        "agent_id": item.agent_id if item else "",
    }


def _refusal(pool: Pool, command_id: str, offer_id: str, agent_id: str) -> Result | None:
    offer = pool.offers.get(offer_id)
    if offer is None:
        return refused(pool, command_id, "not-found", {"offer_id": offer_id})
    if offer.agent_id != agent_id:
        return refused(pool, command_id, "not-yours", {"offer_id": offer_id})
    if offer.state != "open":
        return refused(pool, command_id, "offer-gone", what_happened(pool, offer))
    return None


def _hand_over(pool: Pool, item: Item, offer: Offer) -> Item:
    sender = pool.bench.seats.get(offer.transfer_from)
    if sender:
        sender.conversations.discard(item.conversation_id)
        sender.free(item.channel)
        pool.touch(sender)
        pool.fill_later(sender)
        told = {"conversation_id": item.conversation_id, "cause": "transfer", "to_agent_id": offer.agent_id}
        pool.tell(sender, "unassigned", told)
    pool.emit(
        Released(item.conversation_id, item.episode, offer.transfer_from, item.assigned_epoch, "transfer")
    )
    if offer.queue_id and offer.queue_id in pool.directory.queue_by_id:
        item = item._replace(queue_id=offer.queue_id)
        sla.promise_again(pool, item)
        item = pool.rekeyed(item)
        announce(pool, item, "transfer", "")
    return item


def announce(pool: Pool, item: Item, cause: str, decision_id: str) -> None:
    """Tell that the item is in its queue now."""
    pool.emit(
        TeamAssigned(
            item.conversation_id,
            item.episode,
            item.queue_id,
            pool.queue_of(item).team_id,
            item.topic,
            item.urgency,
            item.eligible_at_ms,
            item.key_ms,
            cause,
            decision_id,
            "bot" if item.state == "with_bot" else "human",
        )
    )


def routed(pool: Pool, item: Item, filter_index: int) -> str:
    """The waiting item found its queue by that filter: the id of the record that its placement will write."""
    decision_id = pool.next_id()
    pool.routed[item.conversation_id] = (decision_id, filter_index)
    return decision_id
