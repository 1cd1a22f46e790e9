"""Recorded commands run again on a recorded pool: the decisions must be the recorded ones, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.routing.domain.commands import AcceptOffer, DeclineOffer
from services.routing.domain.engine import Engine
from services.routing.domain.model import Clock, Item, Offer
from services.routing.domain.rebuilding import Rows
from services.routing.domain.state import Step
from services.routing.simulation.recording import Given, Recording, canonical


@dataclass(frozen=True, slots=True)
class Difference:
    """The first decision that is another one now; "" = there is none at that place."""

    place: int
    recorded: str
    replayed: str


class Replay:
    """An engine with what the service keeps beside it: closed things that an engine forgets, and all answers."""

    def __init__(self, snapshot: Rows) -> None:
        self.engine = Engine.restore(snapshot)
        self._items: dict[str, Item] = {i.conversation_id: i for i in snapshot.items}
        self._offers: dict[str, Offer] = {o.offer_id: o for o in snapshot.offers}
        self._clocks: dict[str, dict[tuple[str, str, int], Clock]] = {}
        for clock in snapshot.clocks:
            self._clocks.setdefault(clock.conversation_id, {})[clock.clock_id] = clock
        self._answered = {r.command_id for r in snapshot.results}

    def run(self, given: Iterable[Given]) -> Iterator[Step]:
        """The steps of the commands; one that was answered before is not run again, one about a conversation that
        another pool has was passed on."""
        for one in given:
            command = one.command
            if command.answered and command.command_id in self._answered:
                continue
            conversation_id = getattr(command, "conversation_id", "")
            item = self._items.get(conversation_id)
            if item is not None and item.moved_to:
                continue
            if item is not None and not self.engine.knows(conversation_id):
                self.engine.recall(item, self._clocks.get(conversation_id, {}).values())
            if isinstance(command, AcceptOffer | DeclineOffer):
                offer = self._offers.get(command.offer_id)
                if offer is not None and command.offer_id not in self.engine.pool.offers:
                    self.engine.recall(None, offers=[offer])
            step = self.engine.apply(command, one.at_ms)
            self._items.update(step.items)
            self._offers.update(step.offers)
            for clock_id, clock in step.clocks.items():
                self._clocks.setdefault(clock.conversation_id, {})[clock_id] = clock
            if step.result is not None:
                self._answered.add(step.result.command_id)
            yield step


def decisions_of(recording: Recording) -> list[str]:
    """Every decision of a replay, as canonical text."""
    steps = Replay(recording.snapshot).run(recording.given)
    return [canonical(record) for step in steps for record in step.decisions]


def first_difference(recorded: tuple[str, ...], replayed: list[str]) -> Difference | None:
    """Where the two part, if they do."""
    for place in range(max(len(recorded), len(replayed))):
        was = recorded[place] if place < len(recorded) else ""
        now = replayed[place] if place < len(replayed) else ""
        if was != now:
            return Difference(place + 1, was, now)
    return None
