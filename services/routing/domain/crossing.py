"""Across pools: a release in one and, as a command, the next epoch in the other. In between the log has the conversation.

It keeps its age, its clocks, its boosts and its hops; rings and the wait count from when it comes in.
"""

from __future__ import annotations

from services.routing.domain import explain, sla
from services.routing.domain.affinity import hold
from services.routing.domain.commands import Adopt, Transfer
from services.routing.domain.events import LeftPool
from services.routing.domain.model import Item, Result
from services.routing.domain.offers import announce, withdraw_all
from services.routing.domain.orders import Move
from services.routing.domain.overflow import entry, out_of_hours
from services.routing.domain.placement import describe_item, enter_ring
from services.routing.domain.queue_policy import Queue
from services.routing.domain.replies import done
from services.routing.domain.state import Pool
from services.routing.domain.transfers import unassign


def leave(pool: Pool, item: Item, command: Transfer | Move, cause: str) -> Result:
    """The conversation goes to the other pool; nobody is asked, since nobody here can answer for it."""
    sender = item.agent_id
    hops = item.hops
    item = unassign(pool, item, cause) if item.state == "assigned" else withdraw_all(pool, item, cause)
    item = item._replace(
        agent_id="",
        assigned_at_ms=0,
        assigned_epoch=0,
        offer_id="",
        more_offers=(),
        excluded=(),
        recheck_at_ms=0,
        held_for="",
        hold_until_ms=0,
        park_at_ms=0,
        overflow_at_ms=0,
        pinned_at_ms=0,
        yields_until_ms=0,
        bot_until_ms=0,
        hops=hops,
    )
    by = command.by or sender
    target = {"to_queue": command.to_queue, "to_team": command.to_team, "to_agent": command.to_agent}
    facts = {"to_pool_id": command.to_pool, **target, "by": by, "reason": command.reason}
    pool.explain(explain.noted(pool, item, "left-pool", **facts))
    clocks = pool.clocks.pop(item.conversation_id, ())
    pool.put_item(item._replace(state="closed", closed_at_ms=pool.at_ms, moved_to=command.to_pool))
    pool.emit(LeftPool(item, clocks, command.to_pool, **target, by=by, reason=command.reason))
    body = {**describe_item(pool, item), "state": "moved", "pool_id": command.to_pool, "agent_id": ""}
    return done(pool, command.command_id, body)


def adopt(pool: Pool, command: Adopt) -> None:
    """It waits here now: where it was sent to, or where the filters say when that is gone or closed."""
    given = command.item
    known = pool.items.get(given.conversation_id)
    if known is not None and known.epoch > given.epoch:
        return
    queue = _target(pool, command)
    filter_index = -1
    if queue is None:
        queue, filter_index = pool.directory.route(
            given.topic, given.language, given.urgency, given.channel, ""
        )
    queue, _ = entry(pool, queue)
    item = given._replace(
        state="waiting",
        queue_id=queue.queue_id,
        epoch=given.epoch + 1,
        waiting_since_ms=pool.at_ms,
        ring=0,
        relax_at_ms=0,
        moved_to="",
    )
    for clock in command.clocks:
        pool.put_clock(clock)
    pool.put_item(item)
    sla.promise_again(pool, item)
    item = enter_ring(pool, pool.rekeyed(item))
    item = hold(pool, item, command.to_agent)
    pool.put_item(item)
    facts = {"from_pool_id": command.from_pool, "queue_id": item.queue_id, "filter": filter_index}
    record = explain.noted(pool, item, "adopted", **facts, by=command.by, reason=command.reason)
    pool.explain(record)
    announce(pool, item, "transfer", record["decision_id"])
    out_of_hours(pool, item)
    pool.place_later(item.conversation_id, "transfer")


def _target(pool: Pool, command: Adopt) -> Queue | None:
    known = pool.directory.queue_by_id
    if command.to_queue:
        return known.get(command.to_queue)
    seat = pool.bench.seats.get(command.to_agent)
    teams = seat.profile.teams if seat is not None else (command.to_team,)
    found = (pool.directory.queue_of_team(team_id) for team_id in teams)
    return next((queue for queue in found if queue is not None), None)
