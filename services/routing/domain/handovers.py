"""What people order about where a conversation goes: back to its queue, to another queue or team, to a named agent, to
whoever helps."""

from __future__ import annotations

from typing import Any

from services.routing.domain import explain, sla
from services.routing.domain.capacity import FREE
from services.routing.domain.commands import Release, Transfer
from services.routing.domain.crossing import leave
from services.routing.domain.escalation import escalate
from services.routing.domain.model import UNDETERMINED, Item, Result
from services.routing.domain.offers import announce, withdraw_all
from services.routing.domain.orders import Escalate, Move
from services.routing.domain.placement import describe_item, offer, wait_anew
from services.routing.domain.queue_policy import Queue
from services.routing.domain.replies import done, refused
from services.routing.domain.state import Pool
from services.routing.domain.transfers import to_queue, unassign
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


def call_for_help(pool: Pool, command: Escalate) -> Result:
    """A person escalates: ahead by the queue's escalation boost, and to whom the queue escalates."""
    item = pool.items.get(command.conversation_id)
    refusal = stale(pool, command.command_id, command.conversation_id, item, command.expected_version)
    refusal = refusal or _refusal(pool, command.command_id, command.conversation_id, item, command.agent_id)
    if refusal or item is None:
        return refusal or refused(pool, command.command_id, "not-found", {})
    item = escalate(pool, item, "person", command.by, command.reason)
    return done(pool, command.command_id, describe_item(pool, item))


def _too_often(pool: Pool, command: Transfer, item: Item) -> Result:
    """Handed over so often that somebody else has to look at it."""
    target = pool.directory.queue_by_id.get(pool.queue_of(item).relief.escalates_to)
    if target is None or pool.is_closed(target.queue_id):
        limit = pool.directory.hop_limit
        body = {**describe_item(pool, item), "hop_limit": limit}
        return refused(pool, command.command_id, "too-many-hops", body)
    by = command.by or command.requested_by or command.agent_id
    item = escalate(pool, item._replace(hops=item.hops + 1), "hops", by, command.reason)
    return done(pool, command.command_id, describe_item(pool, item))


def _bring(pool: Pool, command: Transfer | Move, item: Item, cause: str) -> Result:
    if command.to_pool not in ("", pool.pool_id):
        return leave(pool, item, command, cause)
    if command.to_agent:
        return _to_agent(pool, command, item, cause)
    queue = _target(pool, command)
    if queue is None:
        return refused(pool, command.command_id, "not-found", _wanted(command))
    if pool.is_closed(queue.queue_id):
        return refused(pool, command.command_id, "queue-closed", {"queue_id": queue.queue_id})
    to_queue(pool, item, queue, cause, by=command.by, reason=command.reason)
    return done(pool, command.command_id, describe_item(pool, pool.items[item.conversation_id]))


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
        if moves_to or item.state == "with_bot":
            item = item._replace(queue_id=queue.queue_id, state="offered")
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
