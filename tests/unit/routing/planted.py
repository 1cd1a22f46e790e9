"""Engines with one bug each: the proof that every invariant can fail.

Each stands for a mistake somebody could make; the property run must find it and name the invariant.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from services.routing.domain import commands as c
from services.routing.domain import (
    configuration,
    conversations,
    crossing,
    events,
    offers,
    orders,
    placement,
    presence,
    replies,
    standing,
    supervision,
    timers,
)
from services.routing.domain.directory import Directory
from services.routing.domain.engine import Engine
from services.routing.domain.groups import Choice
from services.routing.domain.matching import Bench
from services.routing.domain.model import Item, Result
from services.routing.domain.queue import Signature, WaitingRoom
from services.routing.domain.state import Pool, Step


def _with(command: type[c.Command], handler: Any) -> dict[Any, Any]:
    return {**Engine.handlers, command: handler}


class FreesTwice(Engine):
    """I1: a decline gives the units back twice, so the agent can take too much."""

    @staticmethod
    def _decline(pool: Pool, command: c.DeclineOffer) -> Result:
        result = offers.decline(pool, command)
        if result.ok:
            offer = pool.offers[command.offer_id]
            seat = pool.bench.seats[offer.agent_id]
            seat.free(pool.items[offer.conversation_id].channel)
            pool.touch(seat)
        return result

    handlers = _with(c.DeclineOffer, _decline)


class KeepsTheOffer(Engine):
    """I2: a decline sends the item on and leaves its offer open."""

    @staticmethod
    def _decline(pool: Pool, command: c.DeclineOffer) -> Result:
        offer = pool.offers.get(command.offer_id)
        if (
            offer is None
            or offer.state != "open"
            or offer.transfer_from
            or offer.agent_id != command.agent_id
        ):
            return offers.decline(pool, command)
        placement.wait_again(pool, pool.items[offer.conversation_id], offer.agent_id, "declined")
        return replies.done(pool, command.command_id, {})

    handlers = _with(c.DeclineOffer, _decline)


class SameEpoch(Engine):
    """I3: a reopened conversation counts its epochs from the beginning."""

    @staticmethod
    def _enqueue(pool: Pool, command: c.Enqueue) -> None:
        known = pool.items.get(command.conversation_id)
        if known is not None and known.state == "closed":
            pool.items[command.conversation_id] = known._replace(epoch=0)
        conversations.enqueue(pool, command)

    handlers = _with(c.Enqueue, _enqueue)


class _Newest(WaitingRoom):
    def add(self, item: Item, signature: Signature) -> None:
        super().add(item._replace(key_ms=-item.key_ms), signature)


class NewestFirst(Engine):
    """I5: the waiting room serves the newest first."""

    def __init__(self, pool_id: str, directory: Directory) -> None:
        super().__init__(pool_id, directory)
        self.pool.waiting = _Newest()


class _ByAge(WaitingRoom):
    def add(self, item: Item, signature: Signature) -> None:
        super().add(item._replace(key_ms=item.due_ms), signature)


class ByAgeAlone(Engine):
    """I4: the waiting room forgets the boost."""

    def __init__(self, pool_id: str, directory: Directory) -> None:
        super().__init__(pool_id, directory)
        self.pool.waiting = _ByAge()


class LosesOnDecline(Engine):
    """I9: a declined item never gets back into the waiting room."""

    @staticmethod
    def _decline(pool: Pool, command: c.DeclineOffer) -> Result:
        result = offers.decline(pool, command)
        if result.ok:
            pool.waiting.remove(pool.offers[command.offer_id].conversation_id)
        return result

    handlers = _with(c.DeclineOffer, _decline)


class ForgetsToSave(Engine):
    """I10: the step does not say that a presence changed."""

    def apply(self, command: c.Command, at_ms: int) -> Step:
        step = super().apply(command, at_ms)
        if isinstance(command, c.SetPresence):
            step.agents.pop(command.agent_id, None)
        return step


class Amnesia(Engine):
    """I11: results are not remembered, so a repeated command runs again."""

    def apply(self, command: c.Command, at_ms: int) -> Step:
        self.pool.results.clear()
        return super().apply(command, at_ms)


class NeverExpires(Engine):
    """I12: an offer that nobody answers stays open."""

    def _advance(self) -> None:
        for offer in list(self.pool.offers.values()):
            if offer.state == "open" and offer.expires_at_ms <= self.pool.at_ms:
                self.pool.offers[offer.offer_id] = offer._replace(expires_at_ms=self.pool.at_ms - 1)
        self.pool.timers.heap = [t for t in self.pool.timers.heap if t[1] != 0]
        super()._advance()


class _BlindBench(Bench):
    def verdict(self, key: Any, signature: Signature) -> int | str:
        return super().verdict(key, signature._replace(skills=()))


class BlindToSkills(Engine):
    """I16: required skills are not looked at."""

    bench_type = _BlindBench


class _MoodyBench(Bench):
    _moods = itertools.count()

    def choose(
        self, signature: Signature, excluded: tuple[str, ...], held_for: str, *, yields: bool = False
    ) -> Choice:
        choice = super().choose(signature, excluded, held_for, yields=yields)
        if len(choice.ranked) > 1 and next(self._moods) % 3 == 0:
            choice.ranked.reverse()
        return choice


class Moody(Engine):
    """I19: the choice depends on something that is not in the log."""

    bench_type = _MoodyBench


class LeavesWorkUndone(Engine):
    """I7: who comes online is not given what waits."""

    @staticmethod
    def _presence(pool: Pool, command: c.SetPresence) -> Result:
        result = presence.set_presence(pool, command)
        pool.take_unfilled()
        return result

    handlers = _with(c.SetPresence, _presence)


class BoostsWithoutEnd(Engine):
    """I6: a boost is not capped, so an item can be overtaken for ever."""

    @staticmethod
    def _reclassify(pool: Pool, command: c.Reclassify) -> None:
        conversations.reclassify(pool, command)
        item = pool.items.get(command.conversation_id)
        if item is not None and item.state == "waiting":
            more = item.boost_ms + 2 * pool.directory.boost_limit_ms
            pool.put_item(item._replace(boost_ms=more, key_ms=item.due_ms - more))

    handlers = _with(c.Reclassify, _reclassify)


class _MoodyRings(Bench):
    def verdict(self, key: Any, signature: Signature) -> int | str:
        found = super().verdict(key, signature)
        return "language" if found == 0 and signature.ring else found


class RingsBesideEachOther(Engine):
    """I8: a wider ring leaves out who could serve before."""

    bench_type = _MoodyRings


class KeepsTheAbsent(Engine):
    """I13: nobody takes the work of an agent who is gone."""

    def _advance(self) -> None:
        self.pool.timers.heap = [t for t in self.pool.timers.heap if t[1] != timers.AGENT]
        super()._advance()


class YoungAgain(Engine):
    """I14: who is declined begins to wait anew."""

    @staticmethod
    def _decline(pool: Pool, command: c.DeclineOffer) -> Result:
        result = offers.decline(pool, command)
        item = pool.items.get(pool.offers[command.offer_id].conversation_id) if result.ok else None
        if item is not None and item.state in ("waiting", "offered"):
            pool.put_item(item._replace(eligible_at_ms=pool.at_ms))
        return result

    handlers = _with(c.DeclineOffer, _decline)


class AsksAgain(Engine):
    """I15: a decline does not exclude."""

    @staticmethod
    def _decline(pool: Pool, command: c.DeclineOffer) -> Result:
        result = offers.decline(pool, command)
        item = pool.items.get(pool.offers[command.offer_id].conversation_id) if result.ok else None
        if item is not None and item.state == "waiting":
            pool.put_item(item._replace(excluded=()))
            pool.place_later(item.conversation_id, "declined")
        return result

    handlers = _with(c.DeclineOffer, _decline)


class MakesRoomForGold(Engine):
    """I17: an important customer is offered to somebody who has no room."""

    @staticmethod
    def _enqueue(pool: Pool, command: c.Enqueue) -> None:
        conversations.enqueue(pool, command)
        item = pool.items[command.conversation_id]
        if item.tier and item.state == "waiting":
            signature = pool.signature(item)
            for _, group in pool.bench.eligible(signature).groups:
                for agent_id in sorted(group.agents):
                    if pool.bench.seats[agent_id].blocked[item.channel] in ("budget", "count"):
                        placement.offer(pool, item, pool.bench.seats[agent_id], "")
                        return

    handlers = _with(c.Enqueue, _enqueue)


class HoldsForTheDisliked(Engine):
    """I18: an agent whom the customer rated bad is waited for as well."""

    @staticmethod
    def _enqueue(pool: Pool, command: c.Enqueue) -> None:
        conversations.enqueue(pool, replace(command, avoid_agents=()))
        item = pool.items[command.conversation_id]
        if item.state == "waiting":
            pool.put_item(item._replace(avoided=command.avoid_agents))

    handlers = _with(c.Enqueue, _enqueue)


class HoldsForLong(Engine):
    """I18: affinity waits ten times as long as the queue says."""

    @staticmethod
    def _enqueue(pool: Pool, command: c.Enqueue) -> None:
        conversations.enqueue(pool, command)
        item = pool.items[command.conversation_id]
        if item.held_for and item.state == "waiting":
            pool.put_item(item._replace(hold_until_ms=pool.at_ms + 10 * (item.hold_until_ms - pool.at_ms)))

    handlers = _with(c.Enqueue, _enqueue)


class ForgetsTheWhole(Engine):
    """drain: a drained pool goes on with those who are hired meanwhile."""

    @staticmethod
    def _put(pool: Pool, command: c.PutAgent) -> Result:
        result = configuration.put_agent(pool, command)
        seat = pool.bench.seats.get(command.agent.agent_id)
        if seat is not None:
            seat.stopped = False
            pool.touch(seat)
        return result

    handlers = _with(c.PutAgent, _put)


class OpenDoors(Engine):
    """close: whatever comes goes into the queue of its filter, closed or not."""

    @staticmethod
    def _enqueue(pool: Pool, command: c.Enqueue) -> None:
        closed = {k: pool.notices.pop(k) for k in list(pool.notices) if k[0] == "queue"}
        conversations.enqueue(pool, command)
        pool.notices.update(closed)

    handlers = _with(c.Enqueue, _enqueue)


class PinsLightly(Engine):
    """pin: a pin is a boost without end instead of a place before all others."""

    @staticmethod
    def _pin(pool: Pool, command: orders.Pin) -> Result:
        result = supervision.pin(pool, command)
        item = pool.items.get(command.conversation_id)
        if item is not None and item.pinned_at_ms and item.state == "waiting":
            pool.put_item(item._replace(key_ms=item.due_ms - item.boost_ms))
        return result

    handlers = _with(orders.Pin, _pin)


class Unalarmed(Engine):
    """alarm: who leaves takes the hope of what waits with him, and nobody is told."""

    @staticmethod
    def _remove(pool: Pool, command: c.RemoveAgent) -> Result:
        result = configuration.remove_agent(pool, command)
        pool.cause = "TimePassed"
        return result

    handlers = _with(c.RemoveAgent, _remove)


class _GenerousBench(Bench):
    def choose(
        self, signature: Signature, excluded: tuple[str, ...], held_for: str, *, yields: bool = False
    ) -> Choice:
        return super().choose(signature, excluded, held_for)


class KeepsNobody(Engine):
    """reserve: who arrives gets the last free agent of the reserve."""

    bench_type = _GenerousBench


class NeverMindsTheTier(Engine):
    """standing: what waits keeps the place that it had before more was known of its customer."""

    @staticmethod
    def _know(pool: Pool, command: c.KnowCustomer) -> None:
        known = pool.of_customer.pop(command.customer_id, set())
        kept = {i for i in known if pool.items[i].state != "waiting"}
        pool.of_customer[command.customer_id] = kept
        standing.know_customer(pool, command)
        pool.of_customer[command.customer_id] = known

    handlers = _with(c.KnowCustomer, _know)


class WaitsForTheBot(Engine):
    """bot: nobody looks whether the bot still says anything."""

    def _wake(self, item: Item | None, due_ms: int) -> None:
        if item is None or item.state != "with_bot":
            super()._wake(item, due_ms)


class EscalatesInSilence(Engine):
    """escalation: what a rule has escalated goes ahead, and nobody is told."""

    @staticmethod
    def _reclassify(pool: Pool, command: c.Reclassify) -> None:
        conversations.reclassify(pool, command)
        pool.step.events[:] = [e for e in pool.step.events if not isinstance(e, events.Escalated)]

    handlers = _with(c.Reclassify, _reclassify)


class LooksAway(Engine):
    """shadow: who declines is free again, and the second policy does not hear of it."""

    @staticmethod
    def _decline(pool: Pool, command: c.DeclineOffer) -> Result:
        result = offers.decline(pool, command)
        if pool.shadow is not None:
            pool.shadow.agents.discard(command.agent_id)
        return result

    handlers = _with(c.DeclineOffer, _decline)


class LosesTheClocks(Engine):
    """crossing: what comes from another pool begins its promises anew."""

    @staticmethod
    def _adopt(pool: Pool, command: c.Adopt) -> None:
        crossing.adopt(pool, replace(command, clocks=()))

    handlers = _with(c.Adopt, _adopt)


PLANTED: tuple[tuple[str, type[Engine]], ...] = (
    ("I1", FreesTwice),
    ("I2", KeepsTheOffer),
    ("I3", SameEpoch),
    ("I4", ByAgeAlone),
    ("I5", NewestFirst),
    ("I6", BoostsWithoutEnd),
    ("I7", LeavesWorkUndone),
    ("I8", RingsBesideEachOther),
    ("I9", LosesOnDecline),
    ("I10", ForgetsToSave),
    ("I11", Amnesia),
    ("I12", NeverExpires),
    ("I13", KeepsTheAbsent),
    ("I14", YoungAgain),
    ("I15", AsksAgain),
    ("I16", BlindToSkills),
    ("I17", MakesRoomForGold),
    ("I18", HoldsForLong),
    ("I18", HoldsForTheDisliked),
    ("I19", Moody),
    ("drain", ForgetsTheWhole),
    ("close", OpenDoors),
    ("pin", PinsLightly),
    ("alarm", Unalarmed),
    ("reserve", KeepsNobody),
    ("standing", NeverMindsTheTier),
    ("bot", WaitsForTheBot),
    ("escalation", EscalatesInSilence),
    ("shadow", LooksAway),
    ("crossing", LosesTheClocks),
)
