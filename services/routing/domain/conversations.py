"""What happens to a conversation outside routing: it opens, is understood better, is answered, waits,
ends."""

from __future__ import annotations

from services.routing.domain import bots, escalation, explain, messages, parking, sla
from services.routing.domain.affinity import hold_for_acquaintance
from services.routing.domain.commands import (
    Close,
    CustomerWrote,
    Enqueue,
    Reclassify,
    RecordReply,
    RecordStatus,
)
from services.routing.domain.events import Released
from services.routing.domain.model import UNDETERMINED, UNKNOWN_TOPIC, URGENCIES, Item, Result
from services.routing.domain.offers import announce, routed, withdraw_all
from services.routing.domain.orders import CallBack
from services.routing.domain.overflow import entry, out_of_hours
from services.routing.domain.placement import describe_item, enter_ring
from services.routing.domain.replies import done, refused
from services.routing.domain.shadowing import compare_queue
from services.routing.domain.state import Pool


def enqueue(pool: Pool, command: Enqueue) -> None:
    """A new episode waits for a person. A repeated or an older one changes nothing."""
    known = pool.items.get(command.conversation_id)
    if known is not None and command.episode <= known.episode:
        return
    if known is not None and known.state != "closed":
        end(pool, known, "superseded", pool.at_ms)
        known = pool.items[command.conversation_id]
    started_at_ms = min(command.started_at_ms, pool.at_ms)
    queue, filter_index = pool.directory.route(
        command.topic, command.language, command.urgency, command.channel, command.queue_hint
    )
    matched = queue
    queue, elsewhere = entry(pool, matched)
    item = Item(
        conversation_id=command.conversation_id,
        episode=command.episode,
        state="waiting",
        queue_id=queue.queue_id,
        channel=command.channel,
        language=command.language,
        topic=command.topic,
        urgency=command.urgency,
        skills=tuple(sorted(command.skills)),
        eligible_at_ms=started_at_ms,
        waiting_since_ms=pool.at_ms,
        boost_ms=0,
        due_ms=0,
        key_ms=0,
        epoch=known.epoch if known else 0,
        last_agent_id=known.last_agent_id if known else "",
        replied=known.replied if known else False,
        human_version=command.human_version,
        customer_id=command.customer_id,
        case_reference=command.case_reference,
        tier=command.tier,
        debt=command.debt,
        known_by=command.preferred_agent,
        avoided=command.avoid_agents,
        answers=known.answers if known else (),
    )
    if pool.shadow is not None:
        compare_queue(pool, pool.shadow, item, command.queue_hint, matched.queue_id)
    item = messages.wrote(item, command.first_seq, started_at_ms)
    sla.open_clocks(pool, item)
    cause = elsewhere or ("reopened" if known else "opened")
    if command.handling == "bot" and bots.serves(queue) and not command.escalate:
        bots.begin(pool, pool.rekeyed(item), cause, filter_index)
        return
    item = enter_ring(pool, pool.rekeyed(item))
    item = hold_for_acquaintance(pool, item)
    pool.put_item(item)
    announce(pool, item, cause, routed(pool, item, filter_index))
    if elsewhere:
        facts = {"why": elsewhere, "from_queue_id": matched.queue_id, "queue_id": queue.queue_id}
        pool.explain(explain.noted(pool, item, "redirected", **facts))
    escalation.by_rule(pool, item, command.escalated_by, command.escalate, moves=True)
    out_of_hours(pool, pool.items[item.conversation_id])
    pool.place_later(item.conversation_id, cause)


def reclassify(pool: Pool, command: Reclassify) -> None:
    """Raise the boost; take topic and language only while nothing but the machine has touched the item."""
    item = pool.items.get(command.conversation_id)
    if item is None or item.episode != command.episode or item.state == "closed":
        return
    touched = (
        item.human_version > command.based_on_human_version
        or item.state not in ("waiting", "with_bot")
        or item.replied
    )
    _understand(pool, item, command, touched=touched)
    item = pool.items[command.conversation_id]
    escalation.by_rule(pool, item, command.escalated_by, command.escalate, moves=not touched)


def _understand(pool: Pool, item: Item, command: Reclassify, *, touched: bool) -> None:
    after = item
    if URGENCIES.index(command.urgency) > URGENCIES.index(item.urgency):
        after = after._replace(urgency=command.urgency)
    topic_news = item.topic == UNKNOWN_TOPIC != command.topic
    language_news = item.language == UNDETERMINED != command.language
    if touched:
        if topic_news or language_news:
            pool.explain(explain.noted(pool, item, "dropped", why="a human acted since", topic=command.topic))
    elif topic_news or language_news:
        after = after._replace(
            topic=command.topic if topic_news else item.topic,
            language=command.language if language_news else item.language,
        )
    hinted = command.insist and not touched and _by_hint(pool, after, command.queue_hint) != item.queue_id
    if (after.topic, after.language) != (item.topic, item.language) or hinted:
        # A hint that came with a topic which is not taken would send the item after that topic.
        _route_again(pool, after, command.queue_hint if topic_news or hinted else "")
        return
    if after is item:
        return
    sla.promise_again(pool, after)
    sla.rekey(pool, after)
    pool.explain(explain.noted(pool, after, "urgency", urgency=after.urgency, was=item.urgency))


def record_reply(pool: Pool, command: RecordReply) -> None:
    """A human reply meets the promise of a response, whoever wrote it."""
    item = before = pool.items.get(command.conversation_id)
    if item is None or before is None or command.episode < item.episode:
        return
    if command.human:
        version = max(item.human_version, command.human_version)
        if not item.replied or version != item.human_version:
            item = item._replace(replied=True, human_version=version)
        item = messages.answered(item, command.after_seq, command.replied_at_ms)
        sla.replied(pool, item, before, command.replied_at_ms)
    else:
        sla.automatically_replied(pool, item, command.replied_at_ms)
        if command.bot and command.episode == item.episode:
            item = bots.said(pool, item, by_bot=True)
    if item.state == "with_bot" and command.human:
        bots.to_people(pool, item, "person-replied")
    elif item.state != "closed":
        sla.rekey(pool, item)
    elif item is not before:
        pool.put_item(item)


def record_status(pool: Pool, command: RecordStatus) -> None:
    """The status says which clocks run; pending_customer may park the item, every other one brings it back."""
    item = pool.items.get(command.conversation_id)
    if item is None or item.episode != command.episode or item.state == "closed":
        return
    pause = command.status == "pending_customer"
    version = max(item.human_version, command.human_version)
    if command.status != item.status or version != item.human_version:
        changed = command.status != item.status
        item = item._replace(status=command.status, paused=pause, human_version=version)
        if changed:
            sla.status_changed(pool, item, min(command.changed_at_ms, pool.at_ms))
    item = sla.rekey(pool, parking.expected(pool, item))
    if item.state == "parked" and not pause:
        parking.bring_back(pool, item, pool.at_ms)


def customer_wrote(pool: Pool, command: CustomerWrote) -> None:
    """The customer waits for an answer; a parked conversation comes back."""
    item = pool.items.get(command.conversation_id)
    if item is None or item.episode != command.episode or item.state == "closed":
        return
    wrote_at_ms = min(command.wrote_at_ms, pool.at_ms)
    if item.park_at_ms:
        item = item._replace(park_at_ms=0)
    item = bots.said(pool, item, by_bot=False)
    replied_at_ms = messages.answer_to(item, command.seq, wrote_at_ms)
    if not replied_at_ms:
        item = messages.wrote(item, command.seq, wrote_at_ms)
        sla.customer_wrote(pool, item)
    elif messages.after_an_answer(item, command.seq, wrote_at_ms):
        sla.answered_before(pool, item, wrote_at_ms, replied_at_ms)
    if item.state == "parked":
        parking.bring_back(pool, item, wrote_at_ms)
    else:
        sla.rekey(pool, item)


def call_back(pool: Pool, command: CallBack) -> Result:
    """The place and the age are kept: being called is no worse than waiting."""
    item = pool.items.get(command.conversation_id)
    if item is None:
        return refused(pool, command.command_id, "not-found", {"conversation_id": command.conversation_id})
    if item.state not in ("waiting", "offered"):
        return refused(pool, command.command_id, "wrong-state", describe_item(pool, item))
    if command.on and not pool.queue_of(item).relief.call_back:
        return refused(pool, command.command_id, "no-call-back", {"queue_id": item.queue_id})
    if command.on != item.call_back:
        item = item._replace(call_back=command.on)
        pool.put_item(item)
        kind = "call-back" if command.on else "waits-again"
        pool.explain(explain.noted(pool, item, kind, by=command.by, reason=command.reason))
    return done(pool, command.command_id, describe_item(pool, item))


def close(pool: Pool, command: Close) -> None:
    """The episode is over; an older or a repeated end changes nothing."""
    item = pool.items.get(command.conversation_id)
    if item is None or item.state == "closed" or command.episode != item.episode:
        return
    end(pool, item, command.cause, min(command.closed_at_ms, pool.at_ms))


def end(pool: Pool, item: Item, cause: str, at_ms: int) -> None:
    """Rescind the offer, free the agent, settle the promises."""
    item = withdraw_all(pool, item, "closed")
    seat = pool.bench.seats.get(item.agent_id)
    if seat:
        seat.conversations.discard(item.conversation_id)
        seat.free(item.channel)
        seat.idle_since_ms = pool.at_ms
        pool.touch(seat)
        pool.fill_later(seat)
        pool.tell(seat, "unassigned", {"conversation_id": item.conversation_id, "cause": cause})
    if item.agent_id:
        pool.emit(Released(item.conversation_id, item.episode, item.agent_id, item.assigned_epoch, cause))
    sla.closed(pool, item, cause, at_ms)
    pool.put_item(
        item._replace(
            state="closed",
            agent_id="",
            assigned_at_ms=0,
            assigned_epoch=0,
            offer_id="",
            more_offers=(),
            park_at_ms=0,
            bot_until_ms=0,
            returning=False,
            held_for="",
            hold_until_ms=0,
            paused=False,
            status="open",
            unanswered=(),
            closed_at_ms=pool.at_ms,
        )
    )


def _by_hint(pool: Pool, item: Item, queue_hint: str) -> str:
    if not queue_hint:
        return item.queue_id
    route = pool.directory.route(item.topic, item.language, item.urgency, item.channel, queue_hint)
    return route[0].queue_id


def _route_again(pool: Pool, item: Item, queue_hint: str) -> None:
    queue, filter_index = pool.directory.route(
        item.topic, item.language, item.urgency, item.channel, queue_hint
    )
    queue, _ = entry(pool, queue)
    moved = queue.queue_id != item.queue_id
    another_language = pool.items[item.conversation_id].language != item.language
    item = item._replace(queue_id=queue.queue_id)
    sla.promise_again(pool, item)
    item = pool.rekeyed(item)
    if item.state == "waiting" and (moved or another_language):
        item = enter_ring(pool, item._replace(overflow_at_ms=0))
    pool.put_item(item)
    if item.state == "with_bot":
        if not bots.serves(queue):
            bots.to_people(pool, item, "reclassified")
        elif moved:
            announce(pool, item, "reclassified", "")
        return
    decision_id = routed(pool, item, filter_index)
    if moved:
        announce(pool, item, "reclassified", decision_id)
    pool.place_later(item.conversation_id, "understood")
