"""What a batch is: records decoded, grouped by what their handlers need, run in order on memory."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from google.protobuf.message import DecodeError, Message

from libs.contracts import Envelope, message_type, unpack
from libs.primitives import derived_id_bytes
from libs.storage import Rows, UnitOfWork, Want, load_all
from libs.streams.errors import Reject, Stop
from libs.streams.router import Due, Received, StreamRouter
from libs.streams.transport import Record

Ctx = TypeVar("Ctx")
Context = Callable[[UnitOfWork], Ctx]


@dataclass(frozen=True, slots=True)
class Decoded(Generic[Ctx]):
    """A record and, where this group handles its type, the event in it."""

    record: Record
    envelope: Envelope | None
    received: Received[Any] | None
    """None for a type that nobody here handles."""
    fault: str = ""
    """Why the value cannot be read; such a message dies."""


class Traces(Protocol):
    """Under which span the work on a message or timer is recorded."""

    def header(self, work: bytes | tuple[str, str], given: str) -> str:
        """The `traceparent` of what comes of a message (by its id) or a timer (by kind and key) that came with `given`."""
        ...

    def begin_timers(self, dues: Sequence[Due]) -> None:
        """Timers are known only once they are taken."""
        ...


def decode(record: Record, router: StreamRouter[Any]) -> Decoded[Any]:
    """Reads the envelope, and the payload only of a handled type. Never raises: a fault is said in the result."""
    if record.fault:
        return Decoded(record, None, None, record.fault)
    try:
        envelope = unpack(record.data)
    except ValueError as error:
        return Decoded(record, None, None, str(error))
    if envelope.type not in router.events:
        return Decoded(record, envelope, None)
    type_ = message_type(envelope.type)
    assert type_ is not None, "handled types are generated with this build"
    try:
        event = type_.FromString(envelope.payload)
    except DecodeError as error:
        return Decoded(record, envelope, None, f"value of {envelope.type} is corrupt: {error}")
    return Decoded(
        record,
        envelope,
        Received(
            event,
            envelope.event_id,
            envelope.at_ms,
            record.topic,
            record.partition,
            record.number,
            envelope.traceparent,
        ),
    )


async def prepare(
    decoded: Sequence[Decoded[Any]], router: StreamRouter[Any], resources: object
) -> list[Decoded[Any]]:
    """Asks outside for all messages of a type at once, before any transaction."""
    if not router.prepares:
        return list(decoded)
    answers: dict[int, Any] = {}
    for name, ask in router.prepares.items():
        wanted = [
            (index, item.received)
            for index, item in enumerate(decoded)
            if item.received is not None and item.envelope is not None and item.envelope.type == name
        ]
        if not wanted:
            continue
        results = await ask([received for _, received in wanted], resources)
        if len(results) != len(wanted):
            raise Stop(f"prepare of {name} gave {len(results)} results for {len(wanted)} messages: a bug")
        answers.update({index: result for (index, _), result in zip(wanted, results, strict=True)})
    return [
        item
        if index not in answers
        else Decoded(item.record, item.envelope, _with(item.received, answers[index]))
        for index, item in enumerate(decoded)
    ]


def _with(received: Received[Any] | None, prepared: object) -> Received[Any]:
    assert received is not None
    return Received(
        received.event,
        received.event_id,
        received.at_ms,
        received.topic,
        received.partition,
        received.number,
        received.traceparent,
        prepared,
    )


async def load(wants: Iterable[Want]) -> None:
    """Loads the wanted rows, all tables together."""
    grouped: dict[int, tuple[Rows[Any], list[Any]]] = {}
    for want in wants:
        grouped.setdefault(id(want.rows), (want.rows, []))[1].append(want.key)
    await load_all(grouped.values())


async def run_events(
    decoded: Sequence[Decoded[Any]],
    router: StreamRouter[Ctx],
    ctx: Ctx,
    uow: UnitOfWork,
    traces: Traces | None = None,
) -> None:
    """Runs the handlers in order; ids of what they emit derive from the event, the handler and the place.

    Raises Reject for a value that cannot be read.
    """
    work = []
    for item in decoded:
        if item.fault:
            raise Reject(item.fault)
        if item.received is not None and item.envelope is not None:
            work.append((item.received, router.events[item.envelope.type]))
    for stage in range(max((len(declared.load) for _, declared in work), default=0)):
        await load(
            want
            for received, declared in work
            if stage < len(declared.load)
            for want in declared.load[stage](received.event, ctx)
        )
    for received, declared in work:
        given = received.traceparent
        uow.traceparent = given if traces is None else traces.header(received.event_id, given)
        seed = (received.event_id, router.group.encode(), declared.name.encode())
        await _emit(
            uow, declared.handler(received, ctx), declared.emits, seed, f"{router.group}.{declared.name}"
        )


async def run_timers(
    dues: Sequence[Due],
    router: StreamRouter[Ctx],
    ctx: Ctx,
    uow: UnitOfWork,
    traces: Traces | None = None,
) -> None:
    """Runs the timer handlers in order of due time."""
    dues = [due if router.timers[due.kind].traced else replace(due, traceparent="") for due in dues]
    if traces is not None:
        traces.begin_timers(dues)
    for stage in range(max((len(router.timers[due.kind].load) for due in dues), default=0)):
        await load(
            want
            for due in dues
            if stage < len(router.timers[due.kind].load)
            for want in router.timers[due.kind].load[stage](due, ctx)
        )
    for due in dues:
        declared = router.timers[due.kind]
        given = due.traceparent
        uow.traceparent = given if traces is None else traces.header((due.kind, due.key), given)
        seed = (due.kind.encode(), due.key.encode(), str(due.due_at_ms).encode())
        await _emit(uow, declared.handler(due, ctx), declared.emits, seed, f"{router.group}.{declared.name}")


async def _emit(
    uow: UnitOfWork,
    answer: Awaitable[Sequence[Message]],
    allowed: tuple[type[Message], ...],
    seed: tuple[bytes, ...],
    handler: str,
) -> None:
    for index, event in enumerate(await answer):
        if type(event) not in allowed:
            raise Stop(f"{handler} emitted {type(event).__name__}, which its `emits` does not name")
        uow.emit_as(event, derived_id_bytes(*seed, str(index).encode()))
