"""What a step decided, as metrics, once it is durable."""

from collections.abc import Iterator
from functools import partial

from libs.storage import UnitOfWork
from libs.telemetry import metrics
from services.routing.domain import events
from services.routing.domain.engine import Engine
from services.routing.domain.state import Step

_MILLISECONDS = 1000


def count(uow: UnitOfWork, engine: Engine, step: Step) -> None:
    """Counts offers, waits and breaches of a step after its commit; a repeated command counts nothing."""
    if step.repeated:
        return
    for call in _calls(engine, step):
        uow.after_commit(call)


def _calls(engine: Engine, step: Step) -> Iterator[partial[None]]:
    if step.compared:
        other = len(step.differences)
        pool_id = engine.pool.pool_id
        yield partial(metrics.routing_shadow.labels(pool_id, "same").inc, step.compared - other)
        yield partial(metrics.routing_shadow.labels(pool_id, "different").inc, other)
    for event in step.events:
        if isinstance(event, events.AgentOffered):
            yield partial(metrics.routing_offers.labels(_team(engine, event.conversation_id), "made").inc)
        elif isinstance(event, events.OfferClosed):
            team, outcome = _team(engine, event.conversation_id), str(event.outcome)
            yield partial(metrics.routing_offers.labels(team, outcome).inc)
        elif isinstance(event, events.SlaBreached):
            team = _team(engine, event.conversation_id)
            yield partial(metrics.sla_breaches.labels(event.metric, team).inc)
        elif isinstance(event, events.AgentAssigned) and event.offer_id:
            item = engine.pool.items.get(event.conversation_id)
            if item is not None:
                waited = max(0, step.at_ms - item.eligible_at_ms) / _MILLISECONDS
                yield partial(metrics.routing_wait_seconds.labels(event.team_id).observe, waited)


def _team(engine: Engine, conversation_id: str) -> str:
    """The team in whose queue a conversation stands; empty for one that the pool does not know."""
    item = engine.pool.items.get(conversation_id)
    queue = engine.pool.directory.queue_by_id.get(item.queue_id) if item is not None else None
    return queue.team_id if queue is not None else ""
