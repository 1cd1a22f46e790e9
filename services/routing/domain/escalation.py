"""Escalation: one thing that happens to a conversation, whoever asks for it.

| cause | by | boost | goes where the queue escalates to |
|---|---|---|---|
| person | who asked | the queue's `escalation_boost_ms` | yes |
| hops | who handed it over once too often | the same | yes |
| rule | the rule of triage, once for each reason in an episode | the same | unless somebody has acted on it |
| ladder | the clock | what the step says, or the queue's | only with the step `escalate` |
"""

from __future__ import annotations

from services.routing.domain import bots, explain
from services.routing.domain.events import Escalated, EscalationCause
from services.routing.domain.model import Item
from services.routing.domain.state import Pool
from services.routing.domain.transfers import to_queue

_KINDS: dict[EscalationCause, str] = {
    "person": "escalated",
    "hops": "hop-limit",
    "rule": "escalated-by-rule",
    "ladder": "escalated-by-clock",
}
"""What the decision is called."""
_KEPT = 10


def escalate(
    pool: Pool,
    item: Item,
    cause: EscalationCause,
    by: str,
    reason: str,
    *,
    boost_ms: int = 0,
    moves: bool = True,
) -> Item:
    """The item goes ahead, inside the pool's limit, and to whom its queue escalates to; the item as it is then.

    `boost_ms` is added to what earlier escalations gave; 0 = at least the queue's own. `item` counts as it is given,
    whatever the table says.
    """
    if item.state == "with_bot":
        item = bots.to_people(pool, item, "escalated", by, reason)
    relief = pool.queue_of(item).relief
    ahead_ms = (
        item.escalated_ms + boost_ms if boost_ms else max(item.escalated_ms, relief.escalation_boost_ms)
    )
    item = pool.rekeyed(item._replace(escalated_ms=ahead_ms))
    pool.put_item(item)
    target = pool.directory.queue_by_id.get(relief.escalates_to) if moves else None
    goes = target is not None and not pool.is_closed(target.queue_id)
    was = item.queue_id
    if goes and target is not None:
        decision_id = to_queue(pool, item, target, _KINDS[cause], by=by, reason=reason)
    else:
        record = explain.noted(pool, item, _KINDS[cause], boost_ms=item.boost_ms, by=by, reason=reason)
        pool.explain(record)
        decision_id = record["decision_id"]
    item = pool.items[item.conversation_id]
    pool.emit(
        Escalated(
            item.conversation_id,
            item.episode,
            cause,
            by,
            reason,
            item.boost_ms,
            was,
            item.queue_id,
            decision_id,
        )
    )
    return item


def by_rule(pool: Pool, item: Item, rule: str, reason: str, *, moves: bool) -> None:
    """A rule of triage; the same reason again in the episode changes nothing."""
    if not reason or reason in item.escalations:
        return
    item = item._replace(escalations=(*item.escalations, reason)[-_KEPT:])
    escalate(pool, item, "rule", rule, reason, moves=moves)
