"""The commands of a pool run on its engine; what a step changed is written with it."""

from collections.abc import Iterable, Sequence

from google.protobuf.message import Message as Event

from libs.contracts import PoolCommand
from libs.runtime import derived_id
from libs.storage import Want
from libs.streams import Due, Received, Reject, StreamRouter
from services.routing.adapters.codec import UnknownCommand, decode, plain
from services.routing.adapters.contracts import EMITTED, pool_command, published
from services.routing.adapters.rows import (
    AgentRow,
    AuditRow,
    DecisionRow,
    DifferenceRow,
    DirectoryRow,
    FeedRow,
    ItemRow,
    NoticeRow,
    OfferRow,
    PlaceRow,
    PoolRow,
    ResultRow,
    ShadowRow,
    places_of,
)
from services.routing.context import EngineContext
from services.routing.counting import count
from services.routing.domain import events
from services.routing.domain.commands import AcceptOffer, Adopt, ByPerson, Command, DeclineOffer, TimePassed
from services.routing.domain.engine import Engine
from services.routing.domain.model import RESOLUTION, Result
from services.routing.domain.state import Step
from services.routing.pools import BREACHED, WAKE

stream = StreamRouter[EngineContext](group="routing-engine")


def _command(event: PoolCommand, ctx: EngineContext) -> Command:
    known = ctx.commands.get(event.command_id)
    if known is None:
        try:
            known = ctx.commands[event.command_id] = decode(event.command_id, event.name, event.arguments)
        except UnknownCommand as error:
            raise Reject(str(error)) from error
    return known


def _needed(event: PoolCommand, ctx: EngineContext) -> Iterable[Want]:
    """An earlier answer to the same command, and closed things the engine has forgotten."""
    command = _command(event, ctx)
    if command.answered:
        yield ctx.results.want(command.command_id)
    engine = ctx.owned.loaded(event.pool_id)
    if engine is None:
        yield ctx.pools.want(event.pool_id)
        return
    # What is closed now may be forgotten by the time the command runs.
    conversation_id = getattr(command, "conversation_id", "")
    item = engine.pool.items.get(conversation_id)
    if conversation_id and (item is None or item.state == "closed"):
        yield ctx.items.want(conversation_id)
    if isinstance(command, AcceptOffer | DeclineOffer):
        offer = engine.pool.offers.get(command.offer_id)
        if offer is None or offer.state != "open":
            yield ctx.offers.want(command.offer_id)


@stream.on(PoolCommand, emits=(*EMITTED, PoolCommand), load=_needed)
async def run_command(received: Received[PoolCommand], ctx: EngineContext) -> Sequence[Event]:
    """Make one step. A command that was answered before is not run again."""
    command = _command(received.event, ctx)
    pool_id = received.event.pool_id
    if ctx.owned.loaded(pool_id) is None and ctx.pools.get(pool_id) is None:
        raise Reject(f"no pool is called {pool_id!r}: {received.event.name} has nowhere to go")
    engine = ctx.owned.engine(pool_id)
    if command.answered and ctx.results.get(command.command_id) is not None:
        return []
    elsewhere = _elsewhere(pool_id, engine, command, ctx)
    if elsewhere:
        return [pool_command(elsewhere, command)]
    _recall(engine, command, ctx)
    step = engine.apply(command, received.at_ms)
    _save(pool_id, engine, step, ctx)
    if isinstance(command, ByPerson) and command.by and step.result is not None and not step.repeated:
        ctx.audit.put(_audit(pool_id, command, step.result))
    ctx.owned.watch(ctx.uow, pool_id)
    _tell_breaches(engine, step, ctx)
    count(ctx.uow, engine, step)
    return [*published(engine, step), *_crossing(engine, step)]


@stream.timer(WAKE, emits=[PoolCommand], traced=False)
async def wake_pool(due: Due, ctx: EngineContext) -> Sequence[Event]:
    """Time becomes a command like any other, so that a replay sees it at the same place."""
    ctx.owned.woken(due.key)
    command = TimePassed(command_id=derived_id("time", due.key, str(due.due_at_ms), str(due.now_ms)))
    return [pool_command(due.key, command)]


def _elsewhere(pool_id: str, engine: Engine, command: Command, ctx: EngineContext) -> str:
    """The pool that a conversation has gone to; "" = it is here, or nowhere yet. What comes for it is passed on, in
    order: the pool that it went to has been told of it before."""
    conversation_id = getattr(command, "conversation_id", "")
    item = engine.pool.items.get(conversation_id)
    if not conversation_id or (item is not None and item.state != "closed"):
        return ""
    row = ctx.items.get(conversation_id)
    if row is None:
        return ""
    return row.item.moved_to if row.pool_id == pool_id else row.pool_id


def _crossing(engine: Engine, step: Step) -> Iterable[Event]:
    """What leaves the pool is a command of the one that it goes to."""
    for number, event in enumerate(e for e in step.events if isinstance(e, events.LeftPool)):
        command = Adopt(
            command_id=derived_id("adopt", engine.pool.command_id, event.item.conversation_id, str(number)),
            item=event.item,
            clocks=event.clocks,
            to_queue=event.to_queue,
            to_team=event.to_team,
            to_agent=event.to_agent,
            from_pool=engine.pool.pool_id,
            by=event.by,
            reason=event.reason,
        )
        yield pool_command(event.to_pool, command)


def _recall(engine: Engine, command: Command, ctx: EngineContext) -> None:
    conversation_id = getattr(command, "conversation_id", "")
    if conversation_id and not engine.knows(conversation_id):
        row = ctx.items.get(conversation_id)
        if row is not None:
            engine.recall(row.item, row.clocks)
    if isinstance(command, AcceptOffer | DeclineOffer) and command.offer_id not in engine.pool.offers:
        offer = ctx.offers.get(command.offer_id)
        if offer is not None:
            engine.recall(None, offers=[offer.offer])


def _save(pool_id: str, engine: Engine, step: Step, ctx: EngineContext) -> None:
    pool = engine.pool
    if step.repeated:
        return
    ctx.pools.put(PoolRow(pool_id, step.pool.at_ms, step.pool.sequence))
    if step.directory is not None:
        ctx.directories.put(DirectoryRow(pool_id, step.directory.version, step.directory))
        for kind, one in places_of(step.directory):
            ctx.places.put(PlaceRow(kind, one, pool_id))
    for agent_id in step.profiles:
        ctx.places.put(PlaceRow("agent", agent_id, pool_id))
    for conversation_id in {*step.items, *(key[0] for key in step.clocks)}:
        item = pool.items.get(conversation_id) or step.items[conversation_id]
        ctx.items.put(ItemRow(pool_id, item, pool.clocks.get(conversation_id, ())))
    for offer in step.offers.values():
        ctx.offers.put(OfferRow(pool_id, offer))
    gone = {
        e.agent.agent_id: e.agent for e in step.events if isinstance(e, events.PersonChanged) and e.removed
    }
    for agent_id, state in step.agents.items():
        seat = pool.bench.seats.get(agent_id)
        profile = seat.profile if seat else gone[agent_id]
        ctx.agents.put(AgentRow(pool_id, profile, state, removed=seat is None))
    for entry in step.feed:
        ctx.feed.put(FeedRow(entry.agent_id, entry.seq, entry.kind, dict(entry.payload), entry.at_ms))
    for notice in step.notices.values():
        ctx.notices.put(NoticeRow(pool_id, notice))
    for record in step.decisions:
        ctx.decisions.put(_decision(pool_id, record))
    if step.shadow is not None:
        ctx.shadows.put(ShadowRow(pool_id, step.shadow))
    for number, other in enumerate(step.differences):
        name = engine.pool.shadow.policy.name if engine.pool.shadow else ""
        difference_id = f"{engine.pool.command_id}-{number:04}"
        ctx.differences.put(DifferenceRow(difference_id, pool_id, step.at_ms, name, *other))
    if step.result is not None:
        r = step.result
        ctx.results.put(ResultRow(r.command_id, pool_id, r.ok, r.slug, dict(r.body), r.at_ms))
    _ring(step, ctx)


def _tell_breaches(engine: Engine, step: Step, ctx: EngineContext) -> None:
    for event in step.events:
        if isinstance(event, events.SlaBreached) and event.metric == RESOLUTION:
            item = engine.pool.items[event.conversation_id]
            if item.customer_id:
                key, customer = f"{item.conversation_id}:{item.episode}", item.customer_id.encode()
                ctx.uow.set_timer(BREACHED, key, step.at_ms, customer)


def _decision(pool_id: str, record: dict[str, object]) -> DecisionRow:
    decision_id = str(record["decision_id"])
    return DecisionRow(
        decision_id,
        str(record["conversation_id"]),
        int(str(record["episode"])),
        str(record["kind"]),
        int(str(record["at_ms"])),
        int(decision_id.rpartition("-")[2]),
        record,
        pool_id,
    )


def _audit(pool_id: str, command: ByPerson, result: Result) -> AuditRow:
    """The order without what is too big to repeat: the whole directory is named by its version."""
    facts = plain(command)
    for name in ("command_id", "by", "reason", "directory"):
        facts.pop(name, None)
    if "version" in result.body:
        facts["version"] = result.body["version"]
    agent = facts.get("agent") or {}
    about = [facts.get(name) for name in ("conversation_id", "queue_id", "agent_id")]
    named = next((one for one in about if one), agent.get("agent_id", ""))
    action = "".join(f"-{c.lower()}" if c.isupper() else c for c in type(command).__name__).lstrip("-")
    return AuditRow(
        command.command_id,
        pool_id,
        result.at_ms,
        command.by,
        action,
        str(named),
        command.reason,
        result.ok,
        result.slug,
        facts,
    )


def _ring(step: Step, ctx: EngineContext) -> None:
    """Wake those who wait for the answer or follow a feed, once it is durable."""
    keys = {f"feed:{entry.agent_id}" for entry in step.feed}
    if step.result is not None:
        keys.add(step.result.command_id)
    for key in sorted(keys):
        ctx.uow.after_commit(lambda key=key: ctx.hub.notify(key))  # type: ignore[misc]  # binds each key
