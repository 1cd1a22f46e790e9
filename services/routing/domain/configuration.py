"""Changes of the directory: applied as commands, so that a replay decides as it was decided then."""

from __future__ import annotations

from dataclasses import replace

from services.routing.domain import bots, explain, sla
from services.routing.domain.capacity import Seat
from services.routing.domain.commands import PutAgent, PutDirectory, RemoveAgent
from services.routing.domain.directory import AgentProfile, Directory, version_of
from services.routing.domain.events import PersonChanged, TeamChanged
from services.routing.domain.model import AgentState, Item, Result
from services.routing.domain.offers import announce, withdraw
from services.routing.domain.overflow import entry
from services.routing.domain.placement import await_ring, enter_ring, serve_somehow, wait_anew
from services.routing.domain.presence import describe
from services.routing.domain.replies import done, refused
from services.routing.domain.skills import skill_problems
from services.routing.domain.state import Pool
from services.routing.domain.transfers import unassign


def put_directory(pool: Pool, command: PutDirectory) -> Result:
    """Replace the policy; items of queues that are gone are routed anew."""
    before, after = pool.directory, command.directory
    if command.expected_version and command.expected_version != before.version:
        return refused(pool, command.command_id, "stale-version", {"version": before.version})
    problems = list(after.problems())
    for _, seat in sorted(pool.bench.seats.items()):
        problems += agent_problems(after, seat.profile)
    if problems:
        return refused(pool, command.command_id, "invalid-directory", {"problems": problems[:50]})
    pool.directory = replace(after, version=before.version + 1)
    pool.step.directory = pool.directory
    for notice in [n for n in pool.notices.values() if n.kind in ("queue", "unserved")]:
        if notice.about not in pool.directory.queue_by_id:
            pool.put_notice(notice._replace(lifted=True))
    _tell_teams(pool, before)
    _reseat_all(pool)
    for conversation_id in sorted(pool.items):
        if pool.items[conversation_id].state != "closed":
            _move(pool, pool.items[conversation_id])
    for seat in pool.bench.seats.values():
        pool.fill_later(seat)
    return done(pool, command.command_id, {"version": pool.directory.version})


def put_agent(pool: Pool, command: PutAgent) -> Result:
    """Add or change an agent. Conversations he has stay his; offers he may no longer serve are rescinded."""
    profile = command.agent
    old = pool.bench.seats.get(profile.agent_id)
    if stale := _stale(pool, command, profile.agent_id, old):
        return stale
    problems = agent_problems(pool.directory, profile)
    if problems:
        return refused(pool, command.command_id, "invalid-agent", {"problems": problems})
    capacity = pool.directory.capacity_by_id[profile.capacity_id]
    if old is None:
        state = pool.retired.pop(profile.agent_id, AgentState(profile.agent_id))
        seat = Seat(profile, capacity, state)
        seat.stopped = pool.drains(profile.agent_id)
    else:
        for offer_id in sorted(old.offers):
            withdraw(pool, pool.offers[offer_id], "rescinded", "agent-changed")
        pool.bench.unseat(profile.agent_id)
        seat = _carry(pool, old, Seat(profile, capacity, old.state()))
    seat.keep_pace(pool.at_ms)
    pool.timers.watch_pace(seat)
    pool.bench.seat(seat)
    pool.touch(seat)
    pool.step.profiles[profile.agent_id] = profile
    pool.emit(PersonChanged(profile, removed=False))
    _widen(pool)
    pool.fill_later(seat)
    return done(pool, command.command_id, {**describe(seat), "created": old is None})


def remove_agent(pool: Pool, command: RemoveAgent) -> Result:
    seat = pool.bench.seats.get(command.agent_id)
    if stale := _stale(pool, command, command.agent_id, seat):
        return stale
    if seat is None:
        return refused(pool, command.command_id, "not-found", {"agent_id": command.agent_id})
    seat.presence = "offline"
    pool.touch(seat)
    for offer_id in sorted(seat.offers):
        withdraw(pool, pool.offers[offer_id], "rescinded", "agent-removed")
    for conversation_id in sorted(seat.conversations):
        item = unassign(pool, pool.items[conversation_id], "agent-removed")
        wait_anew(pool, item, "", "agent-removed")
    for conversation_id in pool.waiting.held_for(seat.agent_id):
        pool.put_item(pool.items[conversation_id]._replace(held_for="", hold_until_ms=0))
        pool.place_later(conversation_id, "hold-ended")
    pool.bench.unseat(seat.agent_id)
    pool.retired[seat.agent_id] = seat.state()
    pool.step.removed_agents.append(seat.agent_id)
    if drained := pool.notices.get(("agent", seat.agent_id)):
        pool.put_notice(drained._replace(lifted=True))
    pool.emit(PersonChanged(seat.profile, removed=True))
    _widen(pool)
    return done(pool, command.command_id, {"agent_id": seat.agent_id})


def _stale(pool: Pool, command: PutAgent | RemoveAgent, agent_id: str, seat: Seat | None) -> Result | None:
    """The refusal of an edit whose entry has changed meanwhile."""
    version = version_of(seat.profile if seat else None)
    if command.expected_version in ("", version):
        return None
    return refused(pool, command.command_id, "stale-version", {"agent_id": agent_id, "version": version})


def _carry(pool: Pool, old: Seat, seat: Seat) -> Seat:
    """Give the seat what the agent has, counted by the seat's own capacity policy."""
    seat.stopped = old.stopped
    for conversation_id in old.conversations:
        seat.conversations.add(conversation_id)
        seat.hold(pool.items[conversation_id].channel)
    for offer_id in old.offers:
        seat.offers.add(offer_id)
        seat.hold(pool.items[pool.offers[offer_id].conversation_id].channel)
    return seat


def agent_problems(directory: Directory, profile: AgentProfile) -> list[str]:
    """What is wrong with an agent's entry under a directory, one sentence each."""
    teams = {t.team_id for t in directory.teams}
    found = [f"agent {profile.agent_id!r}: unknown team {t!r}" for t in profile.teams if t not in teams]
    if profile.capacity_id not in directory.capacity_by_id:
        found.append(f"agent {profile.agent_id!r}: unknown capacity policy {profile.capacity_id!r}")
    found += skill_problems(f"agent {profile.agent_id!r}", profile.skills, directory.skills)
    if not profile.agent_id:
        found.append("an agent has no id")
    return found


def _reseat_all(pool: Pool) -> None:
    seats = list(pool.bench.seats.values())
    pool.bench = pool.bench_type(pool.directory)
    for old in seats:
        seat = Seat(old.profile, pool.directory.capacity_by_id[old.profile.capacity_id], old.state())
        _carry(pool, old, seat).keep_pace(pool.at_ms)
        pool.timers.watch_pace(seat)
        pool.bench.seat(seat)


def _move(pool: Pool, item: Item) -> None:
    """Bring one item under the new directory: another queue if its own is gone, ring and key as they are
    now."""
    gone = item.queue_id not in pool.directory.queue_by_id
    filter_index = -1
    if gone:
        queue, filter_index = pool.directory.route(item.topic, item.language, item.urgency, item.channel, "")
        item = item._replace(queue_id=entry(pool, queue)[0].queue_id)
    sla.promise_again(pool, item)
    item = pool.rekeyed(item)
    if item.state == "waiting":
        item = enter_ring(pool, item._replace(overflow_at_ms=0))
        pool.place_later(item.conversation_id, "directory-changed")
    pool.put_item(item)
    if gone:
        record = explain.noted(pool, item, "route", queue_id=item.queue_id, filter=filter_index)
        pool.explain(record)
        announce(pool, item, "queue-removed", record["decision_id"])
    if item.state == "with_bot" and not bots.serves(pool.queue_of(item)):
        bots.to_people(pool, item, "directory-changed")


def _widen(pool: Pool) -> None:
    """Open the next ring for waiting items that nobody can serve any more."""
    lost = {
        signature
        for signature, bucket in pool.waiting.buckets.items()
        if bucket.size
        and not pool.bench.eligible(signature).groups
        and signature.ring < len(pool.directory.queue_by_id[signature.queue_id].ring_plan)
    }
    if not lost:
        return
    for conversation_id in sorted(pool.items):
        item = pool.items[conversation_id]
        if item.state == "waiting" and pool.signature(item) in lost:
            wider = serve_somehow(pool, item)
            if wider is not item:
                pool.put_item(await_ring(pool, wider._replace(relax_at_ms=0)))
                pool.place_later(item.conversation_id, "ring-opened")


def _tell_teams(pool: Pool, before: Directory) -> None:
    old = {t.team_id: t for t in before.teams}
    new = {t.team_id: t for t in pool.directory.teams}
    for team_id, team in new.items():
        if old.get(team_id) != team:
            pool.emit(TeamChanged(team, removed=False))
    for team_id in sorted(old.keys() - new.keys()):
        pool.emit(TeamChanged(old[team_id], removed=True))
