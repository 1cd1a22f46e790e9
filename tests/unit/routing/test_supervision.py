"""A supervisor's hand on the pool, and what a queue does that cannot serve, told as short scenes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.routing.domain.calendars import Calendar, Hours
from services.routing.domain.commands import (
    AcceptOffer,
    DeclineOffer,
    PutAgent,
    PutDirectory,
    RemoveAgent,
    TimePassed,
    Transfer,
)
from services.routing.domain.directory import Directory
from services.routing.domain.engine import Engine
from services.routing.domain.events import OutOfHours, QueueServed, QueueUnserved, TeamAssigned
from services.routing.domain.orders import Boost, CallBack, CloseQueue, Drain, Escalate, Move, PassOn, Pin
from services.routing.domain.relief import Relief
from services.routing.domain.state import Step
from tests.unit.routing.pools import (
    DIRECTORY,
    HOUR,
    MINUTE,
    SECOND,
    T0,
    accept,
    agent,
    arrival,
    be,
    engine_with,
    offer_of,
    offered,
)

NIGHT = T0
"""Thursday 2026-05-28, 22:26 in Rome."""


def with_relief(**reliefs: Relief) -> Directory:
    """The pool with what its queues do when they cannot serve."""
    queues = tuple(
        replace(q, relief=reliefs.get(q.queue_id.replace("-", "_"), Relief())) for q in DIRECTORY.queues
    )
    calendar = Calendar("day", "Europe/Rome", tuple(Hours(day, 540, 1080) for day in range(5)))
    return replace(DIRECTORY, queues=queues, calendars=(calendar,), hop_limit=1)


def told(step: Step, kind: type[Any]) -> list[Any]:
    return [e for e in step.events if isinstance(e, kind)]


def why(step: Step, kind: str) -> dict[str, Any]:
    return next(d for d in step.decisions if d["kind"] == kind)


def waiting(engine: Engine, *conversations: str) -> None:
    for number, conversation in enumerate(conversations):
        engine.apply(arrival(conversation, started_at_ms=T0 - HOUR + number), T0)


def test_a_pinned_conversation_goes_first_and_the_earlier_pin_before_the_later() -> None:
    engine = engine_with()
    waiting(engine, "c1", "c2", "c3")
    step = engine.apply(Pin(command_id="p3", conversation_id="c3", on=True, by="boss", reason="vip"), T0)
    engine.apply(Pin(command_id="p2", conversation_id="c2", on=True), T0 + 1)
    assert (why(step, "pinned")["by"], why(step, "pinned")["reason"]) == ("boss", "vip")
    engine.apply(PutAgent(command_id="a", agent=agent("ada")), T0 + 2)
    assert [c for c, _ in offered(be(engine, "ada", "online", T0 + 2))] == ["c3", "c2"]
    accept(engine, "c3", T0 + 3)
    assert engine.pool.items["c3"].pinned_at_ms == 0


def test_a_pin_can_be_taken_back_and_holds_through_a_declined_offer() -> None:
    engine = engine_with()
    waiting(engine, "c1", "c2")
    engine.apply(Pin(command_id="p", conversation_id="c2", on=True), T0)
    engine.apply(PutAgent(command_id="a", agent=agent("ada")), T0)
    be(engine, "ada", "online", T0)
    engine.apply(DeclineOffer(command_id="d", offer_id=offer_of(engine, "c2"), agent_id="ada"), T0)
    assert engine.pool.items["c2"].order < engine.pool.items["c1"].order
    engine.apply(Pin(command_id="u", conversation_id="c2", on=False), T0)
    assert engine.pool.items["c2"].order > engine.pool.items["c1"].order


def test_what_somebody_has_cannot_be_pinned() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    accept(engine, "c1")
    result = engine.apply(Pin(command_id="p", conversation_id="c1", on=True), T0).result
    assert result is not None
    assert (result.ok, result.slug) == (False, "wrong-state")


def test_a_boost_by_hand_stays_inside_the_limit_of_the_pool_and_can_be_cleared() -> None:
    engine = engine_with()
    waiting(engine, "c1", "c2")
    engine.apply(Boost(command_id="b", conversation_id="c2", boost_ms=1000 * HOUR, by="boss"), T0)
    item = engine.pool.items["c2"]
    assert (item.manual_ms, item.boost_ms) == (1000 * HOUR, engine.pool.directory.boost_limit_ms)
    assert item.order < engine.pool.items["c1"].order
    engine.apply(Boost(command_id="c", conversation_id="c2", boost_ms=0), T0)
    assert engine.pool.items["c2"].boost_ms == 0
    refused = engine.apply(Boost(command_id="n", conversation_id="c2", boost_ms=-1), T0).result
    assert refused is not None
    assert refused.slug == "invalid-boost"


def test_a_drained_agent_finishes_what_he_has_and_is_offered_nothing() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    accept(engine, "c1")
    engine.apply(arrival("c2"), T0)
    step = engine.apply(Drain(command_id="d", agent_id="ada", on=True, by="boss", reason="course"), T0)
    assert engine.pool.items["c1"].agent_id == "ada"
    assert engine.pool.items["c2"].state == "waiting"
    assert told(step, QueueUnserved)[0].why == "everybody who could take it drains"
    be(engine, "ada", "away", T0 + 1)
    assert offered(be(engine, "ada", "online", T0 + 2)) == []
    step = engine.apply(Drain(command_id="u", agent_id="ada", on=False), T0)
    assert offered(step) == [("c2", "ada")]
    assert told(step, QueueServed) == [QueueServed("billing")]


def test_a_drained_agent_can_give_back_what_he_has() -> None:
    engine = engine_with(agent("ada"), agent("bo"))
    engine.apply(arrival("c1", started_at_ms=T0 - HOUR), T0)
    holder = str(accept(engine, "c1").body["agent_id"])
    step = engine.apply(Drain(command_id="d", agent_id=holder, on=True, give_back=True), T0)
    assert offered(step) == [("c1", "bo" if holder == "ada" else "ada")]
    assert engine.pool.items["c1"].eligible_at_ms == T0 - HOUR


def test_a_drained_pool_lets_everything_wait_with_an_alarm_and_also_whoever_is_hired_meanwhile() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(Drain(command_id="d", agent_id="", on=True, reason="maintenance"), T0)
    step = engine.apply(arrival("c1"), T0)
    assert told(step, QueueUnserved)[0].why == "the pool drains"
    engine.apply(PutAgent(command_id="a", agent=agent("bo")), T0)
    assert offered(be(engine, "bo", "online", T0)) == []
    restored = Engine.restore(engine.snapshot())
    assert offered(restored.apply(Drain(command_id="u", agent_id="", on=False), T0)) == [("c1", "ada")]


def test_a_closed_queue_sends_what_comes_along_its_overflow_and_finishes_what_waits() -> None:
    engine = engine_with(
        agent("ada"), directory=with_relief(billing=Relief("vip-desk"), vip_desk=Relief("desk"))
    )
    be(engine, "ada", "away", T0)
    waiting(engine, "c1")
    engine.apply(CloseQueue(command_id="q", queue_id="billing", on=True), T0)
    engine.apply(arrival("c2"), T0)
    assert engine.pool.items["c1"].queue_id == "billing"
    assert engine.pool.items["c2"].queue_id in ("vip-desk", "desk")
    engine.apply(CloseQueue(command_id="v", queue_id="vip-desk", on=True), T0)
    step = engine.apply(arrival("c3"), T0)
    assert (told(step, TeamAssigned)[0].queue_id, told(step, TeamAssigned)[0].cause) == (
        "desk",
        "queue-closed",
    )
    engine.apply(CloseQueue(command_id="o", queue_id="billing", on=False), T0)
    engine.apply(arrival("c4"), T0)
    assert engine.pool.items["c4"].queue_id == "billing"


def test_when_every_queue_is_closed_it_waits_where_it_belongs() -> None:
    engine = engine_with()
    for queue in DIRECTORY.queues:
        engine.apply(CloseQueue(command_id=queue.queue_id, queue_id=queue.queue_id, on=True), T0)
    engine.apply(arrival("c1"), T0)
    assert engine.pool.items["c1"].queue_id == "billing"


def test_a_transfer_into_a_closed_queue_is_refused() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    accept(engine, "c1")
    engine.apply(CloseQueue(command_id="q", queue_id="desk", on=True), T0)
    command = Transfer(command_id="t", conversation_id="c1", agent_id="ada", to_queue="desk")
    result = engine.apply(command, T0).result
    assert result is not None
    assert result.slug == "queue-closed"
    assert engine.pool.items["c1"].agent_id == "ada"


def test_a_transfer_to_a_team_takes_its_first_queue_that_is_open() -> None:
    engine = engine_with()
    waiting(engine, "c1")
    engine.apply(CloseQueue(command_id="q", queue_id="desk", on=True), T0)
    engine.apply(Move(command_id="m", conversation_id="c1", to_team="desk"), T0)
    assert engine.pool.items["c1"].queue_id == "vip-desk"


def test_an_order_about_another_state_than_the_one_that_was_read_is_refused() -> None:
    engine = engine_with()
    waiting(engine, "c1")
    command = Move(command_id="m", conversation_id="c1", to_queue="desk", expected_version="old")
    result = engine.apply(command, T0).result
    assert result is not None
    assert (result.slug, engine.pool.items["c1"].queue_id) == ("stale-version", "billing")


def test_the_transfer_beyond_the_limit_goes_to_whom_the_queue_escalates_with_its_age_and_a_boost() -> None:
    relief = Relief(escalates_to="desk", escalation_boost_ms=HOUR)
    engine = engine_with(agent("ada"), directory=with_relief(billing=relief, vip_desk=Relief()))
    engine.apply(arrival("c1", started_at_ms=T0 - HOUR), T0)
    accept(engine, "c1")
    first = Transfer(command_id="t1", conversation_id="c1", agent_id="ada", to_queue="billing")
    assert engine.apply(first, T0).result
    second = Transfer(command_id="t2", conversation_id="c1", agent_id="", to_queue="billing", by="ada")
    step = engine.apply(second, T0)
    item = engine.pool.items["c1"]
    assert (item.queue_id, item.escalated_ms, item.eligible_at_ms) == ("desk", HOUR, T0 - HOUR)
    assert why(step, "hop-limit")["by"] == "ada"
    third = Transfer(command_id="t3", conversation_id="c1", agent_id="", to_queue="billing")
    result = engine.apply(third, T0).result
    assert result is not None
    assert (result.slug, result.body["hop_limit"]) == ("too-many-hops", 1)


def test_an_agent_escalates_what_he_has_and_nobody_else_does() -> None:
    relief = Relief(escalates_to="desk", escalation_boost_ms=HOUR)
    engine = engine_with(agent("ada"), agent("cy", team="desk"), directory=with_relief(billing=relief))
    engine.apply(arrival("c1"), T0)
    accept(engine, "c1")
    other = engine.apply(Escalate(command_id="o", conversation_id="c1", agent_id="cy"), T0).result
    assert other is not None
    assert other.slug == "not-assigned"
    command = Escalate(command_id="e", conversation_id="c1", agent_id="ada", by="ada", reason="lawyer")
    step = engine.apply(command, T0)
    assert offered(step) == [("c1", "cy")]
    assert why(step, "escalated")["reason"] == "lawyer"


def test_a_queue_that_nobody_could_ever_serve_raises_the_alarm_at_once_and_each_customer_hears_it_once() -> (
    None
):
    engine = engine_with(agent("ada"))
    step = engine.apply(arrival("c1", skills=(("welding", 3),)), T0)
    [alarm] = told(step, QueueUnserved)
    assert (alarm.queue_id, alarm.conversation_id) == ("billing", "c1")
    assert alarm.why == "no agent has team billing, channel chat, welding 3"
    assert why(step, "unserved")["why"] == alarm.why
    again = engine.apply(arrival("c2", skills=(("welding", 3),)), T0)
    assert [e.conversation_id for e in told(again, QueueUnserved)] == ["c2"]
    assert why(again, "unserved")["why"] == alarm.why
    assert [n.about for n in engine.pool.notices.values()] == ["billing"]
    other = engine.apply(arrival("c3"), T0)
    assert told(other, QueueUnserved) == []
    hired = replace(agent("zed"), skills=(("welding", 4),))
    step = engine.apply(PutAgent(command_id="z", agent=hired), T0)
    assert told(step, QueueServed) == [QueueServed("billing")]
    step = engine.apply(RemoveAgent(command_id="r", agent_id="zed"), T0)
    assert [e.conversation_id for e in told(step, QueueUnserved)] == ["c1"]


def test_an_absent_agent_is_no_reason_for_the_alarm() -> None:
    engine = engine_with(agent("ada"))
    be(engine, "ada", "offline", T0)
    assert told(engine.apply(arrival("c1"), T0), QueueUnserved) == []


def test_what_nobody_could_serve_overflows_at_once() -> None:
    directory = with_relief(billing=Relief("desk"))
    engine = engine_with(agent("cy", team="desk"), directory=directory)
    step = engine.apply(arrival("c1", started_at_ms=T0 - HOUR), T0)
    assert offered(step) == [("c1", "cy")]
    item = engine.pool.items["c1"]
    assert (item.queue_id, item.eligible_at_ms) == ("desk", T0 - HOUR)
    assert (why(step, "overflow")["why"], why(step, "overflow")["from_queue_id"]) == (
        "nobody-could-serve",
        "billing",
    )


def test_what_has_waited_too_long_overflows_along_the_chain_with_its_promise() -> None:
    directory = with_relief(billing=Relief("vip-desk", 10 * MINUTE), vip_desk=Relief("desk", 5 * MINUTE))
    skilled = replace(agent("zed", team="desk"), skills=(("certified", 3),))
    engine = engine_with(agent("ada"), skilled, directory=directory)
    for who in ("ada", "zed"):
        be(engine, who, "away", T0)
    engine.apply(arrival("c1"), T0)
    due = [c.due_ms for c in engine.pool.clocks["c1"]]
    engine.apply(TimePassed(command_id="1"), T0 + 10 * MINUTE)
    assert engine.pool.items["c1"].queue_id == "vip-desk"
    engine = Engine.restore(engine.snapshot())
    engine.apply(TimePassed(command_id="2"), T0 + 15 * MINUTE - 1)
    assert engine.pool.items["c1"].queue_id == "vip-desk"
    engine.apply(TimePassed(command_id="3"), T0 + 15 * MINUTE)
    item = engine.pool.items["c1"]
    assert (item.queue_id, item.waiting_since_ms) == ("desk", T0)
    assert [c.due_ms for c in engine.pool.clocks["c1"]] == due


def test_who_is_expected_to_wait_too_long_goes_on_unless_it_is_too_late() -> None:
    engine = engine_with(agent("cy", team="desk"), directory=with_relief(billing=Relief("desk")))
    engine.apply(PutAgent(command_id="a", agent=agent("ada")), T0)
    waiting(engine, "c1")
    onward = PassOn(command_id="p", conversation_id="c1", queue_id="billing", expected_ms=HOUR)
    step = engine.apply(onward, T0)
    assert offered(step) == [("c1", "cy")]
    assert (why(step, "overflow")["why"], why(step, "overflow")["expected_ms"]) == ("expected-wait", HOUR)
    assert engine.apply(replace(onward, command_id="q"), T0).decisions == []


def test_out_of_hours_the_customer_is_told_when_people_are_there() -> None:
    engine = engine_with(agent("ada"), directory=with_relief(billing=Relief(hours="day")))
    step = engine.apply(arrival("c1"), NIGHT)
    [notice] = told(step, OutOfHours)
    assert (notice.queue_id, notice.opens_at_ms) == ("billing", 1_780_038_000_000)
    morning = notice.opens_at_ms
    assert told(engine.apply(arrival("c2"), morning - 1), OutOfHours)
    assert told(engine.apply(arrival("c3"), morning), OutOfHours) == []


def test_out_of_hours_the_sun_is_followed_where_people_are_awake() -> None:
    day = Relief(hours="day", follow="desk")
    engine = engine_with(directory=with_relief(billing=day))
    step = engine.apply(arrival("c1"), NIGHT)
    [assigned] = told(step, TeamAssigned)
    assert (assigned.queue_id, assigned.cause, told(step, OutOfHours)) == ("desk", "out-of-hours", [])
    asleep = with_relief(billing=day, desk=Relief(hours="day", follow="billing"))
    engine = engine_with(directory=asleep)
    step = engine.apply(arrival("c1"), NIGHT)
    assert told(step, TeamAssigned)[0].queue_id == "billing"
    assert len(told(step, OutOfHours)) == 1


def test_a_late_accept_after_a_drain_is_told_what_happened() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    offer = offer_of(engine, "c1")
    engine.apply(Drain(command_id="d", agent_id="ada", on=True), T0)
    result = engine.apply(AcceptOffer(command_id="a", offer_id=offer, agent_id="ada"), T0 + SECOND).result
    assert result is not None
    assert (result.slug, result.body["reason"]) == ("offer-gone", "draining")


def test_a_new_directory_lifts_what_stood_over_queues_that_are_gone() -> None:
    engine = engine_with()
    engine.apply(CloseQueue(command_id="q", queue_id="vip-desk", on=True), T0)
    queues = tuple(q for q in DIRECTORY.queues if q.queue_id != "vip-desk")
    filters = tuple(f for f in DIRECTORY.filters if f.queue_id != "vip-desk")
    engine.apply(
        PutDirectory(command_id="p", directory=replace(DIRECTORY, queues=queues, filters=filters)), T0
    )
    engine.apply(PutDirectory(command_id="b", directory=DIRECTORY), T0)
    assert not engine.pool.is_closed("vip-desk")


def test_who_wants_to_be_called_back_keeps_the_place_and_the_agent_knows() -> None:
    engine = engine_with(agent("ada"), directory=with_relief(billing=Relief(call_back=True)))
    be(engine, "ada", "away", T0)
    waiting(engine, "c1", "c2")
    before = engine.pool.items["c1"].order
    step = engine.apply(CallBack(command_id="b", conversation_id="c1", by="widget"), T0)
    assert why(step, "call-back")["by"] == "widget"
    assert engine.pool.items["c1"].order == before
    step = be(engine, "ada", "online", T0 + 1)
    offers = [f.payload for f in step.feed if f.kind == "offer"]
    assert [(o["conversation_id"], o["call_back"]) for o in offers] == [("c1", True), ("c2", False)]


def test_a_queue_that_calls_nobody_back_says_so() -> None:
    engine = engine_with()
    waiting(engine, "c1")
    result = engine.apply(CallBack(command_id="b", conversation_id="c1"), T0).result
    assert result is not None
    assert result.slug == "no-call-back"
