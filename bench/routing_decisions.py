"""Cost of a routing decision: the pool engine alone, with its explanation serialised, garbage collector on.

A pool of 10,000 agents of 150 profiles, all online, is filled until 10,000 conversations of 60 signatures wait, later
until 100,000 do. At each size come as many operations as are asked for: a new conversation whenever at most so many
wait, else a resolve that frees an agent; so the waiting stay at that number and the two kinds are mixed as the pool
works them off. The accept of every offer comes beside them and is timed apart. Every command is timed with everything
that it caused and `json.dumps` of its explanations: by the wall clock, which the goal is about, and by the CPU time of
the process, which other work on the machine disturbs less.

    python -m bench.routing_decisions [--waiting 10000 100000] [--agents 10000] [--operations 50000]
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import time
from itertools import combinations

from bench.report import write
from services.routing.domain.calendars import Calendar, Hours
from services.routing.domain.commands import AcceptOffer, Close, Command, Enqueue, PutAgent, SetPresence
from services.routing.domain.directory import (
    AgentProfile,
    CapacityPolicy,
    ChannelRule,
    Directory,
    Filter,
    Team,
)
from services.routing.domain.engine import Engine
from services.routing.domain.events import AgentOffered
from services.routing.domain.model import URGENCIES
from services.routing.domain.queue_policy import Queue
from services.routing.domain.sla_policy import SlaPolicy
from services.routing.domain.state import Step

TEAMS = ("billing", "orders", "it-help-desk", "product-specialists", "general")
TOPICS = ("invoice", "order", "technical", "product", "other")
LANGUAGES = ("en", "it", "fr", "de")
CHANNELS = ("chat", "mail", "web")
SIGNATURES = len(TEAMS) * len(LANGUAGES) * len(CHANNELS)
MOST_US = 1_000
MOST_GROWTH = 2
PROFILES = [
    (teams, languages)
    for teams in (*combinations(TEAMS, 1), *combinations(TEAMS, 2))
    for languages in (*combinations(LANGUAGES, 1), *combinations(LANGUAGES, 2))
]
HOUR = 3_600_000
START = 1_780_000_000_000


def directory() -> Directory:
    """Five teams, four channels, a weekly calendar."""
    week = tuple(Hours(day, 8 * 60, 20 * 60) for day in range(7))
    sla = SlaPolicy(2 * HOUR, 48 * HOUR, "office")
    return Directory(
        version=1,
        teams=tuple(Team(t, t) for t in TEAMS),
        queues=tuple(
            Queue(t, t, t, sla, boosts=(("high", HOUR),), offer_timeout_ms=10 * HOUR) for t in TEAMS
        ),
        filters=(
            *(Filter(team, (topic,)) for team, topic in zip(TEAMS, TOPICS, strict=True) if topic != "other"),
            Filter("general"),
        ),
        capacities=(
            CapacityPolicy(
                "default",
                60,
                20,
                (
                    ChannelRule("chat", 30, 2),
                    ChannelRule("mail", 10, 2, interruptible=True),
                    ChannelRule("web", 10, 2, interruptible=True),
                ),
                max_open_offers=20,
            ),
        ),
        calendars=(Calendar("office", "Europe/Rome", week),),
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--waiting", type=int, nargs="+", default=[10_000, 100_000])
    options.add_argument("--agents", type=int, default=10_000)
    options.add_argument("--operations", type=int, default=50_000)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    run(options.parse_args())


class Load:
    """Drives one engine and keeps the times of what it asked."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.engine = Engine("default", directory())
        self.at = START
        self.commands = 0
        self.conversations = 0
        self.assigned: list[str] = []
        self.forget()

    def forget(self) -> None:
        self.times: dict[str, list[int]] = {"arrive": [], "free": [], "accept": []}
        self.cpu: dict[str, list[int]] = {"arrive": [], "free": [], "accept": []}
        self.explained = 0

    def apply(self, command: Command, kind: str = "") -> Step:
        begun, cpu_begun = time.perf_counter_ns(), time.process_time_ns()
        step = self.engine.apply(command, self.at)
        for record in step.decisions:
            self.explained += len(json.dumps(record))
        if kind:
            cpu, wall = time.process_time_ns() - cpu_begun, time.perf_counter_ns() - begun
            self.times[kind].append(wall)
            self.cpu[kind].append(cpu)
        return step

    def id(self) -> str:
        self.commands += 1
        return f"c{self.commands:09}"

    def hire(self, number: int) -> None:
        for n in range(number):
            teams, languages = PROFILES[n % len(PROFILES)]
            profile = AgentProfile(f"agent-{n:05}", f"Agent {n}", teams, languages)
            self.apply(PutAgent(command_id=self.id(), agent=profile))
            self.apply(SetPresence(command_id=self.id(), agent_id=profile.agent_id, presence="online"))

    def arrive(self, kind: str = "") -> None:
        draw = self.random
        self.conversations += 1
        command = Enqueue(
            command_id=self.id(),
            conversation_id=f"conv-{self.conversations:08}",
            episode=1,
            channel=draw.choice(CHANNELS),
            language=draw.choice(LANGUAGES),
            topic=draw.choice(TOPICS),
            urgency=draw.choice(URGENCIES),
            started_at_ms=self.at,
        )
        self.take(self.apply(command, kind), "accept" if kind else "")

    def free(self, kind: str) -> None:
        place = self.random.randrange(len(self.assigned))
        self.assigned[place], self.assigned[-1] = self.assigned[-1], self.assigned[place]
        conversation = self.assigned.pop()
        command = Close(
            command_id=self.id(),
            conversation_id=conversation,
            episode=1,
            closed_at_ms=self.at,
            human_version=1,
        )
        self.take(self.apply(command, kind), "accept")

    def take(self, step: Step, kind: str) -> None:
        for event in step.events:
            if isinstance(event, AgentOffered):
                accept = AcceptOffer(command_id=self.id(), offer_id=event.offer_id, agent_id=event.agent_id)
                self.take(self.apply(accept, kind), kind)
                self.assigned.append(event.conversation_id)


def run(options: argparse.Namespace) -> None:
    load = Load(options.seed)
    load.hire(options.agents)
    found = {waiting: measure(load, waiting, options.operations) for waiting in options.waiting}
    if options.json:
        print(json.dumps(found))
        return
    rows = [
        [f"{waiting:,}", kind, *(f"{row[key]:,}" for key in COLUMNS)]
        for waiting, figures in found.items()
        for kind, row in figures.items()
    ]
    first, last = found[options.waiting[0]]["decision"], found[options.waiting[-1]]["decision"]
    growth = last["cpu_p99"] / first["cpu_p99"]
    write(
        "routing_decisions",
        "Routing decision with its serialised explanation, engine alone, garbage collector on",
        f"python -m bench.routing_decisions --waiting {' '.join(map(str, options.waiting))}"
        f" --agents {options.agents} --operations {options.operations}",
        ["waiting", "decision", "n", "p50 us", "p99 us", "max us", "p50 us of CPU", "p99 us of CPU"],
        rows,
        f"{options.agents:,} agents of {len(PROFILES)} profiles, {SIGNATURES} signatures, {len(load.assigned):,} assigned"
        f" at the end. p99 of all decisions at {options.waiting[-1]:,}: {last['p99'] / MOST_US:.2f} of the limit"
        f" ({MOST_US:,} us); p99 of the CPU grows {growth:.2f} times (limit {MOST_GROWTH}).",
    )


COLUMNS = ("n", "p50", "p99", "max", "cpu_p50", "cpu_p99")


def measure(load: Load, waiting: int, operations: int) -> dict[str, dict[str, float]]:
    """Microseconds by kind with so many waiting."""
    while len(load.engine.pool.waiting) < waiting:
        load.at += 3
        load.arrive()
    gc.collect()
    load.forget()
    for _ in range(operations):
        load.at += 3
        if len(load.engine.pool.waiting) > waiting:
            load.free("free")
        else:
            load.arrive("arrive")
    for times in (load.times, load.cpu):
        times["decision"] = times["arrive"] + times["free"]
    return {kind: _figures(times, load.cpu[kind]) for kind, times in load.times.items()}


def _figures(wall: list[int], cpu: list[int]) -> dict[str, float]:
    return {
        "n": len(wall),
        "p50": _at(wall, 0.5),
        "p99": _at(wall, 0.99),
        "max": _at(wall, 1.0),
        "cpu_p50": _at(cpu, 0.5),
        "cpu_p99": _at(cpu, 0.99),
    }


def _at(times: list[int], share: float) -> float:
    ordered = sorted(times)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1000, 1)


if __name__ == "__main__":
    main()
