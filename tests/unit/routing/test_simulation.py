"""The simulation follows the engine's rules, is fair between policies, and says what is wrong with a scenario."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from services.cli import command_line
from services.routing.adapters.located_yaml import BadFile
from services.routing.domain.choice import PICK_RULES, PickRule
from services.routing.domain.commands import Close, Enqueue, PutAgent, SetPresence
from services.routing.domain.directory import AgentProfile, CapacityPolicy, ChannelRule
from services.routing.domain.engine import Engine
from services.routing.domain.events import AgentAssigned
from services.routing.domain.simulation import Simulation
from services.routing.domain.simulation_model import (
    ABANDONED,
    Arrivals,
    Crew,
    Policy,
    WorkClass,
    directory_of,
)
from services.routing.domain.sla_policy import SlaPolicy
from services.routing.simulation.draws import arrivals_of, offered_load
from services.routing.simulation.scenario import load

MINUTE = 60_000
SKILLS = ((), (("a", 1),), (("a", 2), ("b", 1)), (("b", 3),))
CAPACITY = CapacityPolicy(
    "default", 100, 10, (ChannelRule("chat", 40, 2), ChannelRule("mail", 5, 2, interruptible=True)), 99
)


def random_room(seed: int) -> tuple[list[WorkClass], list[Crew], Arrivals]:
    draw = random.Random(seed)
    classes = [
        WorkClass(f"k{n}", draw.randint(1, 9) * MINUTE, draw.choice(("chat", "mail")), skills=SKILLS[n % 3])
        for n in range(4)
    ]
    crews = [
        Crew(AgentProfile(f"crew{n}", "", ("all",), (), skills), CAPACITY, draw.randint(1, 3))
        for n, skills in enumerate((*SKILLS[1:], (("a", 3), ("b", 2))))
    ]
    at, at_ms = [], 0
    for _ in range(150):
        at_ms += draw.randint(1, MINUTE)
        at.append(at_ms)
    kinds = [draw.randrange(4) for _ in at]
    # Odd lengths on an even grid of arrivals: two things at one instant would be ordered by the reader.
    work = [draw.randint(1, 8 * MINUTE) for _ in at]
    return classes, crews, Arrivals(at, kinds, work, [0] * len(at))


@pytest.mark.parametrize("pick", PICK_RULES)
@pytest.mark.parametrize("seed", range(6))
def test_the_simulation_decides_as_the_engine_does(pick: PickRule, seed: int) -> None:
    """The same customers through the real engine, a queue for each class that accepts by itself."""
    classes, crews, arrivals = random_room(seed)
    policy = Policy("ours", pick=pick)
    outcome = Simulation(classes, crews, policy).run(arrivals)
    assert by_engine(classes, crews, policy, arrivals) == outcome.agent


def by_engine(classes: list[WorkClass], crews: list[Crew], policy: Policy, arrivals: Arrivals) -> list[int]:
    plain = directory_of(classes, crews, policy)
    queues = tuple(
        replace(
            q, auto_accept=True, sla=SlaPolicy(first_response_ms=c.target_ms, ladder=()), affinity_hold_ms=0
        )
        for q, c in zip(plain.queues, classes, strict=True)
    )
    engine = Engine("p", replace(plain, queues=queues, boost_cap_ms=0))
    base_ms = 1_780_000_000_000
    people: list[str] = []
    for crew in crews:
        for _ in range(crew.count):
            agent_id = f"{crew.profile.agent_id}-{len(people):05}"
            people.append(agent_id)
            engine.apply(
                PutAgent(command_id=f"put{agent_id}", agent=replace(crew.profile, agent_id=agent_id)), 1
            )
            engine.apply(SetPresence(command_id=f"on{agent_id}", agent_id=agent_id, presence="online"), 1)
    for seat in engine.pool.bench.seats.values():
        seat.idle_since_ms = 0
        engine.pool.touch(seat)
    got = [-1] * len(arrivals.at_ms)
    todo = [(at, 1, n) for n, at in enumerate(arrivals.at_ms)]
    while todo:
        todo.sort()
        at_ms, is_arrival, number = todo.pop(0)
        if is_arrival:
            kind = classes[arrivals.kind[number]]
            step = engine.apply(
                Enqueue(
                    command_id=f"e{number}",
                    conversation_id=f"{number:05}",
                    episode=1,
                    channel=kind.channel,
                    language="und",
                    topic=kind.class_id,
                    urgency="normal",
                    started_at_ms=base_ms + at_ms,
                ),
                base_ms + at_ms,
            )
        else:
            end = Close(
                command_id=f"x{number}",
                conversation_id=f"{number:05}",
                episode=1,
                closed_at_ms=base_ms + at_ms,
            )
            step = engine.apply(end, base_ms + at_ms)
        for event in step.events:
            if isinstance(event, AgentAssigned):
                taken = int(event.conversation_id)
                got[taken] = people.index(event.agent_id)
                todo.append((at_ms + arrivals.work_ms[taken], 0, taken))
    return got


def test_a_customer_whose_patience_ends_is_not_served() -> None:
    crew = Crew(
        AgentProfile("a", "", ("all",), ()), CapacityPolicy("default", 1, 0, (ChannelRule("chat", 1, 1),)), 1
    )
    arrivals = Arrivals([0, 1, 2], [0, 0, 0], [1000, 1000, 1000], [0, 500, 5000])
    outcome = Simulation([WorkClass("k", MINUTE)], [crew], Policy("ours")).run(arrivals)
    assert outcome.begun_ms == [0, ABANDONED, 1000]


def test_work_waits_for_the_shift_to_begin_and_the_last_piece_is_finished() -> None:
    capacity = CapacityPolicy("default", 1, 0, (ChannelRule("chat", 1, 1),))
    crew = Crew(AgentProfile("a", "", ("all",), ()), capacity, 1, ((10_000, 20_000),))
    arrivals = Arrivals([0, 15_000, 16_000], [0, 0, 0], [9_000, 9_000, 1_000], [0, 0, 0])
    outcome = Simulation([WorkClass("k", MINUTE)], [crew], Policy("ours")).run(arrivals)
    assert outcome.begun_ms == [10_000, 19_000, 86_400_000 + 10_000]


SCENARIO = """\
name: small
seed: 3
runs: 2
duration: 20h
load: [0.8]
classes:
  - {id: easy, target: 5m, arrivals: {per_hour: 20}, service: {mean: 6m}}
  - id: hard
    target: 10m
    boost: 1m
    skills: {deep: 2}
    arrivals: {per_hour: 5}
    service: {mean: 10m, distribution: lognormal, cv: 1.5}
    patience: {mean: 1h}
agents:
  - {id: juniors, count: 3}
  - {id: seniors, count: 2, skills: {deep: 3}}
"""


def written(folder: Path, text: str, name: str = "scenario.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_scenario_gives_the_same_report_again_and_a_picture(tmp_path: Path) -> None:
    path = written(tmp_path, SCENARIO)
    picture = tmp_path / "plot.svg"
    first, second = (
        CliRunner().invoke(
            command_line(["simulate"]), ["simulate", str(path), "--json", "--plot", str(picture)]
        )
        for _ in range(2)
    )
    assert first.exit_code == 0, first.output
    report, again = json.loads(first.stdout), json.loads(second.stdout)
    for one in (report, again):
        del one["arrivals_per_second"]
    assert report == again
    [result] = report["results"]
    assert set(result["policies"]) == {
        "centralino",
        "strict_priority",
        "fifo_round_robin",
        "age_plus_priority",
        "fewest_open",
    }
    arrived = [p["classes"]["easy"]["arrived"] for p in result["policies"].values()]
    assert len(set(arrived)) == 1
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")


def test_the_tables_are_printed_for_people(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        command_line(["simulate"]), ["simulate", str(written(tmp_path, SCENARIO)), "--runs", "1"]
    )
    assert done.exit_code == 0, done.output
    assert "worst class" in done.stdout
    assert "a second of CPU" in done.stdout


def test_generated_arrivals_bring_the_load_that_was_asked_for(tmp_path: Path) -> None:
    scenario = load(written(tmp_path, SCENARIO.replace("20h", "4000h")))
    arrivals = arrivals_of(scenario, tmp_path, 0.8, 0)
    work = sum(arrivals.work_ms) / (4000 * 60 * MINUTE) / 5
    assert offered_load(scenario) == pytest.approx((2 + 5 / 6) / 5)
    assert work == pytest.approx(0.8, rel=0.03)


def test_recorded_arrivals_are_played_as_they_were(tmp_path: Path) -> None:
    written(
        tmp_path,
        "at,class,service,patience\n2026-06-08T09:00:30Z,easy,60,\n2026-06-08T09:00:00Z,hard,90,30\n",
        "day.csv",
    )
    text = SCENARIO.replace("load: [0.8]\n", "arrivals: {file: day.csv}\n")
    arrivals = arrivals_of(load(written(tmp_path, text)), tmp_path, None, 0)
    assert (arrivals.at_ms, arrivals.kind, arrivals.work_ms) == ([0, 30_000], [1, 0], [90_000, 60_000])


@pytest.mark.parametrize(
    ("old", "new", "line", "why"),
    [
        ("target: 5m", "target: 0m", 7, "greater than 0"),
        ("target: 5m", "target: soon", 7, "expected a length of time"),
        ("target: 5m, ", "", 7, "is missing"),
        ("skills: {deep: 2}", "skills: {deep: 9}", 11, "less than or equal to 5"),
        ("skills: {deep: 2}", "skills: {rare: 2}", 8, "no agent could ever serve this class"),
        ("boost: 1m", "bost: 1m", 10, "is not a known name"),
        ("boost: 1m", "target: 1m", 10, "is there twice, first on line 9"),
        ("id: seniors", "id: juniors", 17, "is there twice"),
        ("load: [0.8]", "load: [0.8, 7]", 5, "a load is above 0"),
        ("load: [0.8]", "policies: [best]", 5, "no policy is called 'best'"),
        ("runs: 2", "runs: [", 4, "not YAML"),
        ("duration: 20h", "warm_up: 90d", 4, "the warm-up must be shorter"),
        ("    arrivals: {per_hour: 5}\n", "", 8, "arrivals are missing"),
    ],
)
def test_a_fault_is_told_with_file_line_and_reason(
    tmp_path: Path, old: str, new: str, line: int, why: str
) -> None:
    path = written(tmp_path, SCENARIO.replace(old, new))
    with pytest.raises(BadFile) as bad:
        load(path)
    told = str(bad.value)
    assert why in told
    assert f"{path}:{line}:" in told or why == "not YAML"
    done = CliRunner().invoke(command_line(["simulate"]), ["simulate", str(path)])
    assert (done.exit_code, done.stdout) == (2, "")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("when,kind\n1,easy\n", ":1: the columns at, class, service, patience are expected"),
        ("at,class\n1,nobody\n", ":2: no class is called 'nobody'"),
        ("at,class\nyesterday,easy\n", ":2: at: expected seconds or a date and time, got 'yesterday'"),
        ("at,class,service\n1,easy,-4\n", ":2: service: expected seconds, got '-4'"),
        ("at,class\n", ":1: there are no arrivals"),
    ],
)
def test_a_fault_of_recorded_arrivals_is_told_with_its_line(tmp_path: Path, rows: str, why: str) -> None:
    written(tmp_path, rows, "day.csv")
    path = written(tmp_path, SCENARIO.replace("load: [0.8]\n", "arrivals: {file: day.csv}\n"))
    done = CliRunner().invoke(command_line(["simulate"]), ["simulate", str(path)])
    assert done.exit_code == 2
    assert why in done.stderr.replace("\n", " ")
