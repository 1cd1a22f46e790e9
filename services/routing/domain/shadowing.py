"""A second policy decides beside the live one, in the same moment of the same pool, and nobody acts on it."""

from __future__ import annotations

from dataclasses import replace

from services.routing.domain.capacity import Seat
from services.routing.domain.groups import Choice, Pick
from services.routing.domain.model import Item, Result
from services.routing.domain.orders import PutShadow
from services.routing.domain.policy import ShadowPolicy
from services.routing.domain.queue import signature_in
from services.routing.domain.replies import done, refused
from services.routing.domain.shadow import Difference, Shadow
from services.routing.domain.state import Pool


def put_shadow(pool: Pool, command: PutShadow) -> Result:
    """Another second policy, or none."""
    problems = list(command.directory.problems()) if command.directory else []
    if problems:
        return refused(pool, command.command_id, "invalid-directory", {"problems": problems[:50]})
    directory = replace(command.directory, version=pool.directory.version) if command.directory else None
    policy = ShadowPolicy(command.name, pool.at_ms, command.by, directory)
    cast(pool, policy)
    pool.step.shadow = policy
    return done(pool, command.command_id, {"name": command.name, "on": directory is not None})


def cast(pool: Pool, policy: ShadowPolicy | None) -> None:
    """Let the policy look on from now on."""
    if policy is None or policy.directory is None:
        pool.shadow = None
        return
    pool.shadow = Shadow(policy, policy.directory)
    pool.shadow.agents.update(pool.bench.seats)
    pool.shadow.items.update(i for i, item in pool.items.items() if item.state == "waiting")


def compare_queue(pool: Pool, shadow: Shadow, item: Item, queue_hint: str, matched: str) -> None:
    """A conversation came in: do the filters of both name the same queue?"""
    theirs = shadow.routed(item, queue_hint, matched)
    _note(pool, Difference("queue", item.conversation_id, "", matched, theirs, ""))


def compare_agent(pool: Pool, shadow: Shadow, item: Item, choice: Choice, decision_id: str) -> None:
    """An item looked for an agent."""
    shadow.look(pool.items, pool.bench.seats, pool.offers, pool.at_ms)
    seen = shadow.seen(item, pool.at_ms)
    signature = signature_in(shadow.directory, seen)
    other = shadow.bench.choose(
        signature, item.excluded, item.held_for, yields=seen.yields_until_ms > 0
    ).ranked
    live = choice.ranked[0].agent_id if choice.ranked else ""
    theirs = other[0].agent_id if other else ""
    _note(pool, Difference("agent", item.conversation_id, "", live, theirs, decision_id))


def compare_item(pool: Pool, shadow: Shadow, seat: Seat, pick: Pick | None, decision_id: str) -> None:
    """An agent with room looked for an item."""
    shadow.look(pool.items, pool.bench.seats, pool.offers, pool.at_ms)
    mirrored = shadow.bench.seats.get(seat.agent_id)
    other = shadow.bench.pick(mirrored, shadow.waiting) if mirrored is not None else None
    live, theirs = (found.order[2] if found else "" for found in (pick, other))
    if live or theirs:
        _note(pool, Difference("conversation", live or theirs, seat.agent_id, live, theirs, decision_id))


def _note(pool: Pool, compared: Difference) -> None:
    pool.step.compared += 1
    if compared.live != compared.shadow:
        pool.step.differences.append(compared)
