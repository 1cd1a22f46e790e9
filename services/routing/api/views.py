"""Rows as answers."""

from collections.abc import Mapping

from services.routing.adapters.rows import AgentRow, DecisionRow, ItemRow, OfferRow
from services.routing.api import schemas
from services.routing.api.shapes import instant, shown
from services.routing.domain.directory import Directory
from services.routing.domain.model import Item
from services.routing.domain.queue_policy import boost_parts


def assignment_facts(item: Item, directory: Directory) -> dict[str, object]:
    """The members of `schemas.Assignment`."""
    queue = directory.queue_by_id.get(item.queue_id)
    return {
        "conversation_id": item.conversation_id,
        "episode": item.episode,
        "state": item.state,
        "queue_id": item.queue_id,
        "team_id": queue.team_id if queue else "",
        "agent_id": item.agent_id or None,
        "epoch": item.epoch,
        "offer_id": item.offer_id or None,
        "channel": item.channel,
        "language": item.language,
        "topic": item.topic,
        "urgency": item.urgency,
        "case_reference": item.case_reference,
        "eligible_at": instant(item.eligible_at_ms),
        "waiting_since_at": instant(item.waiting_since_ms),
        "assigned_at": instant(item.assigned_at_ms),
        "due_at": instant(item.due_ms),
        "hops": item.hops,
        "call_back": item.call_back,
    }


def conversation(row: ItemRow, directory: Directory) -> schemas.Conversation:
    clocks = [
        schemas.Clock(
            metric=c.metric,
            instance=c.instance,
            state=c.state,
            target_ms=c.target_ms,
            started_at=instant(c.started_at_ms),
            due_at=instant(c.due_ms),
            warned=c.warned,
            breached=bool(c.breached_due_ms),
            ended_at=instant(c.ended_at_ms),
        )
        for c in row.clocks
    ]
    facts = {**assignment_facts(row.item, directory), **ahead(row.item, directory), "clocks": clocks}
    return schemas.Conversation.model_validate(facts)


def ahead(item: Item, directory: Directory) -> dict[str, object]:
    """What moves an item ahead, with its parts."""
    queue = directory.queue_by_id.get(item.queue_id)
    parts = dict(boost_parts(queue, item)) if queue else {}
    return {"boost_ms": item.boost_ms, "boost_parts": parts, "pinned_at": instant(item.pinned_at_ms)}


def waiting(row: ItemRow, directory: Directory) -> schemas.Waiting:
    item = row.item
    facts = {**assignment_facts(item, directory), **ahead(item, directory), "ring": item.ring}
    return schemas.Waiting.model_validate(facts)


def at_work(row: AgentRow, load: Mapping[str, dict[str, int]], draining: bool) -> schemas.AtWork:
    return schemas.AtWork(
        agent_id=row.profile.agent_id,
        name=row.profile.name,
        teams=list(row.profile.teams),
        presence=row.state.presence,
        since_at=instant(row.state.since_ms),
        reason=row.state.reason,
        draining=draining,
        missed=row.state.missed,
        assigned=load["assigned"],
        offered=load["offered"],
    )


def offer_facts(row: OfferRow, item: Item, directory: Directory) -> dict[str, object]:
    """The members of `schemas.Offer` that the offer and its conversation have themselves."""
    o = row.offer
    queue = directory.queue_by_id.get(o.queue_id or item.queue_id)
    return {
        "offer_id": o.offer_id,
        "conversation_id": o.conversation_id,
        "episode": o.episode,
        "epoch": o.epoch,
        "state": o.state,
        "made_at": instant(o.made_at_ms),
        "expires_at": instant(o.expires_at_ms),
        "transfer_from": o.transfer_from,
        "queue_id": o.queue_id or item.queue_id,
        "team_id": queue.team_id if queue else "",
        "channel": item.channel,
        "language": item.language,
        "topic": item.topic,
        "urgency": item.urgency,
        "case_reference": item.case_reference,
        "eligible_at": instant(item.eligible_at_ms),
        "due_at": instant(item.due_ms),
        "call_back": item.call_back,
    }


def presence(row: AgentRow, lease_until_ms: int, open_offers: int, assigned: int) -> schemas.Presence:
    return schemas.Presence(
        agent_id=row.profile.agent_id,
        name=row.profile.name,
        presence=row.state.presence,
        since_at=instant(row.state.since_ms),
        reason=row.state.reason,
        lease_until_at=instant(lease_until_ms),
        open_offers=open_offers,
        assigned=assigned,
        feed_seq=row.state.feed_seq,
    )


def decision(row: DecisionRow) -> schemas.Decision:
    return schemas.Decision(
        decision_id=row.decision_id, kind=row.kind, at=instant(row.at_ms), record=shown(row.record)
    )
