"""Moving a conversation: back to its queue, to another queue or team, to a named agent. The age goes with
it."""

from __future__ import annotations

from typing import Any

from services.routing.domain import explain, sla
from services.routing.domain.capacity import FREE
from services.routing.domain.commands import Release, Transfer
from services.routing.domain.directory import Queue
from services.routing.domain.events import Released
from services.routing.domain.model import UNDETERMINED, Item, Result
from services.routing.domain.offers import announce, withdraw_all
from services.routing.domain.orders import Escalate, Move
from services.routing.domain.placement import describe_item, offer, wait_anew
from services.routing.domain.replies import done, refused
from services.routing.domain.state import Pool
from services.routing.domain.versions import stale


def release(pool: Pool, command: Release) -> Result:
    """The agent gives the conversation back and is not asked again at once."""
    item = pool.items.get(command.conversation_id)
    refusal = _refusal(pool, command.command_id, command.conversation_id, item, command.agent_id)
    if refusal or item is None:
        return refusal or refused(pool, command.command_id, "not-found", {})
    if item.state != "assigned":
        return refused(pool, command.command_id, "wrong-state", describe_item(pool, item))
    sender = item.agent_id
    item = unassign(pool, item, "released")
    wait_anew(pool, item, sender, "released")
    return done(pool, command.command_id, describe_item(pool, pool.items[item.conversation_id]))


def transfer(pool: Pool, command: Transfer) -> Result:
    """To a queue or team at once; to an agent by an offer."""
    result = _transfer(pool, command)
    asker = pool.bench.seats.get(command.requested_by)
    if asker is not None and not result.ok:
        told = {"conversation_id": command.conversation_id, "slug": result.slug, **_wanted(command)}
        pool.tell(asker, "transfer_refused", {**told, "why": result.body.get("why", "")})
    return result


def _transfer(pool: Pool, command: Transfer) -> Result:
    item = pool.items.get(command.conversation_id)
    refusal = _refusal(pool, command.command_id, command.conversation_id, item, command.agent_id)
    if refusal or item is None:
        return refusal or refused(pool, command.command_id, "not-found", {})
    if item.hops >= pool.directory.hop_limit:
        return _too_often(pool, command, item)
    item = item._replace(hops=item.hops + 1)
    return _bring(pool, command, item, "transfer")


def move(pool: Pool, command: Move) -> Result:
    """A supervisor brings it somewhere; that is no hop."""
    item = pool.items.get(command.conversation_id)
    refusal = stale(pool, command.command_id, command.conversation_id, item, command.expected_version)
    refusal = refusal or _refusal(pool, command.command_id, command.conversation_id, item, "")
    if refusal or item is None:
        return refusal or refused(pool, command.command_id, "not-found", {})
    return _bring(pool, command, item, "move")


def escalate(pool: Pool, command: Escalate) -> Result:
    """Ahead by the queue's escalation boost, and to whom the queue escalates."""
    item = pool.items.get(command.conversation_id)
    refusal = stale(pool, command.command_id, command.conversation_id, item, command.expected_version)
    refusal = refusal or _refusal(pool, command.command_id, command.conversation_id, item, command.agent_id)
    if refusal or item is None:
        return refusal or refused(pool, command.command_id, "not-found", {})
    _escalate(pool, item, "escalated", command.by, command.reason)
    return done(pool, command.command_id, describe_item(pool, pool.items[item.conversation_id]))


def _escalate(pool: Pool, item: Item, cause: str, by: str, reason: str) -> None:
    relief = pool.queue_of(item).relief
    target = pool.directory.queue_by_id.get(relief.escalates_to)
    item = item._replace(escalated_ms=max(item.escalated_ms, relief.escalation_boost_ms))
    pool.put_item(pool.rekeyed(item))
    item = pool.items[item.conversation_id]
    if target is not None and not pool.is_closed(target.queue_id):
        to_queue(pool, item, target, cause, by=by, reason=reason)
        return
    facts = {"boost_ms": item.boost_ms, "by": by, "reason": reason}
    pool.explain(explain.noted(pool, item, cause, **facts))


def _too_often(pool: Pool, command: Transfer, item: Item) -> Result:
    """Handed over so often that somebody else has to look at it."""
    target = pool.directory.queue_by_id.get(pool.queue_of(item).relief.escalates_to)
    if target is None or pool.is_closed(target.queue_id):
        limit = pool.directory.hop_limit
        body = {**describe_item(pool, item), "hop_limit": limit}
        return refused(pool, command.command_id, "too-many-hops", body)
    _escalate(pool, item._replace(hops=item.hops + 1), "hop-limit", command.by, command.reason)
    return done(pool, command.command_id, describe_item(pool, pool.items[item.conversation_id]))


def _bring(pool: Pool, command: Transfer | Move, item: Item, cause: str) -> Result:
    if command.to_agent:
        return _to_agent(pool, command, item, cause)
    queue = _target(pool, command)
    if queue is None:
        return refused(pool, command.command_id, "not-found", _wanted(command))
    if pool.is_closed(queue.queue_id):
        return refused(pool, command.command_id, "queue-closed", {"queue_id": queue.queue_id})
    to_queue(pool, item, queue, cause, by=command.by, reason=command.reason)
    return done(pool, command.command_id, describe_item(pool, pool.items[item.conversation_id]))


def to_queue(pool: Pool, item: Item, queue: Queue, cause: str, *, by: str = "", reason: str = "") -> None:
    """Put the item into the queue, whatever it was doing; the agent who had it is not asked. The item's own hops
    and boosts count, whatever the table says."""
    sender = item.agent_id
    hops, escalated_ms = item.hops, item.escalated_ms
    if item.state == "assigned":
        item = unassign(pool, item, cause)
    elif item.state == "offered":
        item = withdraw_all(pool, item, cause)
    item = item._replace(queue_id=queue.queue_id, pinned_at_ms=0, hops=hops, escalated_ms=escalated_ms)
    facts = {"queue_id": queue.queue_id, "hops": item.hops, "by": by or sender, "reason": reason}
    record = explain.noted(pool, item, cause, **facts)
    pool.explain(record)
    sla.promise_again(pool, item)
    wait_anew(pool, item, sender, cause)
    announce(pool, pool.items[item.conversation_id], cause, record["decision_id"])


def unassign(pool: Pool, item: Item, cause: str) -> Item:
    """End the assignment (and a pending transfer of it); the caller decides where the item goes."""
    item = withdraw_all(pool, item, cause)
    seat = pool.bench.seats.get(item.agent_id)
    if seat:
        seat.conversations.discard(item.conversation_id)
        seat.free(item.channel)
        seat.idle_since_ms = pool.at_ms
        pool.touch(seat)
        pool.fill_later(seat)
        pool.tell(seat, "unassigned", {"conversation_id": item.conversation_id, "cause": cause})
    pool.emit(Released(item.conversation_id, item.episode, item.agent_id, item.assigned_epoch, cause))
    return item


def _to_agent(pool: Pool, command: Transfer | Move, item: Item, cause: str) -> Result:
    seat = pool.bench.seats.get(command.to_agent)
    if seat is None:
        return refused(pool, command.command_id, "not-found", _wanted(command))
    if item.agent_id == command.to_agent:
        return refused(pool, command.command_id, "wrong-state", describe_item(pool, item))
    queue = pool.queue_of(item)
    if queue.team_id not in seat.profile.teams:
        found = (pool.directory.queue_of_team(t) for t in seat.profile.teams)
        queue = next((q for q in found if q), queue)
        if pool.is_closed(queue.queue_id):
            return refused(pool, command.command_id, "queue-closed", {"queue_id": queue.queue_id})
    # A person chose this agent: the language and the preferred skills are theirs to judge.
    last_ring = len(queue.ring_plan)
    signature = pool.signature(item._replace(queue_id=queue.queue_id, ring=last_ring, language=UNDETERMINED))
    verdict = pool.bench.verdict(pool.bench.group_of(seat).key, signature)
    why = verdict if isinstance(verdict, str) else seat.blocked[item.channel]
    if why != FREE:
        return refused(pool, command.command_id, "agent-unavailable", {**_wanted(command), "why": why})
    hops = item.hops
    item = withdraw_all(pool, item, cause)._replace(hops=hops, held_for="", hold_until_ms=0)
    by = command.by or item.agent_id
    facts = {"to_agent_id": seat.agent_id, "hops": hops, "by": by, "reason": command.reason}
    record = explain.noted(pool, item, cause, **facts)
    pool.explain(record)
    moves_to = queue.queue_id if queue.queue_id != item.queue_id else ""
    if item.agent_id:
        made = offer(pool, item, seat, record["decision_id"], item.agent_id, moves_to)
    else:
        if moves_to:
            item = item._replace(queue_id=moves_to)
            sla.promise_again(pool, item)
            item = pool.rekeyed(item)
            announce(pool, item, "transfer", record["decision_id"])
        made = offer(pool, item, seat, record["decision_id"])
    body = {**describe_item(pool, pool.items[item.conversation_id]), "expires_at_ms": made.expires_at_ms}
    return done(pool, command.command_id, body)


def _target(pool: Pool, command: Transfer | Move) -> Queue | None:
    if command.to_queue:
        return pool.directory.queue_by_id.get(command.to_queue)
    of_team = [q for q in pool.directory.queues if q.team_id == command.to_team]
    return next((q for q in of_team if not pool.is_closed(q.queue_id)), of_team[0] if of_team else None)


def _wanted(command: Transfer | Move) -> dict[str, Any]:
    return {"to_queue": command.to_queue, "to_team": command.to_team, "to_agent": command.to_agent}


def _refusal(
    pool: Pool, command_id: str, conversation_id: str, item: Item | None, agent_id: str
) -> Result | None:
    if item is None:
        return refused(pool, command_id, "not-found", {"conversation_id": conversation_id})
    if item.state == "closed":
        return refused(pool, command_id, "wrong-state", describe_item(pool, item))
    if agent_id and item.agent_id != agent_id:
        return refused(pool, command_id, "not-assigned", describe_item(pool, item))
    return None
