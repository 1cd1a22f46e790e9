"""Bringing items and agents together until nothing more fits: no waiting item has an eligible agent with room
after a step, except for holds."""

from __future__ import annotations

from services.routing.domain import explain
from services.routing.domain.capacity import Seat
from services.routing.domain.events import AgentOffered, RingOpened
from services.routing.domain.model import UNDETERMINED, Item, ItemState, Offer
from services.routing.domain.queue_policy import care_of
from services.routing.domain.reserve import yields_until_ms
from services.routing.domain.shadowing import compare_agent, compare_item
from services.routing.domain.state import Pool


def settle(pool: Pool) -> None:
    """Fill the agents who got room, one item each in turn, then place the items that look for an agent.

    In this order, because room that a step frees belongs to whoever waits first, not to whoever moves now.
    """
    while pool.unsettled:
        seats = pool.take_unfilled()
        while seats:
            seats = [seat for seat in seats if _fill_one(pool, seat)]
        for conversation_id, why in pool.take_unplaced():
            item = pool.items[conversation_id]
            if item.state == "waiting":
                place(pool, item, why)


def enter_ring(pool: Pool, item: Item) -> Item:
    """The ring an item starts to wait in: the first in which anybody at all could serve it."""
    queue = pool.queue_of(item)
    first = care_of(queue, item).ring
    if item.ring != first or item.relax_at_ms:
        item = item._replace(ring=first, relax_at_ms=0)
    yields_ms = yields_until_ms(pool.directory, item, pool.at_ms)
    if yields_ms != item.yields_until_ms:
        item = item._replace(yields_until_ms=yields_ms)
    if not item.overflow_at_ms and queue.relief.overflow_after_ms:
        due_ms = max(pool.at_ms + 1, item.waiting_since_ms + queue.relief.overflow_after_ms)
        item = item._replace(overflow_at_ms=due_ms)
    if item.language == UNDETERMINED and not queue.rings:
        return item
    return await_ring(pool, serve_somehow(pool, item))


def serve_somehow(pool: Pool, item: Item) -> Item:
    """The item in the first ring, from its own on, in which anybody could serve it; in its own when in none."""
    for ring in range(item.ring, len(pool.queue_of(item).ring_plan) + 1):
        wider = item._replace(ring=ring)
        if pool.bench.eligible(pool.signature(wider)).groups:
            if ring == item.ring:
                return item
            pool.emit(RingOpened(item.conversation_id, item.episode, ring, "nobody-could-serve"))
            return wider
    return item


def await_ring(pool: Pool, item: Item) -> Item:
    """Say when the next ring opens: counted from the entry into waiting."""
    for ring in pool.queue_of(item).ring_plan[item.ring : item.ring + 1]:
        if ring.after_ms:
            return item._replace(relax_at_ms=max(pool.at_ms + 1, item.waiting_since_ms + ring.after_ms))
    return item._replace(relax_at_ms=0) if item.relax_at_ms else item


def wait_again(pool: Pool, item: Item, excluded: str, why: str) -> None:
    """Back to waiting after an offer that was not accepted: same age, same key, same ring."""
    out = tuple(sorted({*item.excluded, excluded} - {""}))
    recheck = pool.at_ms + pool.queue_of(item).exclusion_ms if out else 0
    pool.put_item(
        item._replace(
            state="waiting",
            offer_id="",
            more_offers=(),
            excluded=out,
            recheck_at_ms=recheck,
            held_for="",
            hold_until_ms=0,
        )
    )
    pool.place_later(item.conversation_id, why)


def wait_anew(pool: Pool, item: Item, excluded: str, why: str) -> None:
    """Into waiting after an assignment ended: same age, rings and exclusions start over."""
    out = (excluded,) if excluded else ()
    item = item._replace(
        state="waiting",
        overflow_at_ms=0,
        agent_id="",
        assigned_at_ms=0,
        assigned_epoch=0,
        offer_id="",
        more_offers=(),
        park_at_ms=0,
        bot_until_ms=0,
        waiting_since_ms=pool.at_ms,
        excluded=out,
        recheck_at_ms=pool.at_ms + pool.queue_of(item).exclusion_ms if out else 0,
        held_for="",
        hold_until_ms=0,
    )
    pool.put_item(enter_ring(pool, pool.rekeyed(item)))
    pool.place_later(item.conversation_id, why)


def place(pool: Pool, item: Item, why: str) -> None:
    """Offer a waiting item to the best agent with room, or explain why it waits on."""
    signature = pool.signature(item)
    choice = pool.bench.choose(signature, item.excluded, item.held_for, yields=item.yields_until_ms > 0)
    record = explain.arrival(pool, item, signature, choice, why)
    pool.explain(record)
    if pool.shadow is not None:
        compare_agent(pool, pool.shadow, item, choice, record["decision_id"])
    if choice.ranked:
        hold_out(pool, item, pool.bench.seats[choice.ranked[0].agent_id], record["decision_id"])
    else:
        pool.unplaced.add(item.conversation_id)


def _fill_one(pool: Pool, seat: Seat) -> bool:
    pick = pool.bench.pick(seat, pool.waiting)
    record = None
    if pick is not None:
        item = pool.items[pick.order[2]]
        record = explain.freed(pool, item, pick, seat.agent_id, seat.load_after(seat.rules[item.channel]))
        pool.explain(record)
    if pool.shadow is not None:
        compare_item(pool, pool.shadow, seat, pick, record["decision_id"] if record else "")
    if record is None:
        return False
    hold_out(pool, item, seat, record["decision_id"])
    return True


def hold_out(pool: Pool, item: Item, seat: Seat, decision_id: str) -> None:
    """Offer a waiting item as its queue wants it: to one agent, to several at once, or as an assignment."""
    queue = pool.queue_of(item)
    offer(pool, item, seat, decision_id)
    if queue.auto_accept:
        pool.accept_later(pool.items[item.conversation_id].offer_id)
        return
    asked = {seat.agent_id}
    while len(asked) < queue.parallel_offers and not item.held_for:
        out = tuple(sorted({*item.excluded, *asked}))
        choice = pool.bench.choose(pool.signature(item), out, "", yields=item.yields_until_ms > 0)
        if not choice.ranked:
            return
        asked.add(choice.ranked[0].agent_id)
        _offer_too(pool, pool.items[item.conversation_id], choice.ranked[0].agent_id, decision_id)


def _offer_too(pool: Pool, item: Item, agent_id: str, decision_id: str) -> None:
    """One more offer of the same epoch."""
    first = pool.offers[item.offer_id]
    made = first._replace(offer_id=pool.next_id(), agent_id=agent_id)
    pool.put_item(item._replace(more_offers=(*item.more_offers, made.offer_id)))
    _make(pool, item, made, decision_id)


def offer(
    pool: Pool, item: Item, seat: Seat, decision_id: str, transfer_from: str = "", queue_id: str = ""
) -> Offer:
    """Hold the item out to an agent and hold his capacity. The item of a transfer stays assigned to its
    sender."""
    made = Offer(
        offer_id=pool.next_id(),
        conversation_id=item.conversation_id,
        episode=item.episode,
        agent_id=seat.agent_id,
        epoch=item.epoch + 1,
        made_at_ms=pool.at_ms,
        expires_at_ms=pool.at_ms + pool.queue_of(item).offer_timeout_ms,
        transfer_from=transfer_from,
        queue_id=queue_id,
    )
    state: ItemState = "assigned" if transfer_from else "offered"
    pool.put_item(item._replace(state=state, offer_id=made.offer_id, epoch=made.epoch, bot_until_ms=0))
    _make(pool, item, made, decision_id)
    return made


def _make(pool: Pool, item: Item, made: Offer, decision_id: str) -> None:
    seat = pool.bench.seats[made.agent_id]
    pool.put_offer(made)
    seat.turn = pool.sequence
    seat.offers.add(made.offer_id)
    seat.hold(item.channel)
    pool.touch(seat)
    pool.emit(
        AgentOffered(
            item.conversation_id,
            item.episode,
            made.offer_id,
            seat.agent_id,
            made.epoch,
            made.expires_at_ms,
            decision_id,
        )
    )
    pool.tell(seat, "offer", describe_offer(pool, made, item))


def describe_offer(pool: Pool, made: Offer, item: Item) -> dict[str, object]:
    """An offer as the agent's front-end sees it."""
    return {
        "offer_id": made.offer_id,
        "conversation_id": made.conversation_id,
        "episode": made.episode,
        "epoch": made.epoch,
        "state": made.state,
        "reason": made.reason,
        "made_at_ms": made.made_at_ms,
        "expires_at_ms": made.expires_at_ms,
        "transfer_from": made.transfer_from,
        "queue_id": made.queue_id or item.queue_id,
        "team_id": pool.directory.queue_by_id[made.queue_id or item.queue_id].team_id,
        "channel": item.channel,
        "language": item.language,
        "topic": item.topic,
        "urgency": item.urgency,
        "case_reference": item.case_reference,
        "eligible_at_ms": item.eligible_at_ms,
        "due_ms": item.due_ms,
        "call_back": item.call_back,
    }


def describe_item(pool: Pool, item: Item) -> dict[str, object]:
    """A conversation as the routing API shows it."""
    queue = pool.directory.queue_by_id.get(item.queue_id)
    return {
        "conversation_id": item.conversation_id,
        "episode": item.episode,
        "state": item.state,
        "queue_id": item.queue_id,
        "team_id": queue.team_id if queue else "",
        "agent_id": item.agent_id,
        "epoch": item.epoch,
        "offer_id": item.offer_id,
        "channel": item.channel,
        "language": item.language,
        "topic": item.topic,
        "urgency": item.urgency,
        "case_reference": item.case_reference,
        "eligible_at_ms": item.eligible_at_ms,
        "waiting_since_ms": item.waiting_since_ms,
        "assigned_at_ms": item.assigned_at_ms,
        "due_ms": item.due_ms,
        "call_back": item.call_back,
        "hops": item.hops,
        "bot_until_ms": item.bot_until_ms,
    }
