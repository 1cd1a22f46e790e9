"""The records that answer "why": plain dicts of bounded size, the same on every run over the same
commands."""

from __future__ import annotations

from typing import Any

from services.routing.domain.choice import COMPONENTS, Candidate
from services.routing.domain.groups import Choice, Pick
from services.routing.domain.model import Item
from services.routing.domain.queue import Signature
from services.routing.domain.queue_policy import boost_parts
from services.routing.domain.state import Pool


def arrival(pool: Pool, item: Item, signature: Signature, choice: Choice, why: str) -> dict[str, Any]:
    """An item looked for an agent: whom it got and who came next, or why nobody."""
    record = _record(pool, item, signature, "offer" if choice.ranked else "wait", why)
    record["agents"] = choice.reasons
    if choice.ranked:
        best = choice.ranked[0]
        record["pick"] = choice.rule
        record["chosen"] = _candidate(choice.rule, best)
        record["runners_up"] = [_loser(choice.rule, best, other) for other in choice.ranked[1:4]]
    else:
        record["waiting"] = len(pool.waiting)
    return record


def freed(pool: Pool, item: Item, pick: Pick, agent_id: str, load: int) -> dict[str, Any]:
    """An agent with room took the first item he can serve."""
    record = _record(pool, item, pick.signature, "offer", "agent-free")
    record["chosen"] = {"agent_id": agent_id, "load": load}
    record["passed_over"] = [
        {"conversation_id": order[2], "key_ms": order[0], "why": reason} for order, reason in pick.passed_over
    ]
    record["waiting"] = len(pool.waiting)
    return record


def noted(pool: Pool, item: Item, kind: str, **facts: Any) -> dict[str, Any]:
    """Anything else that was decided about an item."""
    return {
        "decision_id": pool.next_id(),
        "at_ms": pool.at_ms,
        "kind": kind,
        "cause": pool.cause,
        "policy_version": pool.directory.version,
        "conversation_id": item.conversation_id,
        "episode": item.episode,
        **facts,
    }


def _record(pool: Pool, item: Item, signature: Signature, kind: str, why: str) -> dict[str, Any]:
    """The common part; of an item that has just found its queue it also says by which filter."""
    if item.conversation_id in pool.routed:
        decision_id, filter_index = pool.routed.pop(item.conversation_id)
    else:
        decision_id, filter_index = pool.next_id(), -1
    record: dict[str, Any] = {
        "decision_id": decision_id,
        "at_ms": pool.at_ms,
        "kind": kind,
        "cause": why,
        "policy_version": pool.directory.version,
        "conversation_id": item.conversation_id,
        "episode": item.episode,
        "queue_id": item.queue_id,
        "channel": item.channel,
        "language": item.language,
        "language_rule": _language_rule(pool, item),
        "skills": list(signature.skills),
        "ring": item.ring,
        "eligible_at_ms": item.eligible_at_ms,
        "due_ms": item.due_ms,
        "boost_ms": item.boost_ms,
        "boost_parts": dict(boost_parts(pool.queue_of(item), item)),
        "key_ms": item.key_ms,
        "excluded": list(item.excluded[:8]),
        "affinity": item.held_for,
        "clocks": clocks_of(pool, item),
    }
    if filter_index >= 0:
        record["filter"] = filter_index
        record["topic"] = item.topic
        record["urgency"] = item.urgency
    return record


def clocks_of(pool: Pool, item: Item) -> list[dict[str, Any]]:
    """The promises that are not settled; the one whose due is the item's decides its place."""
    return [
        {
            "metric": clock.metric,
            "instance": clock.instance,
            "state": clock.state,
            "target_ms": clock.target_ms,
            "due_ms": clock.due_ms,
            "breached": clock.breached_due_ms > 0,
        }
        for clock in pool.clocks.get(item.conversation_id, ())
        if clock.unfulfilled
    ]


def _language_rule(pool: Pool, item: Item) -> str:
    dropped = item.ring and any(r.drop_language for r in pool.queue_of(item).ring_plan[: item.ring])
    return "preferred" if dropped else "required"


def _candidate(rule: str, candidate: Candidate) -> dict[str, Any]:
    return dict(zip(COMPONENTS[rule], candidate.rank, strict=True))


def _loser(rule: str, best: Candidate, other: Candidate) -> dict[str, Any]:
    record = _candidate(rule, other)
    named = zip(COMPONENTS[rule], best.rank, other.rank, strict=True)
    record["lost_by"] = next(name for name, mine, his in named if mine != his)
    return record
