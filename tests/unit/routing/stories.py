"""Random lives of a pool: a story is a list of small integer tuples that is read as commands against the state.

The interpreter plays every story on two engines at once (the same commands must give the same steps), repeats
commands, crashes and restores, and lets the `Witness` look after every step.
"""

from __future__ import annotations

import random
from dataclasses import replace

from services.routing.domain import commands as c
from services.routing.domain import orders as o
from services.routing.domain.directory import Directory
from services.routing.domain.engine import Engine
from services.routing.domain.events import LeftPool
from services.routing.domain.model import PRESENCES, URGENCIES, Offer, Status
from services.routing.domain.state import Step
from tests.unit.routing.invariants import Witness, require
from tests.unit.routing.pools import DIRECTORY, HOUR, MINUTE, PROFILES, RICH, SECOND, T0, engine_with
from tests.unit.routing.promises import Promises
from tests.unit.routing.saved import Saved

Op = tuple[int, int, int]
CHANNELS = ("chat", "mail", "web", "api", "voice")
LANGUAGES = ("en", "it", "ro", "ar", "und")
TOPICS = ("invoice", "technical", "unknown", "other")
SKILLS = ((), (), (("network", 1),), (("network", 2),))
PAUSES = (0, 0, 1, SECOND, 21 * SECOND, 31 * SECOND, 3 * MINUTE, HOUR, 9 * HOUR)
STATUSES: tuple[Status, ...] = ("open", "pending_customer", "on_hold", "snoozed")
CUSTOMERS = ("", "k1", "k2", "k3", "k4", "k5", "k6")
QUEUES = ("billing", "desk", "vip-desk", "nowhere")
MOST_ITEMS = 40
WEIGHTS = (
    ("arrive", 8),
    ("accept", 10),
    ("decline", 3),
    ("close", 4),
    ("release", 2),
    ("transfer", 3),
    ("presence", 4),
    ("time", 5),
    ("repeat", 3),
    ("crash", 2),
    ("reclassify", 1),
    ("reply", 1),
    ("status", 2),
    ("reopen", 2),
    ("lease", 1),
    ("agent", 1),
    ("directory", 1),
    ("wrote", 2),
    ("supervise", 4),
    ("hold_back", 2),
    ("deliver", 2),
    ("burst", 1),
    ("customer", 2),
    ("hand_off", 1),
    ("leave", 1),
    ("come", 2),
)
ORDERS = ("move", "pin", "boost", "boost", "escalate", "call_back", "pass_on", "drain", "close_queue")
KINDS = tuple(name for name, weight in WEIGHTS for _ in range(weight))


def random_story(seed: int, length: int) -> list[Op]:
    draw = random.Random(seed)
    return [(draw.randrange(len(KINDS)), draw.randrange(1000), draw.randrange(1000)) for _ in range(length)]


def play(story: list[Op], engine_type: type[Engine] = Engine) -> None:
    """Play a story in the plain or in the rich pool; raises `Broken` when an invariant does not hold."""
    first = story[0] if story else (0, 0, 0)
    told = Story(engine_type, (DIRECTORY, RICH)[first[1] % 2])
    if first[2] % 3 == 0:
        told.send_everybody_away()
    if first[2] % 4 == 0:
        told.shadowed = True
        told.cast_shadows(told.directory)
    told.play(story)


class Story:
    def __init__(self, engine_type: type[Engine], directory: Directory = DIRECTORY) -> None:
        self.engine_type = engine_type
        self.directory = directory
        self.people = (*PROFILES[:-1], replace(PROFILES[-1], started_at_ms=T0 - MINUTE))
        self.engine = engine_with(*self.people, engine_type=engine_type, directory=directory)
        self.twin = engine_with(*self.people, engine_type=engine_type, directory=directory)
        self.shadowed = False
        self.away: list[LeftPool] = []
        self.held_back: list[c.Command] = []
        self.saved = Saved(self.engine)
        self.witness = Witness()
        self.promises = Promises()
        self.at = T0
        self.number = 0
        self.last: tuple[c.Command, Step] | None = None

    def play(self, story: list[Op]) -> None:
        for kind, a, b in story:
            if len(self.saved.items) > MOST_ITEMS:
                self.begin_anew()
            command = getattr(self, "_" + KINDS[kind])(a, b)
            if command is not None and not self.passed_on(command):
                self.apply(command)

    def cast_shadows(self, directory: Directory) -> None:
        """The engine's own policy looks over its shoulder, another one over the twin's."""
        self.apply(o.PutShadow(command_id=self._id(), name="same", directory=directory))

    def send_everybody_away(self) -> None:
        """A crowd gathers until somebody comes back."""
        for profile in self.people:
            self.apply(c.SetPresence(command_id=self._id(), agent_id=profile.agent_id, presence="away"))

    def begin_anew(self) -> None:
        """A fresh pool, so that a step costs the same in the millionth as in the first."""
        shadowed = self.shadowed
        self.__init__(self.engine_type, self.directory)  # type: ignore[misc]  # all state is set there
        if shadowed:
            self.shadowed = True
            self.cast_shadows(self.directory)

    def passed_on(self, command: c.Command) -> bool:
        """What the service does with a command about something that another pool has."""
        item = self.saved.items.get(getattr(command, "conversation_id", ""))
        return item is not None and bool(item.moved_to)

    def recall(self, command: c.Command) -> None:
        """What the service does before a command about something that the engine may have forgotten."""
        conversation_id = getattr(command, "conversation_id", "")
        item = self.saved.items.get(conversation_id)
        if item is not None and not self.engine.knows(conversation_id):
            clocks = [k for k in self.saved.clocks.values() if k.conversation_id == conversation_id]
            self.engine.recall(item, clocks)
            self.twin.recall(item, clocks)

    def apply(self, command: c.Command) -> Step:
        self.recall(command)
        step = self.engine.apply(command, self.at)
        require("I19", self._same(step, self._of_twin(command)), f"another step for {command}")
        require("shadow", not step.differences, f"the same policy would decide otherwise: {step.differences}")
        self.saved.save(step)
        self.witness.see(self.engine, command, step)
        self.promises.see(self.engine, step)
        self.last = (command, step)
        self.away += [e for e in step.events if isinstance(e, LeftPool)]
        if self.shadowed and step.directory is not None:
            self.cast_shadows(step.directory)
        return step

    def _of_twin(self, command: c.Command) -> Step:
        if isinstance(command, o.PutShadow):
            other = RICH if self.directory is DIRECTORY else DIRECTORY
            return self.twin.apply(replace(command, directory=other), self.at)
        return self.twin.apply(command, self.at)

    def _same(self, step: Step, of_twin: Step) -> bool:
        """A shadow changes nothing: the twin has another one."""
        return replace(step, shadow=None) == replace(of_twin, shadow=None)

    def _id(self) -> str:
        self.number += 1
        return f"c{self.number}"

    def _conversation(self, a: int) -> str:
        known = sorted(self.engine.pool.items)
        return known[a % len(known)] if known else "nobody"

    def _offer(self, a: int) -> Offer | None:
        offers = sorted(self.engine.pool.offers.values(), key=lambda o: (o.state != "open", o.offer_id))
        still_open = [o for o in offers if o.state == "open"]
        if a % 5 and still_open:
            offers = still_open
        return offers[a % len(offers)] if offers else None

    def _agent_id(self, a: int) -> str:
        return PROFILES[a % len(PROFILES)].agent_id

    def _arrive(self, a: int, b: int) -> c.Enqueue:
        """Many of a kind, so that they stand in one order; and some of every kind."""
        usual = a % 3 > 0
        return c.Enqueue(
            command_id=self._id(),
            conversation_id=f"v{self.number}",
            episode=1,
            channel="chat" if usual else CHANNELS[a // 3 % 5],
            language="en" if usual else LANGUAGES[a // 15 % 5],
            topic=TOPICS[b % 4],
            urgency=URGENCIES[b // 4 % 3],
            started_at_ms=self.at - (b % 7) * MINUTE,
            skills=() if usual else SKILLS[a // 75 % 4],
            tier="gold" if b // 12 % 4 == 0 else "",
            debt=b % 30,
            customer_id=CUSTOMERS[b % len(CUSTOMERS)],
            handling="bot" if a % 5 == 0 else "human",
            escalate="threat" if a % 17 == 0 else "",
            escalated_by="rule-1" if a % 17 == 0 else "",
            preferred_agent=self._agent_id(b // 50) if b % 11 == 0 else "",
        )

    def _burst(self, a: int, b: int) -> None:
        """Several who ask for the same at once: orders can be compared only among equals that wait."""
        first = self._arrive(a, b)
        for n in range(6):
            one = replace(
                first,
                command_id=self._id(),
                conversation_id=f"v{self.number}",
                urgency=URGENCIES[(b + n) % 3],
                tier="gold" if n % 2 else "",
                started_at_ms=self.at - n * MINUTE,
            )
            self.apply(one)

    def _reopen(self, a: int, b: int) -> c.Command | None:
        item = self.engine.pool.items.get(self._conversation(a))
        if item is None:
            return None
        return c.Enqueue(
            command_id=self._id(),
            conversation_id=item.conversation_id,
            episode=item.episode + (b % 3 > 0),
            channel=item.channel,
            language=item.language,
            topic=item.topic,
            urgency=URGENCIES[b % 3],
            started_at_ms=self.at,
            avoid_agents=(item.last_agent_id,) if item.last_agent_id and b % 2 else (),
            customer_id=item.customer_id,
        )

    def _reclassify(self, a: int, b: int) -> c.Command | None:
        item = self.engine.pool.items.get(self._conversation(a))
        if item is None:
            return None
        return c.Reclassify(
            command_id=self._id(),
            conversation_id=item.conversation_id,
            episode=item.episode,
            topic=TOPICS[b % 4],
            language=LANGUAGES[b // 4 % 5],
            urgency=URGENCIES[b // 20 % 3],
            based_on_human_version=b % 2,
            queue_hint=("", "vip-desk", "desk")[b % 3],
            insist=b % 5 == 0,
            escalate=("", "threat", "press")[b % 3] if b % 2 else "",
            escalated_by="rule-2",
        )

    def _accept(self, a: int, b: int) -> c.Command | None:
        offer = self._offer(a)
        if offer is None:
            return None
        agent_id = offer.agent_id if b % 10 else self._agent_id(b)
        return c.AcceptOffer(command_id=self._id(), offer_id=offer.offer_id, agent_id=agent_id)

    def _decline(self, a: int, b: int) -> c.Command | None:
        offer = self._offer(a)
        if offer is None:
            return None
        return c.DeclineOffer(command_id=self._id(), offer_id=offer.offer_id, agent_id=offer.agent_id)

    def _close(self, a: int, b: int) -> c.Command:
        conversation_id = self._conversation(a)
        item = self.engine.pool.items.get(conversation_id)
        return c.Close(
            command_id=self._id(),
            conversation_id=conversation_id,
            episode=item.episode if item else 1,
            closed_at_ms=self.at,
            cause="resolved" if b % 8 else "merged",
        )

    def _release(self, a: int, b: int) -> c.Command:
        conversation_id = self._conversation(a)
        item = self.engine.pool.items.get(conversation_id)
        agent_id = item.agent_id if item and b % 4 else ""
        return c.Release(command_id=self._id(), conversation_id=conversation_id, agent_id=agent_id)

    def _transfer(self, a: int, b: int) -> c.Command:
        conversation_id = self._conversation(a)
        item = self.engine.pool.items.get(conversation_id)
        command = c.Transfer(
            command_id=self._id(),
            conversation_id=conversation_id,
            agent_id=item.agent_id if item and b % 6 else "",
        )
        if b % 2:
            return replace(command, to_agent=self._agent_id(b // 2))
        if b % 4:
            return replace(command, to_team=("billing", "desk")[b // 4 % 2])
        return replace(command, to_queue=QUEUES[b // 4 % 4])

    def _supervise(self, a: int, b: int) -> c.Command:
        order = ORDERS[a // 40 % len(ORDERS)]
        made: c.Command = getattr(self, "_" + order)(a, b)
        return made

    def _move(self, a: int, b: int) -> c.Command:
        command = o.Move(
            command_id=self._id(),
            conversation_id=self._conversation(a),
            by="boss",
            expected_version="stale" if b % 13 == 0 else "",
        )
        if b % 2:
            return replace(command, to_agent=self._agent_id(b // 2))
        return replace(command, to_queue=QUEUES[b // 4 % 4])

    def _pin(self, a: int, b: int) -> c.Command:
        return o.Pin(
            command_id=self._id(),
            conversation_id=self._conversation(a),
            on=b % 4 > 0,
            by="boss",
            reason="vip",
        )

    def _boost(self, a: int, b: int) -> c.Command:
        return o.Boost(
            command_id=self._id(),
            conversation_id=self._conversation(a),
            boost_ms=(b % 4 - 1) * HOUR,
            by="boss",
        )

    def _escalate(self, a: int, b: int) -> c.Command:
        return o.Escalate(command_id=self._id(), conversation_id=self._conversation(a), by="boss")

    def _pass_on(self, a: int, b: int) -> c.Command:
        return o.PassOn(
            command_id=self._id(),
            conversation_id=self._conversation(a),
            queue_id=QUEUES[b % 3],
            expected_ms=HOUR,
        )

    def _call_back(self, a: int, b: int) -> c.Command:
        return o.CallBack(command_id=self._id(), conversation_id=self._conversation(a), on=b % 3 > 0)

    def _drain(self, a: int, b: int) -> c.Command:
        """Drains end sooner than they begin, so that most stories are about work."""
        agent_id = self._agent_id(a) if b % 5 else ""
        return o.Drain(
            command_id=self._id(), agent_id=agent_id, on=b % 3 == 0, give_back=b % 2 == 0, by="boss"
        )

    def _close_queue(self, a: int, b: int) -> c.Command:
        return o.CloseQueue(
            command_id=self._id(), queue_id=QUEUES[a % 4], on=b % 2 == 0, move_waiting=b % 3 == 0, by="boss"
        )

    def _reply(self, a: int, b: int) -> c.Command:
        conversation_id = self._conversation(a)
        return c.RecordReply(
            command_id=self._id(),
            conversation_id=conversation_id,
            episode=1 + b % 2,
            replied_at_ms=self.at - b % 3 * MINUTE,
            human_version=b % 5,
            after_seq=b // 5 % 6,
            human=b % 13 > 0 and b % 4 > 0,
            bot=b % 4 == 0,
        )

    def _status(self, a: int, b: int) -> c.Command:
        conversation_id = self._conversation(a)
        item = self.engine.pool.items.get(conversation_id)
        return c.RecordStatus(
            command_id=self._id(),
            conversation_id=conversation_id,
            episode=item.episode if item else 1,
            status=STATUSES[b % 4],
            changed_at_ms=self.at,
        )

    def _wrote(self, a: int, b: int) -> c.Command | None:
        item = self.engine.pool.items.get(self._conversation(a))
        if item is None:
            return None
        episode = item.episode - (b % 7 == 0)
        return c.CustomerWrote(
            command_id=self._id(),
            conversation_id=item.conversation_id,
            episode=episode,
            wrote_at_ms=self.at - b % 3,
            seq=b // 3 % 6,
        )

    def _customer(self, a: int, b: int) -> c.Command:
        customer_id, tier = CUSTOMERS[a % len(CUSTOMERS)] or "stranger", ("", "gold")[b % 2]
        return c.KnowCustomer(command_id=self._id(), customer_id=customer_id, tier=tier, debt=b // 2 % 3 * 12)

    def _hand_off(self, a: int, b: int) -> c.Command | None:
        item = self.engine.pool.items.get(self._conversation(a))
        if item is None:
            return None
        return c.HandOff(
            command_id=self._id(),
            conversation_id=item.conversation_id,
            episode=item.episode - (b % 5 == 0),
            cause="bot-handed-over",
        )

    def _leave(self, a: int, b: int) -> c.Command:
        """To another pool."""
        return c.Transfer(
            command_id=self._id(),
            conversation_id=self._conversation(a),
            agent_id="",
            to_queue="far",
            to_pool="elsewhere",
        )

    def _come(self, a: int, b: int) -> c.Command | None:
        """And back, as a command of this one."""
        if not self.away:
            return None
        left = self.away.pop(a % len(self.away))
        return c.Adopt(
            command_id=self._id(),
            item=left.item,
            clocks=left.clocks,
            to_queue=QUEUES[b % 4],
            from_pool="elsewhere",
        )

    def _hold_back(self, a: int, b: int) -> None:
        """A command that comes later than it was made."""
        made = getattr(self, "_" + ("accept", "close", "reply", "status", "wrote", "reopen")[a % 6])(b, a)
        if made is not None:
            self.held_back.append(made)

    def _deliver(self, a: int, b: int) -> c.Command | None:
        return self.held_back.pop(a % len(self.held_back)) if self.held_back else None

    def _presence(self, a: int, b: int) -> c.Command:
        presence = PRESENCES[b % 4] if b % 3 else "online"
        return c.SetPresence(command_id=self._id(), agent_id=self._agent_id(a), presence=presence)

    def _lease(self, a: int, b: int) -> c.Command | None:
        seat = self.engine.pool.bench.seats.get(self._agent_id(a))
        if seat is None:
            return None
        epoch = seat.presence_epoch - (b % 3 == 0)
        return c.EndLease(command_id=self._id(), agent_id=seat.agent_id, presence_epoch=epoch)

    def _time(self, a: int, b: int) -> c.Command:
        self.at += PAUSES[a % len(PAUSES)]
        return c.TimePassed(command_id=self._id())

    def _agent(self, a: int, b: int) -> c.Command:
        profile = self.people[a % len(self.people)]
        if b % 3 == 0:
            return c.RemoveAgent(command_id=self._id(), agent_id=profile.agent_id)
        languages = profile.languages if b % 3 == 1 else ("en", "ar")
        return c.PutAgent(command_id=self._id(), agent=replace(profile, languages=languages))

    def _directory(self, a: int, b: int) -> c.Command:
        directory = self.directory
        if b % 2:
            queues = tuple(q for q in directory.queues if q.queue_id != "vip-desk")
            filters = tuple(f for f in directory.filters if f.queue_id != "vip-desk")
            directory = replace(directory, queues=queues, filters=filters)
        return c.PutDirectory(command_id=self._id(), directory=directory)

    def _repeat(self, a: int, b: int) -> None:
        """I11: the same command again, at the same instant, changes nothing and answers the same.

        Only the numbering of explanations may go on: what is dropped is said each time.
        """
        if self.last is None:
            return
        command, first = self.last
        before = self.engine.snapshot()
        again = self.engine.apply(command, self.at)
        self._of_twin(command)
        after = replace(self.engine.snapshot(), pool=before.pool)
        self.saved.pool = again.pool
        require("I11", after == before, f"repeating {command} changed something")
        require("I11", again.result == first.result, f"{again.result} is not {first.result}")
        require("I11", not again.events and not again.feed, f"repeating {command} told {again.events}")

    def _crash(self, a: int, b: int) -> None:
        """I10: an engine made from the saved rows is the engine that was lost, now and later."""
        restored = self.engine_type.restore(self.saved.load())
        require("I10", restored.snapshot() == self.engine.snapshot(), "another state after a restart")
        self.engine = restored
