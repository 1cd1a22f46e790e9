"""Bad input: refused with the reason, or handled by a stated rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.routing.domain.calendars import Calendar
from services.routing.domain.commands import EndLease, PutAgent, PutDirectory, TimePassed
from services.routing.domain.directory import Directory, Filter, Team
from services.routing.domain.queue_policy import Queue
from services.routing.domain.relief import Relief
from services.routing.domain.skills import Skill
from services.routing.domain.sla_policy import SlaPolicy
from tests.unit.routing.pools import (
    DIRECTORY,
    HOUR,
    MINUTE,
    SECOND,
    T0,
    accept,
    agent,
    arrival,
    engine_with,
    offer_of,
    offered,
)


def with_queues(*changes: tuple[int, Relief]) -> Directory:
    queues = list(DIRECTORY.queues)
    for number, relief in changes:
        queues[number] = replace(queues[number], relief=relief)
    return replace(DIRECTORY, queues=tuple(queues))


BILLING, DESK, VIP = range(3)


@pytest.mark.parametrize(
    ("directory", "why"),
    [
        (
            with_queues((BILLING, Relief("desk")), (DESK, Relief("vip-desk")), (VIP, Relief("billing"))),
            "queue 'billing': its overflow comes back to it: billing -> desk -> vip-desk -> billing",
        ),
        (
            with_queues((BILLING, Relief("desk")), (DESK, Relief("vip-desk")), (VIP, Relief("desk"))),
            "queue 'desk': its overflow comes back to it: desk -> vip-desk -> desk",
        ),
        (with_queues((DESK, Relief("desk"))), "queue 'desk': overflow names the queue itself"),
        (with_queues((DESK, Relief("moon"))), "queue 'desk': overflow names the unknown queue 'moon'"),
        (with_queues((DESK, Relief(hours="moon"))), "queue 'desk': hours name the unknown calendar 'moon'"),
        (with_queues((DESK, Relief(follow="billing"))), "queue 'desk': follow needs hours"),
        (
            with_queues((DESK, Relief(overflow_after_ms=1))),
            "queue 'desk': overflow_after and overflow_expected need",
        ),
        (
            replace(DIRECTORY, queues=(*DIRECTORY.queues, Queue("lost", "nobody", "Lost"))),
            "queue 'lost' names the unknown team 'nobody'",
        ),
        (
            replace(DIRECTORY, skills=(Skill("network"),)),
            "queue 'vip-desk' names the unknown skill 'certified'",
        ),
        (
            replace(
                DIRECTORY, queues=(replace(DIRECTORY.queues[0], skills=(("x", 6),)), *DIRECTORY.queues[1:])
            ),
            "queue 'billing' names 'x' at level 6; levels are 1 to 5",
        ),
        (
            replace(DIRECTORY, capacities=(replace(DIRECTORY.capacities[0], budget=59),)),
            "nobody could ever take one",
        ),
        (replace(DIRECTORY, calendars=(Calendar("c", "Mars/Base"),)), "unknown zone 'Mars/Base'"),
        (replace(DIRECTORY, teams=(*DIRECTORY.teams, Team("desk", "Twin"))), "team 'desk' is there twice"),
        (
            replace(DIRECTORY, filters=(Filter("desk", topics=("a",)),)),
            "the last filter must have no condition",
        ),
    ],
    ids=lambda v: v[:40] if isinstance(v, str) else "",
)
def test_a_directory_that_cannot_work_is_refused_with_the_reason(directory: Directory, why: str) -> None:
    found = [problem for problem in directory.problems() if why in problem]
    assert len(found) == 1, directory.problems()
    engine = engine_with()
    result = engine.apply(PutDirectory(command_id="d", directory=directory), T0).result
    assert result is not None
    assert (result.slug, engine.pool.directory.version) == ("invalid-directory", 1)
    assert any(why in problem for problem in result.body["problems"])


def test_a_person_with_a_skill_that_nobody_declared_is_refused() -> None:
    declared = replace(DIRECTORY, skills=(Skill("certified"), Skill("network")))
    engine = engine_with(directory=declared)
    slip = replace(agent("ada"), skills=(("netwrok", 2),))
    result = engine.apply(PutAgent(command_id="p", agent=slip), T0).result
    assert result is not None
    assert result.body["problems"] == ["agent 'ada' names the unknown skill 'netwrok'"]
    engine.apply(PutAgent(command_id="q", agent=replace(slip, skills=(("network", 2),))), T0)
    fewer = replace(declared, skills=(Skill("certified"),))
    refused = engine.apply(PutDirectory(command_id="d", directory=fewer), T0).result
    assert refused is not None
    assert "agent 'ada' names the unknown skill 'network'" in refused.body["problems"]


def test_a_clock_that_jumps_back_is_not_followed_and_one_that_jumps_ahead_fires_everything_in_order() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    back = engine.apply(TimePassed(command_id="b"), T0 - 9 * HOUR)
    assert (back.at_ms, engine.pool.offers[offer_of(engine, "c1")].expires_at_ms) == (T0, T0 + 30 * SECOND)
    ahead = engine.apply(TimePassed(command_id="a"), T0 + 100 * HOUR)
    expired = [e for e in ahead.events if type(e).__name__ == "OfferClosed"]
    breached = [e for e in ahead.events if type(e).__name__ == "SlaBreached"]
    assert len(expired) >= 1
    assert [e.due_ms for e in breached] == [T0 + HOUR, T0 + 8 * HOUR]  # type: ignore[attr-defined]  # SlaBreached


def test_a_heartbeat_that_ended_in_the_past_does_not_end_the_present() -> None:
    engine = engine_with(agent("ada"))
    epoch = engine.pool.bench.seats["ada"].presence_epoch
    engine.apply(EndLease(command_id="l", agent_id="ada", presence_epoch=epoch - 1), T0 + HOUR)
    assert engine.pool.bench.seats["ada"].presence == "online"


def test_a_configuration_that_changes_leaves_open_offers_with_who_may_still_serve_them() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    offer = offer_of(engine, "c1")
    slower = tuple(replace(q, offer_timeout_ms=5 * MINUTE) for q in DIRECTORY.queues)
    engine.apply(PutDirectory(command_id="d", directory=replace(DIRECTORY, queues=slower)), T0 + SECOND)
    assert engine.pool.offers[offer].state == "open"
    assert engine.pool.offers[offer].expires_at_ms == T0 + 30 * SECOND
    assert accept(engine, "c1", T0 + 2 * SECOND).ok


def test_an_agent_who_changes_teams_keeps_what_he_has_and_loses_open_offers() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    accept(engine, "c1")
    engine.apply(arrival("c2"), T0)
    moved = replace(agent("ada"), teams=("desk",))
    step = engine.apply(PutAgent(command_id="m", agent=moved), T0)
    assert engine.pool.items["c1"].agent_id == "ada"
    assert engine.pool.items["c2"].state == "waiting"
    assert engine.pool.bench.seats["ada"].live_used == 20
    assert offered(step) == []
    assert offered(engine.apply(arrival("c3", topic="other"), T0)) == [("c3", "ada")]


def test_of_two_agents_with_one_id_the_second_changes_the_first_only_when_it_names_its_version() -> None:
    engine = engine_with(agent("ada"))
    twin = PutAgent(command_id="t", agent=agent("ada", team="desk"), expected_version="absent")
    result = engine.apply(twin, T0).result
    assert result is not None
    assert (result.slug, engine.pool.bench.seats["ada"].profile.teams) == ("stale-version", ("billing",))


def test_a_promise_of_nothing_is_no_promise() -> None:
    queues = tuple(replace(q, sla=SlaPolicy(0, 0)) for q in DIRECTORY.queues)
    engine = engine_with(directory=replace(DIRECTORY, queues=queues))
    step = engine.apply(arrival("c1"), T0)
    assert [type(e).__name__ for e in step.events if type(e).__name__.startswith("Sla")] == []
