"""Release, transfer and changes of the directory, told as short scenes."""

from __future__ import annotations

from dataclasses import replace

from services.routing.domain.commands import (
    PutDirectory,
    Release,
    TimePassed,
    Transfer,
)
from services.routing.domain.directory import Filter
from tests.unit.routing.pools import (
    DIRECTORY,
    HOUR,
    SECOND,
    T0,
    accept,
    agent,
    arrival,
    be,
    engine_with,
    kinds,
    offered,
)


def test_a_released_conversation_keeps_its_age_and_goes_to_somebody_else() -> None:
    engine = engine_with(agent("ada"), agent("bo"))
    engine.apply(arrival("c1", started_at_ms=T0 - HOUR), T0)
    holder = accept(engine, "c1").body["agent_id"]
    step = engine.apply(Release(command_id="r", conversation_id="c1", agent_id=holder), T0 + SECOND)
    assert "Released" in kinds(step)
    assert offered(step) == [("c1", "bo" if holder == "ada" else "ada")]
    assert engine.pool.items["c1"].eligible_at_ms == T0 - HOUR


def test_only_the_holder_or_a_supervisor_releases() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    accept(engine, "c1")
    wrong = engine.apply(Release(command_id="r1", conversation_id="c1", agent_id="bo"), T0).result
    supervisor = engine.apply(Release(command_id="r2", conversation_id="c1", agent_id=""), T0).result
    assert wrong is not None
    assert supervisor is not None
    assert (wrong.slug, supervisor.slug) == ("not-assigned", "ok")


def test_a_transfer_to_a_team_keeps_the_age_and_counts_the_hop() -> None:
    engine = engine_with(agent("ada"), agent("cy", team="desk"))
    engine.apply(arrival("c1", started_at_ms=T0 - HOUR), T0)
    accept(engine, "c1")
    step = engine.apply(
        Transfer(command_id="t", conversation_id="c1", agent_id="ada", to_team="desk"), T0 + SECOND
    )
    assert offered(step) == [("c1", "cy")]
    item = engine.pool.items["c1"]
    assert (item.queue_id, item.hops, item.eligible_at_ms) == ("desk", 1, T0 - HOUR)


def test_a_transfer_to_an_agent_leaves_it_with_the_sender_until_accepted() -> None:
    engine = engine_with(agent("ada"), agent("bo"))
    engine.apply(arrival("c1"), T0)
    sender = str(accept(engine, "c1").body["agent_id"])
    target = "bo" if sender == "ada" else "ada"
    command = Transfer(command_id="t", conversation_id="c1", agent_id=sender, to_agent=target)
    engine.apply(command, T0)
    assert engine.pool.items["c1"].agent_id == sender
    result = accept(engine, "c1", T0 + SECOND)
    assert (result.ok, result.body["agent_id"]) == (True, target)
    assert engine.pool.bench.seats[sender].live_used == 0


def test_an_unanswered_transfer_stays_with_the_sender_who_is_told() -> None:
    engine = engine_with(agent("ada"), agent("bo"))
    engine.apply(arrival("c1"), T0)
    sender = str(accept(engine, "c1").body["agent_id"])
    target = "bo" if sender == "ada" else "ada"
    engine.apply(Transfer(command_id="t", conversation_id="c1", agent_id=sender, to_agent=target), T0)
    step = engine.apply(TimePassed(command_id="x"), T0 + 30 * SECOND)
    assert engine.pool.items["c1"].agent_id == sender
    assert [(f.agent_id, f.kind) for f in step.feed if f.kind == "transfer_failed"] == [
        (sender, "transfer_failed")
    ]


def test_a_transfer_to_somebody_without_room_is_refused_with_the_reason() -> None:
    engine = engine_with(agent("ada"), agent("bo"))
    be(engine, "bo", "away", T0)
    engine.apply(arrival("c1"), T0)
    accept(engine, "c1")
    command = Transfer(command_id="t", conversation_id="c1", agent_id="ada", to_agent="bo")
    result = engine.apply(command, T0).result
    assert result is not None
    assert (result.slug, result.body["why"]) == ("agent-unavailable", "away")


def test_items_of_a_removed_queue_are_routed_anew() -> None:
    engine = engine_with()
    engine.apply(arrival("c1"), T0)
    smaller = replace(
        DIRECTORY,
        queues=tuple(q for q in DIRECTORY.queues if q.queue_id != "billing"),
        filters=(Filter("desk"),),
    )
    step = engine.apply(PutDirectory(command_id="d", directory=smaller), T0)
    assert step.result is not None
    assert step.result.body == {"version": 2}
    assert engine.pool.items["c1"].queue_id == "desk"
    assert "TeamAssigned" in kinds(step)


def test_a_directory_with_faults_is_refused_with_all_of_them() -> None:
    engine = engine_with(agent("ada"))
    broken = replace(DIRECTORY, teams=(), filters=())
    result = engine.apply(PutDirectory(command_id="d", directory=broken), T0).result
    assert result is not None
    assert result.slug == "invalid-directory"
    problems = " ".join(result.body["problems"])
    assert "last filter" in problems
    assert "unknown team 'billing'" in problems
    assert "agent 'ada'" in problems
