"""The six clocks and the ladders, as the life of a conversation moves them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.routing.domain.calendars import Calendar
from services.routing.domain.commands import (
    Close,
    Command,
    CustomerWrote,
    PutDirectory,
    Reclassify,
    RecordReply,
    RecordStatus,
    TimePassed,
    Transfer,
)
from services.routing.domain.directory import Directory
from services.routing.domain.engine import Engine
from services.routing.domain.events import (
    AgentAssigned,
    Released,
    RingOpened,
    SlaBreached,
    SlaCancelled,
    SlaEscalated,
    SlaMet,
    SlaStarted,
    SlaWarned,
)
from services.routing.domain.model import METRICS, Status
from services.routing.domain.queue_policy import Ring
from services.routing.domain.sla_policy import LadderStep, SlaPolicy
from services.routing.domain.state import Step
from tests.unit.routing.calendars import BERLIN, local
from tests.unit.routing.pools import DIRECTORY, HOUR, MINUTE, T0, accept, agent, arrival, engine_with

ALL = SlaPolicy(
    first_response_ms=HOUR,
    next_response_ms=30 * MINUTE,
    update_ms=2 * HOUR,
    resolution_ms=8 * HOUR,
    agent_work_ms=4 * HOUR,
    total_resolution_ms=24 * HOUR,
    ladder=(),
)


def with_sla(sla: SlaPolicy, *, calendar: Calendar | None = None, rings: tuple[Ring, ...] = ()) -> Directory:
    """The small directory whose queue `billing` promises that."""
    billing = replace(DIRECTORY.queues[0], sla=sla, rings=rings)
    calendars = (calendar,) if calendar else ()
    return replace(DIRECTORY, queues=(billing, *DIRECTORY.queues[1:]), calendars=calendars)


class Life:
    """One conversation, c1, and what is told of its clocks."""

    def __init__(
        self, sla: SlaPolicy = ALL, *people: str, rings: tuple[Ring, ...] = (), first_seq: int = 1
    ) -> None:
        self.engine = engine_with(*(agent(p) for p in people), directory=with_sla(sla, rings=rings))
        self.number = 0
        self.step = self.engine.apply(replace(arrival("c1"), first_seq=first_seq), T0)

    def do(self, command: Command, at_ms: int) -> Life:
        self.step = self.engine.apply(command, at_ms)
        return self

    def _id(self) -> str:
        self.number += 1
        return f"n{self.number}"

    def reply(self, at_ms: int, after_seq: int, heard_ms: int = 0, *, human: bool = True) -> Life:
        command = RecordReply(
            command_id=self._id(),
            conversation_id="c1",
            episode=1,
            replied_at_ms=at_ms,
            after_seq=after_seq,
            human=human,
        )
        return self.do(command, heard_ms or at_ms)

    def wrote(self, at_ms: int, seq: int, heard_ms: int = 0) -> Life:
        command = CustomerWrote(
            command_id=self._id(), conversation_id="c1", episode=1, wrote_at_ms=at_ms, seq=seq
        )
        return self.do(command, heard_ms or at_ms)

    def status(self, status: Status, at_ms: int) -> Life:
        command = RecordStatus(
            command_id=self._id(), conversation_id="c1", episode=1, status=status, changed_at_ms=at_ms
        )
        return self.do(command, at_ms)

    def wait(self, at_ms: int) -> Life:
        return self.do(TimePassed(command_id=self._id()), at_ms)

    def resolve(self, at_ms: int) -> Life:
        return self.do(
            Close(command_id=self._id(), conversation_id="c1", episode=1, closed_at_ms=at_ms), at_ms
        )

    def told(self, *types: type) -> list[tuple[str, int, int]]:
        """(metric, instance, due) of the events of the last step."""
        return [(e.metric, e.instance, e.due_ms) for e in self.step.events if isinstance(e, types)]  # type: ignore[attr-defined]  # all clock events have the three

    def steps(self) -> list[tuple[str, str]]:
        """(action, outcome) of the ladder in the last step."""
        return [(e.action, e.outcome) for e in self.step.events if isinstance(e, SlaEscalated)]

    def state(self, metric: str) -> str:
        return next(c.state for c in reversed(self.engine.pool.clocks["c1"]) if c.metric == metric)


def test_the_first_message_starts_what_is_promised_from_it() -> None:
    assert Life().told(SlaStarted) == [
        ("first_response", 1, T0 + HOUR),
        ("resolution", 1, T0 + 8 * HOUR),
        ("agent_work", 1, T0 + 4 * HOUR),
        ("total_resolution", 1, T0 + 24 * HOUR),
    ]


def test_a_reply_starts_the_update_and_an_unanswered_message_the_next_response() -> None:
    life = Life().reply(T0 + MINUTE, after_seq=1)
    assert life.told(SlaMet) == [("first_response", 1, T0 + HOUR)]
    assert life.told(SlaStarted) == [("update", 1, T0 + MINUTE + 2 * HOUR)]
    life.wrote(T0 + 5 * MINUTE, 2)
    assert life.told(SlaStarted) == [("next_response", 1, T0 + 35 * MINUTE)]
    assert life.wrote(T0 + 6 * MINUTE, 3).told(SlaStarted) == []
    life.reply(T0 + 10 * MINUTE, after_seq=3)
    assert sorted(life.told(SlaMet)) == [
        ("next_response", 1, T0 + 35 * MINUTE),
        ("update", 1, T0 + MINUTE + 2 * HOUR),
    ]
    assert life.wrote(T0 + 11 * MINUTE, 4).told(SlaStarted) == [("next_response", 2, T0 + 41 * MINUTE)]


def test_a_reply_answers_only_what_its_author_had_seen() -> None:
    life = Life().reply(T0 + MINUTE, after_seq=1).wrote(T0 + 2 * MINUTE, 2).wrote(T0 + 3 * MINUTE, 3)
    life.reply(T0 + 4 * MINUTE, after_seq=2)
    assert ("next_response", 1, T0 + 32 * MINUTE) in life.told(SlaMet)
    assert ("next_response", 2, T0 + 33 * MINUTE) in life.told(SlaStarted)


def test_a_message_that_crossed_the_first_reply_waits_for_the_next_one() -> None:
    early = Life().wrote(T0 + MINUTE, 2).reply(T0 + 2 * MINUTE, after_seq=1)
    late = Life().reply(T0 + 2 * MINUTE, after_seq=1).wrote(T0 + MINUTE, 2, T0 + 3 * MINUTE)
    for life in (early, late):
        assert ("next_response", 1, T0 + 31 * MINUTE) in life.told(SlaStarted)


def test_a_message_heard_of_after_its_answer_was_a_promise_kept() -> None:
    life = Life().reply(T0 + MINUTE, after_seq=1).reply(T0 + 20 * MINUTE, after_seq=2)
    life.wrote(T0 + 5 * MINUTE, 2, T0 + 21 * MINUTE)
    assert life.told(SlaMet) == [("next_response", 1, T0 + 35 * MINUTE)]
    assert life.wrote(T0 + 5 * MINUTE, 2, T0 + 22 * MINUTE).step.events == []


def test_the_status_says_which_clocks_stand_still() -> None:
    """domain.md 2.1: resolution and update stop while the customer is waited for, agent_work on hold too."""
    runs = {
        "open": set(METRICS) - {"first_response"},
        "pending_customer": {"next_response", "total_resolution"},
        "on_hold": {"next_response", "update", "resolution", "total_resolution"},
        "snoozed": {"next_response", "update", "resolution", "total_resolution"},
    }
    for status, running in runs.items():
        life = Life().reply(T0 + MINUTE, after_seq=1).wrote(T0 + 2 * MINUTE, 2)
        life.status(status, T0 + 3 * MINUTE)  # type: ignore[arg-type]  # the four statuses
        clocks = life.engine.pool.clocks["c1"]
        assert {c.metric for c in clocks if c.state == "running"} == running, status
        assert {c.metric for c in clocks if c.state == "paused"} == runs["open"] - running, status


def test_a_periodic_update_runs_on_while_the_customer_is_waited_for() -> None:
    life = Life(replace(ALL, update_in_pending=True)).reply(T0 + MINUTE, after_seq=1)
    life.status("pending_customer", T0 + 2 * MINUTE)
    assert life.state("update") == "running"


def test_a_resolve_meets_what_waits_for_it_and_cancels_the_rest() -> None:
    life = Life().reply(T0 + MINUTE, after_seq=1).wrote(T0 + 2 * MINUTE, 2).resolve(T0 + HOUR)
    assert {m for m, _, _ in life.told(SlaMet)} == {"resolution", "agent_work", "total_resolution"}
    cancelled = {e.metric for e in life.step.events if isinstance(e, SlaCancelled)}
    assert cancelled == {"next_response", "update"}


def test_what_a_resolve_ends_goes_on_after_a_reopen_and_the_message_waits_for_the_next_response() -> None:
    life = Life().reply(T0 + MINUTE, after_seq=1).resolve(T0 + 2 * HOUR)
    again = T0 + 10 * HOUR
    life.do(replace(arrival("c1", episode=2, started_at_ms=again), first_seq=2), again)
    assert sorted(life.told(SlaStarted)) == [
        ("agent_work", 1, again + 2 * HOUR),
        ("next_response", 1, again + 30 * MINUTE),
        ("resolution", 1, again + 6 * HOUR),
        ("total_resolution", 1, again + 22 * HOUR),
    ]


def test_an_automatic_reply_is_a_first_response_only_where_the_policy_says_so() -> None:
    assert Life().reply(T0 + MINUTE, 1, human=False).told(SlaMet) == []
    counted = Life(replace(ALL, automatic_counts=True)).reply(T0 + MINUTE, 1, human=False)
    assert counted.told(SlaMet) == [("first_response", 1, T0 + HOUR)]


def test_another_urgency_counts_its_target_from_the_original_start() -> None:
    life = Life(replace(ALL, by_urgency=(("high", (("first_response", 10 * MINUTE),)),)))
    raised = Reclassify(
        command_id="r", conversation_id="c1", episode=1, topic="unknown", language="und", urgency="high"
    )
    assert life.do(raised, T0 + 4 * MINUTE).told(SlaStarted) == [("first_response", 1, T0 + 10 * MINUTE)]
    assert life.engine.pool.items["c1"].due_ms == T0 + 10 * MINUTE
    assert life.wait(T0 + 10 * MINUTE + 1).told(SlaBreached) == [("first_response", 1, T0 + 10 * MINUTE)]


def test_another_calendar_counts_every_run_anew_and_a_recorded_breach_stays() -> None:
    friday = local("Europe/Berlin", "2026-06-05T15:00")
    sla = SlaPolicy(HOUR, 8 * HOUR, ladder=())
    engine = engine_with(directory=with_sla(sla), at_ms=friday)
    engine.apply(arrival("c1", started_at_ms=friday), friday)
    for status, after in (("pending_customer", HOUR), ("open", 20 * HOUR)):
        moved = RecordStatus(
            command_id=status,
            conversation_id="c1",
            episode=1,
            status=status,  # type: ignore[arg-type]  # both are statuses
            changed_at_ms=friday + after,
        )
        engine.apply(moved, friday + after)
    office = with_sla(replace(sla, calendar_id="berlin"), calendar=BERLIN)
    step = engine.apply(PutDirectory(command_id="d", directory=office), friday + 22 * HOUR)
    dues = {e.metric: e.due_ms for e in step.events if isinstance(e, SlaStarted)}
    assert dues == {"resolution": local("Europe/Berlin", "2026-06-08T16:00")}
    first = engine.pool.clock("c1", "first_response", 1)
    assert first is not None
    assert first.breached_due_ms == friday + HOUR
    assert [e for e in step.events if isinstance(e, SlaBreached)] == []


def test_a_transfer_follows_the_promises_of_the_other_queue() -> None:
    life = Life()
    moved = Transfer(command_id="t", conversation_id="c1", agent_id="", to_queue="desk")
    life.do(moved, T0 + 30 * MINUTE)
    assert sorted(life.told(SlaStarted)) == [
        ("first_response", 1, T0 + 2 * HOUR),
        ("resolution", 1, T0 + 24 * HOUR),
    ]
    cancelled = {e.metric: e.cause for e in life.step.events if isinstance(e, SlaCancelled)}
    assert cancelled == {"agent_work": "policy-changed", "total_resolution": "policy-changed"}


def test_everything_missed_while_the_process_was_down_comes_once_and_in_order() -> None:
    sla = replace(
        ALL, ladder=(LadderStep("notify", percent=50), LadderStep("boost", percent=100, boost_ms=MINUTE))
    )
    life = Life(sla)
    restored = Engine.restore(life.engine.snapshot())
    step = restored.apply(TimePassed(command_id="late"), T0 + 5 * HOUR)
    told = [
        (type(e).__name__, e.metric)  # type: ignore[attr-defined]  # clock events
        for e in step.events
        if isinstance(e, SlaWarned | SlaBreached | SlaEscalated)
    ]
    assert told == [
        ("SlaEscalated", "first_response"),
        ("SlaWarned", "first_response"),
        ("SlaBreached", "first_response"),
        ("SlaEscalated", "first_response"),
        ("SlaEscalated", "agent_work"),
        ("SlaWarned", "agent_work"),
        ("SlaEscalated", "resolution"),
        ("SlaBreached", "agent_work"),
        ("SlaEscalated", "agent_work"),
    ]
    again = restored.apply(TimePassed(command_id="again"), T0 + 5 * HOUR + MINUTE)
    assert again.events == []


def test_a_calendar_without_open_time_for_it_is_told_and_not_waited_for() -> None:
    rare = Calendar("rare", "UTC", BERLIN.weekly[:1], frozenset(_mondays()))
    directory = with_sla(SlaPolicy(HOUR, calendar_id="rare"), calendar=rare)
    step = engine_with(directory=directory).apply(arrival("c1"), T0)
    assert [e.due_ms for e in step.events if isinstance(e, SlaStarted)] == [0]
    assert [d["metric"] for d in step.decisions if d["kind"] == "no_open_time"] == ["first_response"]


def _mondays() -> list[str]:
    return [(date(2026, 5, 25) + timedelta(weeks=n)).isoformat() for n in range(60)]


def test_the_explanation_of_a_decision_tells_the_clocks() -> None:
    [record] = [d for d in Life().step.decisions if d["kind"] == "wait"]
    assert [(c["metric"], c["state"], c["due_ms"]) for c in record["clocks"]] == [
        ("agent_work", "running", T0 + 4 * HOUR),
        ("first_response", "running", T0 + HOUR),
        ("resolution", "running", T0 + 8 * HOUR),
        ("total_resolution", "running", T0 + 24 * HOUR),
    ]


def test_each_step_of_a_ladder_comes_once_at_its_time() -> None:
    ladder = (
        LadderStep("notify", percent=50, person="boss"),
        LadderStep("manager", offset_ms=-10 * MINUTE, person="boss"),
        LadderStep("boost", percent=100, boost_ms=20 * MINUTE),
        LadderStep("page", offset_ms=15 * MINUTE),
    )
    life = Life(SlaPolicy(HOUR, ladder=ladder))
    expected = [
        (T0 + 30 * MINUTE, ("notify", "told")),
        (T0 + 50 * MINUTE, ("manager", "told")),
        (T0 + HOUR + 1, ("boost", "boosted")),
        (T0 + 75 * MINUTE, ("page", "nobody-to-tell")),
    ]
    for at_ms, step in expected:
        assert life.wait(at_ms - 1).steps() == []
        assert life.wait(at_ms).steps() == [step]
    assert life.engine.pool.items["c1"].key_ms == T0 + 40 * MINUTE
    assert life.wait(T0 + 20 * HOUR).steps() == []


def test_a_pause_postpones_the_ladder_and_a_fulfilment_ends_it() -> None:
    ladder = (
        LadderStep("notify", percent=50, person="boss"),
        LadderStep("notify", percent=90, person="boss"),
    )
    life = Life(SlaPolicy(resolution_ms=HOUR, ladder=ladder)).status("pending_customer", T0 + 10 * MINUTE)
    assert life.wait(T0 + 10 * HOUR).steps() == []
    life.status("open", T0 + 10 * HOUR)
    assert life.wait(T0 + 10 * HOUR + 20 * MINUTE).steps() == [("notify", "told")]
    life.resolve(T0 + 10 * HOUR + 21 * MINUTE)
    assert life.wait(T0 + 30 * HOUR).steps() == []


def test_steps_before_due_need_open_time_and_one_after_it_may_use_calendar_time() -> None:
    friday = local("Europe/Berlin", "2026-06-05T16:30")
    ladder = (
        LadderStep("notify", percent=75, person="boss"),
        LadderStep("notify", offset_ms=HOUR, person="boss"),
        LadderStep("manager", offset_ms=HOUR, person="boss", around_the_clock=True),
    )
    sla = SlaPolicy(30 * MINUTE, calendar_id="berlin", ladder=ladder)
    engine = engine_with(directory=with_sla(sla, calendar=BERLIN), at_ms=friday)
    engine.apply(arrival("c1", started_at_ms=friday), friday)
    fired = []
    for at in ("2026-06-05T17:01", "2026-06-05T18:00", "2026-06-07T12:00", "2026-06-08T10:00"):
        at_ms = local("Europe/Berlin", at)
        step = engine.apply(TimePassed(command_id=at), at_ms)
        fired.append([e.action for e in step.events if isinstance(e, SlaEscalated)])
    assert fired == [["notify"], ["manager"], [], ["notify"]]


def test_a_breach_gives_the_conversation_to_somebody_who_has_room() -> None:
    life = Life(SlaPolicy(HOUR), "ada", "bea")
    accept(life.engine, "c1")
    holder = life.engine.pool.items["c1"].agent_id
    life.wait(T0 + HOUR + 1)
    assert ("reassign", "taken-from-its-agent") in life.steps()
    assert [e.agent_id for e in life.step.events if isinstance(e, Released)] == [holder]
    other = life.engine.pool.offers[life.engine.pool.items["c1"].offer_id].agent_id
    assert other != holder


def test_a_breach_leaves_the_conversation_with_its_agent_when_nobody_else_has_room() -> None:
    life = Life(SlaPolicy(HOUR), "ada")
    accept(life.engine, "c1")
    assert ("reassign", "nobody-else-has-room") in life.wait(T0 + HOUR + 1).steps()
    assert life.engine.pool.items["c1"].agent_id == "ada"


def test_a_breach_noticed_late_waits_for_replies_before_it_takes_anything_from_an_agent() -> None:
    life = Life(SlaPolicy(HOUR), "ada", "bea")
    accept(life.engine, "c1")
    assert ("reassign", "taken-from-its-agent") not in life.wait(T0 + 3 * HOUR).steps()
    answered = life.reply(T0 + HOUR - 1, 1, T0 + 3 * HOUR + 1000)
    assert [e.in_time for e in answered.step.events if isinstance(e, SlaMet)] == [True]
    assert life.wait(T0 + 5 * HOUR).steps() == []
    assert not [e for e in life.step.events if isinstance(e, Released | AgentAssigned)]


def test_a_breach_opens_the_next_ring_but_never_one_that_time_does_not_open() -> None:
    life = Life(SlaPolicy(HOUR), rings=(Ring(3 * HOUR, teams=("desk",)), Ring(0, drop_language=True)))
    life.wait(T0 + HOUR + 1)
    assert [(e.ring, e.cause) for e in life.step.events if isinstance(e, RingOpened)] == [(1, "sla")]
    shut = Life(SlaPolicy(HOUR), rings=(Ring(0, drop_language=True),))
    assert ("widen", "no-ring-left") in shut.wait(T0 + HOUR + 1).steps()


def test_a_page_reaches_everybody_of_the_team_who_is_there() -> None:
    life = Life(SlaPolicy(HOUR, ladder=(LadderStep("page", percent=100, person="boss"),)), "ada", "bea")
    [event] = [e for e in life.wait(T0 + HOUR + 1).step.events if isinstance(e, SlaEscalated)]
    assert event.people == ("boss", "ada", "bea")
    assert {f.agent_id for f in life.step.feed if f.kind == "sla_step"} == {"ada", "bea"}


def test_the_step_of_a_ladder_is_explained() -> None:
    life = Life(SlaPolicy(HOUR, ladder=(LadderStep("boost", percent=100, boost_ms=MINUTE),)))
    life.wait(T0 + HOUR + 1)
    [record] = [d for d in life.step.decisions if d["kind"] == "sla_step"]
    assert (record["metric"], record["step"], record["outcome"]) == (
        "first_response",
        "100% boost",
        "boosted",
    )


@pytest.mark.parametrize(
    ("sla", "problem"),
    [
        (SlaPolicy(-1), "promises first_response in -1 ms; a target must be positive"),
        (SlaPolicy(calendar_id="moon"), "names the unknown calendar 'moon'"),
        (SlaPolicy(by_urgency=(("high", (("update", 0),)),)), "promises update in 0 ms for high"),
        (SlaPolicy(by_urgency=(("urgent", ()),)), "unknown urgency 'urgent'"),
        (SlaPolicy(warn_percent=0), "warns at 0 percent"),
        (
            SlaPolicy(ladder=(LadderStep("notify", percent=50, offset_ms=1),)),
            "percent or offset_ms, not both",
        ),
        (SlaPolicy(ladder=(LadderStep("boost", percent=50),)), "boost_ms is positive for a boost"),
        (SlaPolicy(ladder=(LadderStep("manager", percent=50),)), "name the person to tell"),
        (SlaPolicy(ladder=(LadderStep("page", percent=5, metrics=("luck",)),)), "unknown metric 'luck'"),
        (SlaPolicy(ladder=(LadderStep("page", percent=5),) * 2), "ladder step '5% page' twice"),
        (
            SlaPolicy(ladder=(LadderStep("page", offset_ms=-1, around_the_clock=True),)),
            "around_the_clock is for an offset after",
        ),
    ],
)
def test_a_promise_that_cannot_be_kept_is_refused_with_the_reason(sla: SlaPolicy, problem: str) -> None:
    assert any(problem in found for found in with_sla(sla).problems())


def test_a_long_talk_does_not_make_a_long_row() -> None:
    life = Life()
    for number in range(1, 200):
        at_ms = T0 + number * MINUTE
        life.reply(at_ms, after_seq=number).wrote(at_ms + 1000, number + 1)
    assert len(life.engine.pool.clocks["c1"]) <= 3 * len(METRICS) + 2
    item = life.engine.pool.items["c1"]
    assert (len(item.unanswered), len(item.answers)) == (1, 20)
    stopped: Step = life.resolve(T0 + 300 * MINUTE).step
    assert all(e.instance == 199 for e in stopped.events if isinstance(e, SlaCancelled))
