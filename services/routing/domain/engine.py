"""The state machine of one pool: `apply(command, at) -> Step`.

The same commands at the same instants give the same steps, on any machine. `at` never goes back. Before a
command is applied, everything that is due by then fires in order of its due instant, so a late command meets
the state that time has made. The owner sends TimePassed when `next_due_ms()` is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from services.routing.domain import (
    alarms,
    bots,
    commands,
    configuration,
    conversations,
    crossing,
    explain,
    handovers,
    ladders,
    offers,
    orders,
    overflow,
    parking,
    presence,
    shadowing,
    standing,
    supervision,
    timers,
)
from services.routing.domain.directory import Directory
from services.routing.domain.events import RingOpened
from services.routing.domain.matching import Bench
from services.routing.domain.model import Clock, Item, Offer, Result
from services.routing.domain.placement import await_ring, settle
from services.routing.domain.rebuilding import Rows, fill, rows_of
from services.routing.domain.state import Pool, Step

Handler = Callable[[Pool, Any], Result | None]


class Engine:
    """One pool. Not safe for use by two threads; a failed apply leaves it unusable: build it anew from
    rows."""

    MEMORY_MS = 60_000
    """How long closed items, closed offers and results are remembered."""
    TIMERS_KEPT = 10_000
    """Stale timers beyond this and eight per item make the heap be built anew."""
    bench_type: type[Bench] = Bench
    handlers: Mapping[type[commands.Command], Handler] = {
        commands.TimePassed: lambda pool, command: None,
        commands.PutDirectory: configuration.put_directory,
        commands.PutAgent: configuration.put_agent,
        commands.RemoveAgent: configuration.remove_agent,
        commands.SetPresence: presence.set_presence,
        commands.EndLease: presence.end_lease,
        commands.Enqueue: conversations.enqueue,
        commands.Reclassify: conversations.reclassify,
        commands.KnowCustomer: standing.know_customer,
        commands.CustomerWrote: conversations.customer_wrote,
        commands.HandOff: bots.hand_off,
        commands.RecordReply: conversations.record_reply,
        commands.RecordStatus: conversations.record_status,
        commands.Close: conversations.close,
        commands.AcceptOffer: offers.accept,
        commands.DeclineOffer: offers.decline,
        commands.Release: handovers.release,
        commands.Transfer: handovers.transfer,
        commands.Adopt: crossing.adopt,
        orders.Move: handovers.move,
        orders.Escalate: handovers.call_for_help,
        orders.Pin: supervision.pin,
        orders.Boost: supervision.boost,
        orders.PassOn: overflow.expected_too_long,
        orders.CallBack: conversations.call_back,
        orders.Drain: supervision.drain,
        orders.CloseQueue: supervision.close_queue,
        orders.PutShadow: shadowing.put_shadow,
    }

    def __init__(self, pool_id: str, directory: Directory) -> None:
        problems = directory.problems()
        if problems:
            raise ValueError("; ".join(problems))
        self.pool = Pool(pool_id, directory, self.bench_type)

    @property
    def at_ms(self) -> int:
        """The instant of the last command."""
        return self.pool.at_ms

    def apply(self, command: commands.Command, at_ms: int) -> Step:
        """Make one step. A repeated command with an answer gives that answer again and changes nothing."""
        pool = self.pool
        pool.begin(max(at_ms, pool.at_ms), command.command_id, type(command).__name__)
        if command.answered:
            known = pool.results.get(command.command_id)
            if known is not None:
                step = pool.finish()
                step.result, step.repeated = known, True
                return step
        self._advance()
        result = self.handlers[type(command)](pool, command)
        self._settle()
        self._advance()
        alarms.review(pool)
        if result is not None:
            pool.results[command.command_id] = result
            pool.ended.append((pool.at_ms, "result", command.command_id))
            pool.step.result = result
        self._forget()
        return pool.finish()

    def next_due_ms(self) -> int | None:
        """When TimePassed should be sent; may be early by a timer that no longer holds, never late."""
        heap = self.pool.timers.heap
        return heap[0][0] if heap else None

    def knows(self, conversation_id: str) -> bool:
        """False: a reopen needs `recall` first, if the rows have the conversation."""
        return conversation_id in self.pool.items

    def recall(self, item: Item | None, clocks: Iterable[Clock] = (), offers: Iterable[Offer] = ()) -> None:
        """Bring closed things back that were forgotten, for the next command only."""
        pool = self.pool
        for offer in offers:
            if offer.state != "open" and pool.offers.setdefault(offer.offer_id, offer) is offer:
                pool.ended.appendleft((offer.closed_at_ms, "offer", offer.offer_id))
        if item is not None and item.conversation_id not in pool.items:
            pool.items[item.conversation_id] = item
            pool.ended.appendleft((item.closed_at_ms, "item", item.conversation_id))
            for clock in clocks:
                pool.keep_clock(clock)

    def snapshot(self) -> Rows:
        """Everything that `restore` needs, as values."""
        return rows_of(self.pool)

    @classmethod
    def restore(cls, rows: Rows) -> Engine:
        """The engine that wrote the rows. Closed rows older than MEMORY_MS may be there or not."""
        engine = cls(rows.pool.pool_id, rows.directory)
        fill(engine.pool, rows, cls.MEMORY_MS)
        engine._watch_everything()
        shadowing.cast(engine.pool, rows.shadow)
        return engine

    def _watch_everything(self) -> None:
        pool = self.pool
        pool.timers.heap.clear()
        for item in pool.items.values():
            pool.timers.watch_item(item)
        for offer in pool.offers.values():
            pool.timers.watch_offer(offer)
        for of_conversation in pool.clocks.values():
            for clock in of_conversation:
                pool.timers.watch_clock(clock)
        graces = (pool.directory.live_grace_ms, pool.directory.interruptible_grace_ms)
        for seat in pool.bench.seats.values():
            pool.timers.watch_agent(seat, graces)

    def _advance(self) -> None:
        """Fire everything due, in order; what one firing makes due now fires too."""
        pool = self.pool
        while (timer := pool.timers.pop(pool.at_ms)) is not None:
            due_ms, kind, key, _ = timer
            if kind == timers.OFFER:
                offer = pool.offers.get(key)
                if offer is not None and offer.state == "open" and offer.expires_at_ms == due_ms:
                    presence.miss(pool, offer)
            elif kind == timers.CLOCK:
                ladders.fire(pool, timer)
            elif kind == timers.ITEM:
                self._wake(pool.items.get(key), due_ms)
            elif timer[3] == timers.PACE:
                presence.rested(pool, key, due_ms)
            else:
                presence.absent(pool, key, due_ms)
            self._settle()

    def _settle(self) -> None:
        settle(self.pool)
        while offers.accept_waiting(self.pool) or alarms.relieve(self.pool):
            settle(self.pool)

    def _wake(self, item: Item | None, due_ms: int) -> None:
        """An item's own instants: its hold ends, its ring opens, its exclusions are looked at again; it is parked."""
        pool = self.pool
        if item is None or due_ms not in timers.item_instants(item):
            return
        if item.state == "assigned":
            parking.park(pool, item)
            return
        if item.state == "with_bot":
            bots.late(pool, item)
            return
        if item.overflow_at_ms == due_ms:
            further = overflow.pass_on(pool, item, "waited-long")
            if further.queue_id != item.queue_id:
                pool.place_later(item.conversation_id, "overflow")
                return
            item = further
        if item.held_for and item.hold_until_ms == due_ms:
            item = item._replace(held_for="", hold_until_ms=0)
        if item.yields_until_ms == due_ms:
            item = item._replace(yields_until_ms=0)
        if item.relax_at_ms == due_ms:
            item = await_ring(pool, item._replace(ring=item.ring + 1, relax_at_ms=0))
            pool.emit(RingOpened(item.conversation_id, item.episode, item.ring, "waited-long"))
        if item.excluded and item.recheck_at_ms == due_ms:
            if pool.bench.anybody_else(pool.signature(item), item.excluded):
                item = item._replace(recheck_at_ms=pool.at_ms + pool.queue_of(item).exclusion_ms)
            else:
                pool.explain(explain.noted(pool, item, "exclusions-lifted", agents=list(item.excluded[:8])))
                item = item._replace(excluded=(), recheck_at_ms=0)
        pool.put_item(item)
        pool.place_later(item.conversation_id, "waited")

    def _forget(self) -> None:
        pool = self.pool
        if len(pool.timers.heap) > self.TIMERS_KEPT + 8 * (len(pool.items) + len(pool.offers)):
            self._watch_everything()
        oldest = pool.at_ms - self.MEMORY_MS
        while pool.ended and pool.ended[0][0] <= oldest:
            _, kind, key = pool.ended.popleft()
            if kind == "result":
                pool.results.pop(key, None)
            elif kind == "offer":
                pool.offers.pop(key, None)
            else:
                item = pool.items.get(key)
                if item is not None and item.state == "closed" and item.closed_at_ms <= oldest:
                    del pool.items[key]
                    pool.clocks.pop(key, None)
