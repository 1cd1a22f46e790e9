"""The declaration of a consumer: which events and timers it takes, what it needs loaded, what it may emit.

`emits` is data: the flow picture is drawn from it, and a handler that returns anything else fails.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from libs.contracts import CATALOGUE, full_name
from libs.storage import Want

Ctx = TypeVar("Ctx")
E = TypeVar("E", bound=Message)


@dataclass(frozen=True, slots=True)
class Received(Generic[E]):
    """An event as a handler gets it."""

    event: E
    event_id: bytes
    """16 bytes."""
    at_ms: int
    """When it was appended, Unix milliseconds."""
    topic: str
    partition: int
    number: int
    traceparent: str = ""
    prepared: Any = None
    """What `prepare` returned for it."""


@dataclass(frozen=True, slots=True)
class Due:
    """A timer as a handler gets it."""

    kind: str
    key: str
    due_at_ms: int
    payload: bytes
    now_ms: int
    traceparent: str = ""
    """Of the work that set it."""


_W = TypeVar("_W")
Load = Callable[[_W, Ctx], Iterable[Want]] | Sequence[Callable[[_W, Ctx], Iterable[Want]]]
EventHandler = Callable[[Received[Any], Ctx], Awaitable[Sequence[Message]]]
TimerHandler = Callable[[Due, Ctx], Awaitable[Sequence[Message]]]
Prepare = Callable[[Sequence[Received[Any]], Any], Awaitable[Sequence[Any]]]


def _stages(load: Load[_W, Ctx]) -> tuple[Callable[[_W, Ctx], Iterable[Want]], ...]:
    return (load,) if callable(load) else tuple(load)


@dataclass(frozen=True, slots=True)
class OnEvent(Generic[Ctx]):
    """One declared event handler."""

    name: str
    event: type[Message]
    handler: EventHandler[Ctx]
    emits: tuple[type[Message], ...]
    load: tuple[Callable[[Any, Ctx], Iterable[Want]], ...]


@dataclass(frozen=True, slots=True)
class OnTimer(Generic[Ctx]):
    """One declared timer handler."""

    name: str
    kind: str
    handler: TimerHandler[Ctx]
    emits: tuple[type[Message], ...]
    load: tuple[Callable[[Due, Ctx], Iterable[Want]], ...]
    traced: bool = True


@dataclass
class StreamRouter(Generic[Ctx]):
    """The handlers of one consumer group. `Ctx` is built by the service for each transaction."""

    group: str
    events: dict[str, OnEvent[Ctx]] = field(default_factory=dict)
    """By full protobuf name."""
    timers: dict[str, OnTimer[Ctx]] = field(default_factory=dict)
    prepares: dict[str, Prepare] = field(default_factory=dict)

    @property
    def topics(self) -> list[str]:
        """The topics of the declared events."""
        return sorted({CATALOGUE[name].topic for name in self.events})

    def on(
        self,
        event: type[E],
        *,
        emits: Iterable[type[Message]] = (),
        load: Load[E, Ctx] = (),
    ) -> Callable[
        [Callable[[Received[E], Ctx], Awaitable[Sequence[Message]]]],
        Callable[[Received[E], Ctx], Awaitable[Sequence[Message]]],
    ]:
        """Declares the handler of an event. `load(event, ctx)` names the rows it reads and changes.

        Several loads run one after the other, so that the second may look at what the first has loaded.
        Handlers see no topic, offset or commit, do no I/O, and return the events they emit.
        """
        name = full_name(event)
        if name in self.events:
            raise ValueError(f"{self.group} handles {name} twice")

        def declare(
            handler: Callable[[Received[E], Ctx], Awaitable[Sequence[Message]]],
        ) -> Callable[[Received[E], Ctx], Awaitable[Sequence[Message]]]:
            self.events[name] = OnEvent(handler.__name__, event, handler, tuple(emits), _stages(load))
            return handler

        return declare

    def timer(
        self,
        kind: str,
        *,
        emits: Iterable[type[Message]] = (),
        load: Load[Due, Ctx] = (),
        traced: bool = True,
    ) -> Callable[[TimerHandler[Ctx]], TimerHandler[Ctx]]:
        """Declares the handler of what is due. A timer is gone once its transaction has committed.

        It goes on in the trace of the work that set it; `traced=False` is for one that serves everybody and is set
        again whenever it is due, whose trace would have no end.
        """
        if kind in self.timers:
            raise ValueError(f"{self.group} handles timer {kind} twice")

        def declare(handler: TimerHandler[Ctx]) -> TimerHandler[Ctx]:
            self.timers[kind] = OnTimer(handler.__name__, kind, handler, tuple(emits), _stages(load), traced)
            return handler

        return declare

    def prepare(self, event: type[Message]) -> Callable[[Prepare], Prepare]:
        """Declares what is asked outside before the transaction: one result for each message, in order."""

        def declare(prepare: Prepare) -> Prepare:
            self.prepares[full_name(event)] = prepare
            return prepare

        return declare
