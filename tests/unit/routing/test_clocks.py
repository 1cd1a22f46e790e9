"""SLA clocks and presence as commands and time move them."""

from __future__ import annotations

from services.routing.domain.commands import (
    AcceptOffer,
    Close,
    EndLease,
    RecordReply,
    RecordStatus,
    TimePassed,
)
from services.routing.domain.engine import Engine
from services.routing.domain.events import SlaBreached, SlaCancelled, SlaMet, SlaStarted, SlaWarned
from services.routing.domain.state import Step
from tests.unit.routing.pools import (
    HOUR,
    MINUTE,
    SECOND,
    T0,
    agent,
    arrival,
    be,
    engine_with,
    kinds,
    offer_of,
    offered,
)


def told(step: Step, *types: type) -> list[tuple[str, int]]:
    """(metric, due) of the clock events of these types."""
    return [(e.metric, e.due_ms) for e in step.events if isinstance(e, types)]  # type: ignore[attr-defined]


def reply(engine: Engine, at_ms: int, replied_at_ms: int) -> Step:
    command = RecordReply(
        command_id=f"reply-{at_ms}", conversation_id="c1", episode=1, replied_at_ms=replied_at_ms
    )
    return engine.apply(command, at_ms)


def status(engine: Engine, at_ms: int, value: str) -> Step:
    command = RecordStatus(
        command_id=f"status-{at_ms}",
        conversation_id="c1",
        episode=1,
        status=value,  # type: ignore[arg-type]  # one of the four
        changed_at_ms=at_ms,
    )
    return engine.apply(command, at_ms)


def resolve(engine: Engine, at_ms: int, episode: int = 1) -> Step:
    command = Close(command_id=f"close-{at_ms}", conversation_id="c1", episode=episode, closed_at_ms=at_ms)
    return engine.apply(command, at_ms)


def state(engine: Engine, conversation_id: str) -> str:
    return engine.pool.items[conversation_id].state


def presence(engine: Engine) -> str:
    return engine.pool.bench.seats["ada"].presence


def hold(engine: Engine) -> None:
    """ada accepts c1."""
    accept = AcceptOffer(command_id="accept", offer_id=offer_of(engine, "c1"), agent_id="ada")
    engine.apply(accept, engine.at_ms)


def test_clocks_start_with_the_first_customer_message() -> None:
    step = engine_with().apply(arrival("c1", started_at_ms=T0 - MINUTE), T0)
    assert told(step, SlaStarted) == [
        ("first_response", T0 - MINUTE + HOUR),
        ("resolution", T0 - MINUTE + 8 * HOUR),
    ]


def test_a_clock_warns_at_three_quarters_and_breaches_once_with_its_due() -> None:
    engine = engine_with()
    engine.apply(arrival("c1"), T0)
    assert told(engine.apply(TimePassed(command_id="a"), T0 + 45 * MINUTE - 1), SlaWarned) == []
    step = engine.apply(TimePassed(command_id="b"), T0 + 45 * MINUTE)
    assert told(step, SlaWarned) == [("first_response", T0 + HOUR)]
    assert told(engine.apply(TimePassed(command_id="c"), T0 + HOUR), SlaBreached) == []
    late = engine.apply(TimePassed(command_id="d"), T0 + 3 * HOUR)
    assert told(late, SlaBreached) == [("first_response", T0 + HOUR)]
    assert told(engine.apply(TimePassed(command_id="e"), T0 + 4 * HOUR), SlaBreached) == []


def test_the_breach_of_a_clock_is_told_after_a_restart_over_its_due() -> None:
    engine = engine_with()
    engine.apply(arrival("c1"), T0)
    restored = Engine.restore(engine.snapshot())
    step = restored.apply(TimePassed(command_id="a"), T0 + 2 * HOUR)
    assert told(step, SlaWarned, SlaBreached) == [("first_response", T0 + HOUR)] * 2


def test_the_owner_is_told_when_to_wake_the_pool() -> None:
    engine = engine_with()
    engine.apply(arrival("c1"), T0)
    assert engine.next_due_ms() == T0 + 45 * MINUTE


def test_a_reply_at_due_is_in_time_and_later_is_not() -> None:
    for after, in_time in ((0, True), (1, False)):
        engine = engine_with()
        engine.apply(arrival("c1"), T0)
        step = reply(engine, T0 + HOUR + after, T0 + HOUR + after)
        [met] = [e for e in step.events if isinstance(e, SlaMet)]
        assert met.in_time is in_time
        assert len(told(step, SlaBreached)) == (0 if in_time else 1)


def test_a_reply_sent_in_time_but_heard_of_late_is_in_time() -> None:
    engine = engine_with()
    engine.apply(arrival("c1"), T0)
    engine.apply(TimePassed(command_id="t"), T0 + 2 * HOUR)
    step = reply(engine, T0 + 2 * HOUR, T0 + HOUR - 1)
    assert [e.in_time for e in step.events if isinstance(e, SlaMet)] == [True]


def test_pending_customer_pauses_the_resolution_and_tells_the_new_due() -> None:
    engine = engine_with()
    engine.apply(arrival("c1"), T0)
    assert told(status(engine, T0 + HOUR, "pending_customer"), SlaStarted) == [("resolution", 0)]
    step = status(engine, T0 + 11 * HOUR, "open")
    assert told(step, SlaStarted) == [("resolution", T0 + 18 * HOUR)]


def test_a_resolve_without_a_human_reply_cancels_the_first_response() -> None:
    engine = engine_with()
    engine.apply(arrival("c1"), T0)
    step = resolve(engine, T0 + MINUTE)
    assert [(e.metric, e.cause) for e in step.events if isinstance(e, SlaCancelled)] == [
        ("first_response", "resolved-without-reply")
    ]
    assert [e.metric for e in step.events if isinstance(e, SlaMet)] == ["resolution"]


def test_a_reopen_continues_the_resolution_without_the_time_in_between() -> None:
    engine = engine_with()
    engine.apply(arrival("c1"), T0)
    reply(engine, T0 + MINUTE, T0 + MINUTE)
    resolve(engine, T0 + 2 * HOUR)
    again = T0 + 2 * HOUR + 30 * SECOND
    step = engine.apply(arrival("c1", episode=2, started_at_ms=again), again)
    assert told(step, SlaStarted) == [("resolution", again + 6 * HOUR)]


def test_a_forgotten_conversation_is_reopened_from_its_rows() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    hold(engine)
    resolve(engine, T0 + MINUTE)
    item, clocks = engine.pool.items["c1"], engine.pool.clocks["c1"]
    later = T0 + 5 * HOUR
    engine.apply(TimePassed(command_id="t"), later)
    assert not engine.knows("c1")
    engine.recall(item, clocks)
    step = engine.apply(arrival("c1", episode=2, started_at_ms=later), later)
    assert told(step, SlaStarted)[-1] == ("resolution", later + 8 * HOUR - MINUTE)
    assert engine.pool.items["c1"].epoch == 2


def test_a_reopened_conversation_waits_for_the_agent_it_had() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    hold(engine)
    resolve(engine, T0 + SECOND)
    for number in range(2):
        engine.apply(arrival(f"other{number}"), T0 + SECOND)
    step = engine.apply(arrival("c1", episode=2), T0 + 2 * SECOND)
    assert offered(step) == []
    assert engine.pool.items["c1"].held_for == "ada"
    be(engine, "ada", "offline", T0 + 3 * SECOND)
    assert engine.pool.items["c1"].held_for == ""


def test_an_offline_agent_loses_offers_at_once_and_live_work_after_the_grace() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    hold(engine)
    engine.apply(arrival("c2"), T0)
    step = be(engine, "ada", "offline", T0)
    assert "OfferClosed" in kinds(step)
    assert state(engine, "c2") == "waiting"
    assert state(engine, "c1") == "assigned"
    engine.apply(TimePassed(command_id="a"), T0 + 120 * SECOND - 1)
    assert state(engine, "c1") == "assigned"
    step = engine.apply(TimePassed(command_id="b"), T0 + 120 * SECOND)
    assert state(engine, "c1") == "waiting"
    assert "Released" in kinds(step)


def test_the_end_of_an_old_lease_does_not_put_a_returned_agent_offline() -> None:
    engine = engine_with(agent("ada"))
    epoch = engine.pool.bench.seats["ada"].presence_epoch
    be(engine, "ada", "away", T0 + 1)
    be(engine, "ada", "online", T0 + 2)
    engine.apply(EndLease(command_id="old", agent_id="ada", presence_epoch=epoch), T0 + 3)
    assert presence(engine) == "online"
    engine.apply(EndLease(command_id="new", agent_id="ada", presence_epoch=epoch + 2), T0 + 4)
    assert presence(engine) == "offline"
    assert engine.pool.bench.seats["ada"].reason == "lease-ended"


def test_time_never_goes_back() -> None:
    engine = engine_with()
    engine.apply(TimePassed(command_id="a"), T0 + HOUR)
    assert engine.apply(TimePassed(command_id="b"), T0).at_ms == T0 + HOUR
