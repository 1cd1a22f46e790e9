"""The invariants of the pool, each a check over one step that raises `Broken` with its name.

`Witness` is told every command and step. It keeps its own record, from events and rows, and never asks the engine's
indexes what they think.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from services.routing.domain.capacity import GroupKey
from services.routing.domain.commands import (
    Adopt,
    Command,
    CustomerWrote,
    Enqueue,
    KnowCustomer,
    RecordStatus,
)
from services.routing.domain.directory import Directory
from services.routing.domain.engine import Engine
from services.routing.domain.events import (
    AgentAssigned,
    AgentOffered,
    Escalated,
    LeftPool,
    OfferClosed,
    Released,
    TeamAssigned,
)
from services.routing.domain.model import Item
from services.routing.domain.queue import Signature
from services.routing.domain.state import Step

BY_HAND = ("transfer", "move", "returned")
"""Kinds of decisions that bring a conversation to one agent, whoever else waits."""


class Broken(AssertionError):
    """An invariant does not hold; the message starts with its name."""


def require(name: str, holds: bool, why: object = "") -> None:
    if not holds:
        raise Broken(f"{name}: {why}")


class Witness:
    """Checks every step of one engine."""

    def __init__(self) -> None:
        self.enqueued: set[str] = set()
        self.closed_long_ago: set[str] = set()
        self.epochs: dict[str, int] = {}
        self.holder: dict[str, str] = {}
        self.eligible_at: dict[tuple[str, int], int] = {}
        self.before: dict[str, Item] = {}
        self.refused: set[tuple[str, str]] = set()
        """(conversation, agent) that must not be brought together now."""
        self.verdicts: dict[tuple[Any, Any], int | str] = {}
        self.nested: set[tuple[Any, Any]] = set()
        self.directory: Directory | None = None
        self.handling: dict[tuple[str, int], str] = {}
        self.by_rule: set[tuple[str, int, str]] = set()

    def see(self, engine: Engine, command: Command, step: Step) -> None:
        """Check everything after a step."""
        if isinstance(command, Enqueue):
            self.enqueued.add(command.conversation_id)
        items = engine.pool.items
        if self.directory is not engine.pool.directory:
            self.directory = engine.pool.directory
            self.verdicts, self.nested = {}, set()
        self.capacity(engine)
        self.one_of_each(engine)
        self.epochs_rise(engine, step)
        self.fifo(engine, step)
        self.work_is_conserved(engine)
        self.nothing_lost(engine)
        self.offers_end(engine)
        self.nobody_is_offered_what_he_cannot(engine, step)
        self.age_is_kept(engine, command)
        self.overtaking(engine, step)
        self.rings_are_nested(engine, step)
        self.absent_agents(engine)
        self.refusals(engine, step)
        self.holds_end(engine)
        self.decisions_are_explained(step)
        self.nothing_waits_unseen(engine)
        self.orders_hold(engine, step)
        self.somebody_is_kept(engine, command, step)
        self.customers_are_known(engine, command)
        self.bots_have_deadlines(engine, step)
        self.escalations_are_told(step)
        self.crossings_are_whole(engine, command, step)
        self.before = dict(items)

    def capacity(self, engine: Engine) -> None:
        """I1: open offers and assignments stay inside every limit."""
        pool = engine.pool
        for agent_id, seat in pool.bench.seats.items():
            channels = [i.channel for i in pool.items.values() if i.agent_id == agent_id]
            open_offers = [o for o in pool.offers.values() if o.state == "open" and o.agent_id == agent_id]
            channels += [pool.items[o.conversation_id].channel for o in open_offers]
            vip = any(i.tier for i in pool.items.values() if i.agent_id == agent_id)
            vip = vip or any(pool.items[o.conversation_id].tier for o in open_offers)
            name = "I17" if vip else "I1"
            live = sum(seat.rules[c].weight for c in channels if not seat.rules[c].interruptible)
            soft = sum(seat.rules[c].weight for c in channels if seat.rules[c].interruptible)
            share = _share(engine, agent_id)
            require(name, live <= max(20, seat.policy.budget * share // 100), f"{agent_id}: {live} live")
            most = max(5, seat.policy.interruptible_budget * share // 100)
            require(name, soft <= most, f"{agent_id} has {soft} of {most} interruptible units")
            for channel, count in Counter(channels).items():
                require(name, count <= seat.rules[channel].max_count, f"{agent_id}: {count} {channel}")
            live_channels = [c for c in channels if not seat.rules[c].interruptible]
            alone = any(seat.rules[c].exclusive for c in channels)
            require(name, not alone or len(live_channels) == 1, f"{agent_id}: exclusive beside others")

    def one_of_each(self, engine: Engine) -> None:
        """I2: at most one open offer and one assignment of an item, both together only in a transfer."""
        pool = engine.pool
        by_item: dict[str, list[str]] = {}
        for offer in pool.offers.values():
            if offer.state == "open":
                by_item.setdefault(offer.conversation_id, []).append(offer.offer_id)
        for item in pool.items.values():
            offers = by_item.pop(item.conversation_id, [])
            known = sorted((item.offer_id, *item.more_offers)) if item.offer_id else []
            require("I2", sorted(offers) == known, (item, offers))
            most = pool.queue_of(item).parallel_offers if item.state == "offered" else 1
            asked = {pool.offers[o].agent_id for o in offers}
            require("I2", len(offers) <= max(most, 2) and len(asked) == len(offers), (item, asked))
            require("I2", len({pool.offers[o].epoch for o in offers}) <= 1, (item, "epochs"))
            shape = (bool(item.agent_id), bool(item.offer_id))
            allowed = {
                "with_bot": [(False, False)],
                "waiting": [(False, False)],
                "offered": [(False, True)],
                "assigned": [(True, False), (True, True)],
                "parked": [(False, False)],
                "closed": [(False, False)],
            }[item.state]
            require("I2", shape in allowed, item)
            if shape == (True, True):
                require("I2", pool.offers[item.offer_id].transfer_from == item.agent_id, item)
        require("I2", not by_item, by_item)

    def epochs_rise(self, engine: Engine, step: Step) -> None:
        """I3: one assignee, released before the next one; epochs strictly rise."""
        for event in step.events:
            if isinstance(event, Released):
                held = self.holder.pop(event.conversation_id, None)
                require("I3", held == event.agent_id, f"released by {event.agent_id}, held by {held}")
            elif isinstance(event, AgentAssigned):
                require("I3", event.conversation_id not in self.holder, "assigned while assigned")
                require("I3", event.epoch > self.epochs.get(event.conversation_id, 0), event)
                self.holder[event.conversation_id] = event.agent_id
                self.epochs[event.conversation_id] = event.epoch
        for item in step.items.values():
            if item.state == "closed":
                self.holder.pop(item.conversation_id, None)
        for conversation_id, agent_id in self.holder.items():
            found = engine.pool.items[conversation_id].agent_id
            require("I3", found == agent_id, f"told {agent_id}, is {found}")

    def fifo(self, engine: Engine, step: Step) -> None:
        """I4, I5: nobody of the same signature that waited before the step, unchanged, should have gone first."""
        pool = engine.pool
        for event in step.events:
            if not isinstance(event, AgentOffered):
                continue
            served = pool.items[event.conversation_id]
            if served.state == "assigned" or pool.offers[event.offer_id].transfer_from:
                continue
            if type_of_cause(step, event) in BY_HAND:
                continue
            for other in pool.items.values():
                if other.state != "waiting" or self.before.get(other.conversation_id) is not other:
                    continue
                if other.excluded or other.held_for or served.excluded or served.held_for:
                    continue
                if other.yields_until_ms and not served.yields_until_ms:
                    continue
                same = pool.signature(other) == pool.signature(served)
                alike = served.boost_ms == other.boost_ms
                alike = alike and served.due_ms - served.eligible_at_ms == other.due_ms - other.eligible_at_ms
                name = "I5" if alike else "I4"
                require(name, not same or _order_of(served) < _order_of(other), f"{other} passed by {served}")

    def work_is_conserved(self, engine: Engine) -> None:
        """I7: no waiting item has an eligible agent with room, except the one who is kept."""
        pool = engine.pool
        for item in pool.items.values():
            if item.state != "waiting":
                continue
            signature = pool.signature(item)
            for agent_id, seat in pool.bench.seats.items():
                if agent_id in item.excluded or (item.held_for and item.held_for != agent_id):
                    continue
                able = (
                    self.able(engine, seat.group_key, signature)
                    and seat.block(seat.rules[item.channel]) == ""
                )
                if able and item.yields_until_ms > pool.at_ms and not item.held_for:
                    able = (
                        agent_id not in free_guards(engine, item.channel)
                        or len(free_guards(engine, item.channel)) > 1
                    )
                require("I7", not able, f"{item.conversation_id} waits, {agent_id} has room")

    def nothing_lost(self, engine: Engine) -> None:
        """I9: what came in is waiting, offered, assigned, parked or closed; and what waits is in the waiting room."""
        items = engine.pool.items
        for conversation_id, item in self.before.items():
            if conversation_id not in items:
                require("I9", item.state == "closed", f"{conversation_id} vanished while {item.state}")
                self.closed_long_ago.add(conversation_id)
        self.closed_long_ago -= items.keys()
        require("I9", self.enqueued == items.keys() | self.closed_long_ago, "arrivals do not add up")
        waiting = {i for i, item in items.items() if item.state == "waiting"}
        seen = {i for i in items if i in engine.pool.waiting}
        require("I9", waiting == seen and len(waiting) == len(engine.pool.waiting), waiting ^ seen)

    def offers_end(self, engine: Engine) -> None:
        """I12, I13: no open offer outlives its expiry; an offline or away agent holds none."""
        for offer in engine.pool.offers.values():
            if offer.state == "open":
                require("I12", offer.expires_at_ms > engine.at_ms, offer)
                presence = engine.pool.bench.seats[offer.agent_id].presence
                require("I13", presence in ("online", "no_new"), f"{offer.agent_id} is {presence}")

    def nobody_is_offered_what_he_cannot(self, engine: Engine, step: Step) -> None:
        """I16: required skills, team and, in ring 0, language. Read from the directory, not from the matcher."""
        pool = engine.pool
        moved = {e.conversation_id: n for n, e in enumerate(step.events) if isinstance(e, TeamAssigned)}
        for place, event in enumerate(step.events):
            if not isinstance(event, AgentOffered) or event.agent_id not in pool.bench.seats:
                continue
            if moved.get(event.conversation_id, -1) > place:
                # It went to another queue in the same step: the offer was for the one before.
                continue
            item, offer = pool.items[event.conversation_id], pool.offers[event.offer_id]
            profile = pool.bench.seats[event.agent_id].profile
            queue = pool.directory.queue_by_id[offer.queue_id or item.queue_id]
            levels = dict(profile.skills)
            for skill, level in (*item.skills, *queue.skills):
                require("I16", levels.get(skill, 0) >= level, f"{event.agent_id} lacks {skill} {level}")
            by_hand = type_of_cause(step, event) in ("transfer", "move")
            asked = max(
                [care.seniority for tier, care in queue.tiers if tier == item.tier]
                + [queue.in_debt.seniority if item.debt else 0]
            )
            if not any(r.drop_seniority for r in queue.ring_plan[: item.ring]):
                require(
                    "I16", by_hand or profile.seniority >= asked, f"{event.agent_id} is too new for {item}"
                )
            open_rings = queue.ring_plan[: item.ring]
            teams = {queue.team_id, *(t for r in open_rings for t in r.teams)}
            require("I16", by_hand or bool(teams & {*profile.teams}), f"{event.agent_id} not of the team")
            free = by_hand or item.language == "und" or any(r.drop_language for r in open_rings)
            require("I16", free or item.language in profile.languages, f"{event.agent_id}: {item.language}")
            dropped = {s for r in open_rings for s in r.drop_skills}
            for skill, level in queue.preferred_skills:
                fits = by_hand or skill in dropped or levels.get(skill, 0) >= level
                require("I16", fits, f"{event.agent_id} lacks the preferred {skill} in ring {item.ring}")

    def somebody_is_kept(self, engine: Engine, command: Command, step: Step) -> None:
        """Reserve: what yields is not given the last free agent of the reserve, and yields no longer than it says."""
        pool = engine.pool
        for item in pool.items.values():
            if item.state == "waiting" and item.yields_until_ms:
                until_ms = item.waiting_since_ms + pool.directory.reserve.after_ms
                require("reserve", pool.at_ms < item.yields_until_ms <= until_ms, item)
        made = [e for e in step.events if isinstance(e, AgentOffered)]
        if not isinstance(command, Enqueue) or len(made) != 1 or made[0].agent_id not in guards(engine):
            return
        item = pool.items[made[0].conversation_id]
        if item.yields_until_ms > pool.at_ms and not item.held_for and item.state == "offered":
            require("reserve", bool(free_guards(engine, item.channel)), f"{item} has the last of the reserve")

    def customers_are_known(self, engine: Engine, command: Command) -> None:
        """Standing: what is heard of a customer holds for everything they have in the pool."""
        if isinstance(command, KnowCustomer):
            for item in engine.pool.items.values():
                if item.customer_id == command.customer_id and item.state != "closed":
                    told = (item.tier, item.debt) == (command.tier, command.debt)
                    require("standing", told, f"{item} after {command}")

    def bots_have_deadlines(self, engine: Engine, step: Step) -> None:
        """Bot: nobody waits for a silent bot, who has a conversation is always told, and people never give it back."""
        pool = engine.pool
        for event in step.events:
            if isinstance(event, TeamAssigned):
                place = (event.conversation_id, event.episode)
                back = self.handling.get(place) == "human" and event.handling == "bot"
                require("bot", not back, f"{event} after people had it")
                self.handling[place] = event.handling
        for item in step.items.values():
            if item.state != "closed":
                told = self.handling.get((item.conversation_id, item.episode))
                require(
                    "bot", (told == "bot") == (item.state == "with_bot"), f"{item} is said to be with {told}"
                )
        for item in pool.items.values():
            if item.state == "with_bot":
                rules = pool.queue_of(item).bot
                most_ms = max(rules.answer_ms, rules.idle_ms)
                require("bot", pool.at_ms < item.bot_until_ms <= pool.at_ms + most_ms, item)

    def escalations_are_told(self, step: Step) -> None:
        """Escalation: every one has an event with who, why and its decision; a rule's reason counts once."""
        told = {e.conversation_id: e for e in step.events if isinstance(e, Escalated)}
        for item in step.items.values():
            was = self.before.get(item.conversation_id)
            if was is not None and was.episode == item.episode and item.escalated_ms > was.escalated_ms:
                require("escalation", item.conversation_id in told, f"{was} then {item}")
        for event in step.events:
            if isinstance(event, Escalated):
                known = any(d["decision_id"] == event.decision_id for d in step.decisions)
                require("escalation", known and bool(event.by or event.cause == "hops"), event)
                place = (event.conversation_id, event.episode, event.reason)
                if event.cause == "rule":
                    require("escalation", place not in self.by_rule, f"{event} again")
                    self.by_rule.add(place)

    def crossings_are_whole(self, engine: Engine, command: Command, step: Step) -> None:
        """Crossing: what leaves is nobody's here, its clocks too; what comes in has the next epoch, its age and clocks."""
        pool = engine.pool
        for event in step.events:
            if isinstance(event, LeftPool):
                conversation_id = event.item.conversation_id
                item = pool.items[conversation_id]
                gone = item.state == "closed" and item.moved_to == event.to_pool and not item.agent_id
                require("crossing", gone and conversation_id not in pool.clocks, item)
                require("crossing", not event.item.agent_id and not event.item.offer_id, event)
        if isinstance(command, Adopt) and step.items:
            given, item = command.item, pool.items[command.item.conversation_id]
            offered = sum(1 for e in step.events if isinstance(e, AgentOffered))
            require("crossing", given.epoch < item.epoch <= given.epoch + 1 + offered, f"{given} then {item}")
            require("crossing", not item.moved_to and item.eligible_at_ms == given.eligible_at_ms, item)
            kept = {c.clock_id for c in pool.clocks.get(item.conversation_id, ())}
            require("crossing", {c.clock_id for c in command.clocks} <= kept, f"{item} lost a clock")

    def decisions_are_explained(self, step: Step) -> None:
        """Every event that names a decision comes with its record, and records are small."""
        known = {d["decision_id"] for d in step.decisions}
        require("explained", len(known) == len(step.decisions), "two records have one id")
        for event in step.events:
            if isinstance(event, TeamAssigned | AgentOffered) and event.decision_id:
                require("explained", event.decision_id in known, event)
        for record in step.decisions:
            require("explained", len(json.dumps(record)) < 4096, record)

    def nothing_waits_unseen(self, engine: Engine) -> None:
        """Alarm: it stands over exactly the queues in which something waits that nobody could ever take."""
        pool = engine.pool
        vain = set()
        for item in pool.items.values():
            if item.state == "waiting":
                widest = pool.signature(item)._replace(ring=len(pool.queue_of(item).ring_plan))
                if not any(
                    self.able(engine, seat.group_key, widest) and not seat.stopped
                    for seat in pool.bench.seats.values()
                ):
                    vain.add(item.queue_id)
                    onward = pool.directory.queue_by_id.get(pool.queue_of(item).relief.overflow)
                    stays = onward is None or ("queue", onward.queue_id) in pool.notices
                    require("alarm", stays, f"{item} waits in vain and does not overflow")
        standing = {about for kind, about in pool.notices if kind == "unserved"}
        require("alarm", vain == standing, f"{vain} need an alarm, {standing} have one")

    def orders_hold(self, engine: Engine, step: Step) -> None:
        """Drain: nobody who drains has an open offer. Close: nothing new comes into a closed queue while there is
        another one for it; a transfer that was offered before is finished (it names no decision)."""
        pool = engine.pool
        everybody = any(kind == "pool" for kind, _ in pool.notices)
        for agent_id, seat in pool.bench.seats.items():
            drains = everybody or ("agent", agent_id) in pool.notices
            require("drain", drains == seat.stopped, agent_id)
            require("drain", not (drains and seat.offers), f"{agent_id} drains and is offered {seat.offers}")
        closed = {about for kind, about in pool.notices if kind == "queue"}
        default = pool.directory.filters[-1].queue_id
        for event in step.events:
            if isinstance(event, TeamAssigned) and event.decision_id and not step.notices:
                wrong = event.queue_id in closed and default not in closed
                require("close", not wrong, event)

    def age_is_kept(self, engine: Engine, command: Command) -> None:
        """I14: nothing changes the age of an episode, except an answer to a parked conversation."""
        for item in engine.pool.items.values():
            place = (item.conversation_id, item.episode)
            known = self.eligible_at.setdefault(place, item.eligible_at_ms)
            was = self.before.get(item.conversation_id)
            answered = isinstance(command, CustomerWrote | RecordStatus) and was and was.state == "parked"
            if answered and command.conversation_id == item.conversation_id:  # type: ignore[attr-defined]  # both have
                require("I14", item.eligible_at_ms >= known, item)
                self.eligible_at[place] = known = item.eligible_at_ms
            require("I14", known == item.eligible_at_ms, item)

    def overtaking(self, engine: Engine, step: Step) -> None:
        """I6: who is served before another of the same signature is due no later than that one's due + Bmax."""
        pool = engine.pool
        limit = pool.directory.boost_limit_ms
        for item in pool.items.values():
            if item.state != "waiting":
                continue
            name = "I17" if item.tier else "I6"
            if item.pinned_at_ms:
                others = [
                    i.key_ms for i in pool.items.values() if not i.pinned_at_ms and i.state == "waiting"
                ]
                require("pin", item.key_ms < min(others, default=pool.at_ms), item)
                continue
            require(name, 0 <= item.due_ms - item.key_ms <= limit, f"boost of {item}")

    def rings_are_nested(self, engine: Engine, step: Step) -> None:
        """I8: who can serve in a ring can serve in the next; while an item waits its ring only grows."""
        pool = engine.pool
        moved = {e.conversation_id for e in step.events if isinstance(e, TeamAssigned)}
        for item in pool.items.values():
            if item.state != "waiting":
                continue
            was = None if item.conversation_id in moved else self.before.get(item.conversation_id)
            same_wait = was and was.state == "waiting" and was.episode == item.episode
            same_wait = same_wait and was and was.waiting_since_ms == item.waiting_since_ms
            if was and same_wait and (was.queue_id, was.language) == (item.queue_id, item.language):
                changed = pool.step.directory is not None
                require("I8", changed or item.ring >= was.ring, f"{was} then {item}")
            signature = pool.signature(item)
            for group_key in {seat.group_key for seat in pool.bench.seats.values()}:
                place = (group_key, signature._replace(ring=0))
                if place in self.nested:
                    continue
                self.nested.add(place)
                rings = range(len(pool.queue_of(item).ring_plan) + 1)
                able = [self.able(engine, group_key, signature._replace(ring=ring)) for ring in rings]
                require("I8", able == sorted(able), f"{group_key} in the rings of {signature}: {able}")

    def able(self, engine: Engine, group_key: GroupKey, signature: Signature) -> bool:
        """Whether agents of the profile can serve the signature, with room or not."""
        place = (group_key, signature)
        if place not in self.verdicts:
            self.verdicts[place] = engine.pool.bench.verdict(group_key, signature)
        return isinstance(self.verdicts[place], int)

    def absent_agents(self, engine: Engine) -> None:
        """I13: live work of an offline agent waits again when the grace ends."""
        pool = engine.pool
        for item in pool.items.values():
            seat = pool.bench.seats.get(item.agent_id)
            if seat is None or seat.presence != "offline" or seat.rules[item.channel].interruptible:
                continue
            late = pool.at_ms >= seat.since_ms + pool.directory.live_grace_ms
            require("I13", not late, f"{item} still with {seat.agent_id}")

    def refusals(self, engine: Engine, step: Step) -> None:
        """I15: who declined or missed an item is not offered it again until the exclusion is lifted."""
        lifted = {d["conversation_id"] for d in step.decisions if d["kind"] == "exclusions-lifted"}
        self.refused = {pair for pair in self.refused if pair[0] not in lifted}
        for event in step.events:
            if isinstance(event, AgentAssigned | Released | TeamAssigned):
                self.refused = {pair for pair in self.refused if pair[0] != event.conversation_id}
            elif isinstance(event, OfferClosed) and event.outcome in ("declined", "expired"):
                if not engine.pool.offers[event.offer_id].transfer_from:
                    self.refused.add((event.conversation_id, event.agent_id))
            elif isinstance(event, AgentOffered):
                by_hand = type_of_cause(step, event) in BY_HAND
                again = (event.conversation_id, event.agent_id) in self.refused
                require("I15", by_hand or not again, f"{event.agent_id} is asked again")

    def holds_end(self, engine: Engine) -> None:
        """I18: affinity delays an item by at most the hold of its queue, and for nobody whom the customer rated bad."""
        pool = engine.pool
        for item in pool.items.values():
            if item.state == "waiting" and item.held_for:
                until = item.waiting_since_ms + pool.queue_of(item).affinity_hold_ms
                require("I18", pool.at_ms < item.hold_until_ms <= until, item)
                require("I18", item.held_for not in item.avoided, item)


def guards(engine: Engine) -> set[str]:
    """Agents who can serve every queue of the reserve, read from the directory."""
    directory = engine.pool.directory
    queues = [directory.queue_by_id[q] for q in directory.reserve.queues]
    able = set()
    for agent_id, seat in engine.pool.bench.seats.items():
        levels = dict(seat.profile.skills)
        if queues and all(
            q.team_id in seat.profile.teams and all(levels.get(s, 0) >= n for s, n in q.skills)
            for q in queues
        ):
            able.add(agent_id)
    return able


def free_guards(engine: Engine, channel: str) -> set[str]:
    """Those of them who have room for one more of the channel."""
    seats = engine.pool.bench.seats
    return {a for a in guards(engine) if seats[a].block(seats[a].rules[channel]) == ""}


def _share(engine: Engine, agent_id: str) -> int:
    """The percent of the budget that the agent may use now."""
    seat = engine.pool.bench.seats[agent_id]
    if not seat.profile.started_at_ms:
        return 100
    age = engine.at_ms - seat.profile.started_at_ms
    return min([p for until, p in seat.policy.ramp if age < until], default=100)


def _order_of(item: Item) -> tuple[int, int, int, str]:
    """Pinned ones first, in the order of their pins; then by due and boost."""
    key_ms = item.pinned_at_ms or item.due_ms - item.boost_ms
    return (not item.pinned_at_ms, key_ms, item.eligible_at_ms, item.conversation_id)


def type_of_cause(step: Step, event: AgentOffered) -> str:
    """The kind of the decision behind an offer."""
    return next((str(d["kind"]) for d in step.decisions if d["decision_id"] == event.decision_id), "")
