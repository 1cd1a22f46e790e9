"""The named rules of choice, pace, rings, boosts, parallel offers, auto-accept and parking, told as short scenes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain import pace
from services.routing.domain.choice import PickRule
from services.routing.domain.commands import (
    AcceptOffer,
    Close,
    CustomerWrote,
    DeclineOffer,
    RecordStatus,
    TimePassed,
)
from services.routing.domain.directory import AgentProfile, CapacityPolicy, Directory
from services.routing.domain.engine import Engine
from services.routing.domain.queue_policy import Ring
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
    offered,
)
from tests.unit.routing.stories import play


def with_queue(**changes: object) -> Directory:
    """The pool with a changed first queue (billing)."""
    return replace(DIRECTORY, queues=(replace(DIRECTORY.queues[0], **changes), *DIRECTORY.queues[1:]))  # type: ignore[arg-type]  # fields by name


def with_capacity(**changes: object) -> Directory:
    capacity: CapacityPolicy = replace(DIRECTORY.capacities[0], **changes)  # type: ignore[arg-type]  # fields by name
    return replace(DIRECTORY, capacities=(capacity,))


def serve(engine: Engine, conversation_id: str, at_ms: int, *, done: bool) -> str:
    """One arrival, accepted and perhaps resolved at once: who got it."""
    [(_, who)] = offered(engine.apply(arrival(conversation_id, started_at_ms=at_ms), at_ms))
    assert accept(engine, conversation_id, at_ms).ok
    if done:
        close = Close(
            command_id=f"close-{conversation_id}",
            conversation_id=conversation_id,
            episode=1,
            closed_at_ms=at_ms,
        )
        engine.apply(close, at_ms)
    return who


def test_round_robin_goes_round_whatever_the_load() -> None:
    engine = engine_with(agent("ada"), agent("bo"), agent("cy"), directory=with_queue(pick="round_robin"))
    got = [serve(engine, f"c{n}", T0 + n, done=n % 2 == 0) for n in range(6)]
    assert got == ["ada", "bo", "cy", "ada", "bo", "cy"]


def test_longest_idle_counts_from_the_end_of_work_not_from_its_beginning() -> None:
    engine = engine_with(agent("ada"), agent("bo"), directory=with_queue(pick="longest_idle"))
    for number, at_ms in enumerate((T0 + SECOND, T0 + 2 * SECOND)):
        serve(engine, f"c{number}", at_ms, done=False)
    for number, at_ms in ((1, T0 + 3 * SECOND), (0, T0 + 4 * SECOND)):
        engine.apply(
            Close(command_id=f"x{number}", conversation_id=f"c{number}", episode=1, closed_at_ms=at_ms), at_ms
        )
    assert serve(engine, "next", T0 + MINUTE, done=False) == "bo"


def test_most_room_looks_at_the_load_before_flexibility() -> None:
    both = AgentProfile("all", "All", ("billing", "desk"), ("en", "it"))
    for pick, expected in (("most_room", "all"), ("least_flexible", "one")):
        engine = engine_with(both, agent("one"), directory=with_queue(pick=pick))
        serve(engine, "c1", T0, done=False) if pick == "least_flexible" else None
        if pick == "most_room":
            assert serve(engine, "c1", T0, done=False) in ("all", "one")
            taken = engine.pool.items["c1"].agent_id
            expected = "one" if taken == "all" else "all"
        assert serve(engine, "c2", T0 + 1, done=False) == expected


def test_best_level_prefers_the_master_and_says_why_the_other_lost() -> None:
    engine = engine_with(
        AgentProfile("apprentice", "A", ("billing",), ("en",), (("tax", 2),)),
        AgentProfile("master", "M", ("billing",), ("en",), (("tax", 5),)),
        directory=with_queue(pick="best_level"),
    )
    step = engine.apply(arrival("c1", skills=(("tax", 1),)), T0)
    assert offered(step) == [("c1", "master")]
    record = step.decisions[-1]
    assert (record["pick"], record["chosen"]["minus_level"]) == ("best_level", -5)
    assert record["runners_up"][0]["lost_by"] == "minus_level"


def jain(loads: list[int]) -> float:
    return sum(loads) ** 2 / (len(loads) * sum(x * x for x in loads))


@pytest.mark.parametrize("pick", ["least_flexible", "longest_idle", "most_room", "best_level", "round_robin"])
def test_i20_agents_of_one_profile_share_the_work_in_the_long_run(pick: PickRule) -> None:
    engine = engine_with(*(agent(f"a{n}") for n in range(5)), directory=with_queue(pick=pick))
    got = [serve(engine, f"c{n}", T0 + n * SECOND, done=True) for n in range(200)]
    assert jain([got.count(f"a{n}") for n in range(5)]) >= 0.95


def test_a_fair_share_rests_the_agent_until_the_window_has_moved_on() -> None:
    engine = engine_with(
        agent("ada"), directory=with_capacity(fair_share=2, fair_share_window_ms=10 * MINUTE)
    )
    for number in range(2):
        serve(engine, f"c{number}", T0, done=True)
    step = engine.apply(arrival("c9"), T0)
    assert offered(step) == []
    assert step.decisions[-1]["agents"] == {"fair-share": 1}
    due_ms = engine.next_due_ms()
    assert due_ms is not None
    again = engine.apply(TimePassed(command_id="t"), engine.pool.bench.seats["ada"].paced_until_ms)
    assert offered(again) == [("c9", "ada")]


@given(
    st.lists(st.integers(0, 50_000), min_size=1, max_size=40), st.integers(1, 9), st.integers(1_000, 20_000)
)
def test_the_sliding_count_never_lets_more_than_the_limit_into_a_window(
    gaps: list[int], limit: int, window_ms: int
) -> None:
    window, at_ms = pace.Window(), T0
    in_window: dict[int, int] = {}
    for gap in gaps:
        at_ms += gap
        if pace.taken(window, at_ms, window_ms) >= limit:
            free_ms = pace.free_again_ms(window, at_ms, window_ms, limit)
            assert (
                pace.taken(window, free_ms, window_ms) < limit <= pace.taken(window, free_ms - 1, window_ms)
            )
            at_ms = free_ms
        window = pace.counted(window, at_ms, window_ms)
        in_window[window.start_ms] = in_window.get(window.start_ms, 0) + 1
    assert max(in_window.values()) <= limit


def test_a_new_agent_has_a_part_of_the_budget_that_grows_by_itself() -> None:
    new = replace(agent("ada"), started_at_ms=T0)
    engine = engine_with(new, directory=with_capacity(ramp=((HOUR, 40), (2 * HOUR, 70))))
    assert offered(engine.apply(arrival("c1"), T0)) == [("c1", "ada")]
    assert offered(engine.apply(arrival("c2"), T0)) == []
    assert accept(engine, "c1", T0).ok
    assert offered(engine.apply(TimePassed(command_id="t"), T0 + HOUR)) == [("c2", "ada")]


def test_rings_open_one_inside_the_other_and_the_inner_ring_is_asked_first() -> None:
    directory = with_queue(
        preferred_skills=(("tax", 3),),
        rings=(Ring(MINUTE, drop_skills=("tax",)), Ring(5 * MINUTE, teams=("desk",))),
    )
    expert = AgentProfile("expert", "E", ("billing",), ("en",), (("tax", 3),))
    engine = engine_with(expert, agent("member"), agent("neighbour", team="desk"), directory=directory)
    be(engine, "expert", "away", T0)
    step = engine.apply(arrival("c1"), T0)
    assert step.decisions[-1]["agents"] == {"away": 1, "preferred-skill": 1, "team": 1}
    assert offered(engine.apply(TimePassed(command_id="t"), T0 + MINUTE)) == [("c1", "member")]
    decline = DeclineOffer(command_id="no", offer_id=engine.pool.items["c1"].offer_id, agent_id="member")
    assert offered(engine.apply(decline, T0 + 2 * MINUTE)) == []
    step = engine.apply(TimePassed(command_id="u"), T0 + 5 * MINUTE)
    assert ("c1", "neighbour") in offered(step) or ("c1", "member") in offered(step)


def test_a_ring_that_nobody_inside_could_fill_opens_at_once() -> None:
    directory = with_queue(preferred_skills=(("tax", 3),), rings=(Ring(HOUR, drop_skills=("tax",)),))
    engine = engine_with(agent("member"), directory=directory)
    assert offered(engine.apply(arrival("c1"), T0)) == [("c1", "member")]


def test_the_parts_of_a_boost_add_up_to_the_cap_and_are_told() -> None:
    directory = with_queue(tier_boosts=(("gold", 2 * HOUR),), debt_boost_ms=HOUR)
    engine = engine_with(directory=directory)
    command = replace(arrival("c1", urgency="high", tier="gold"), debt=12)
    step = engine.apply(command, T0)
    record = step.decisions[0]
    assert record["boost_parts"] == {"urgency": HOUR, "tier": 2 * HOUR, "recovery": HOUR // 2}
    assert record["key_ms"] == record["due_ms"] - 3 * HOUR - HOUR // 2
    capped = replace(directory, boost_cap_ms=HOUR)
    engine = engine_with(directory=capped)
    assert engine.apply(command, T0).decisions[0]["boost_ms"] == HOUR


def test_of_parallel_offers_the_first_to_accept_wins_and_the_other_is_told() -> None:
    engine = engine_with(agent("ada"), agent("bo"), agent("cy"), directory=with_queue(parallel_offers=2))
    step = engine.apply(arrival("c1"), T0)
    assert offered(step) == [("c1", "ada"), ("c1", "bo")]
    item = engine.pool.items["c1"]
    [second] = item.more_offers
    won = engine.apply(AcceptOffer(command_id="w", offer_id=second, agent_id="bo"), T0 + 1)
    assert won.result is not None
    assert won.result.ok
    assert [f.payload["reason"] for f in won.feed if f.kind == "offer_closed"] == ["taken"]
    late = engine.apply(AcceptOffer(command_id="l", offer_id=item.offer_id, agent_id="ada"), T0 + 2).result
    assert late is not None
    assert (late.slug, late.body["reason"], late.body["agent_id"]) == ("offer-gone", "taken", "bo")
    assert engine.pool.bench.seats["ada"].live_used == 0


def test_a_parallel_offer_that_one_declines_stays_with_the_other() -> None:
    engine = engine_with(agent("ada"), agent("bo"), directory=with_queue(parallel_offers=2))
    engine.apply(arrival("c1"), T0)
    first = engine.pool.items["c1"].offer_id
    engine.apply(DeclineOffer(command_id="n", offer_id=first, agent_id="ada"), T0 + 1)
    item = engine.pool.items["c1"]
    assert (item.state, engine.pool.offers[item.offer_id].agent_id, item.more_offers) == ("offered", "bo", ())


def test_a_queue_that_accepts_by_itself_assigns_in_the_same_step() -> None:
    engine = engine_with(agent("ada"), directory=with_queue(auto_accept=True))
    step = engine.apply(arrival("c1"), T0)
    assert [type(e).__name__ for e in step.events][-3:] == ["AgentOffered", "OfferClosed", "AgentAssigned"]
    assert engine.pool.items["c1"].state == "assigned"


def parked_pool(**queue: object) -> Engine:
    """ada has c1, whose customer has been silent long enough."""
    directory = replace(with_queue(**queue), capacities=with_capacity(park_after_ms=MINUTE).capacities)
    engine = engine_with(agent("ada"), directory=directory)
    serve(engine, "c1", T0, done=False)
    pending = RecordStatus(
        command_id="p", conversation_id="c1", episode=1, status="pending_customer", changed_at_ms=T0
    )
    engine.apply(pending, T0)
    engine.apply(TimePassed(command_id="t"), T0 + MINUTE)
    return engine


def wrote(engine: Engine, at_ms: int) -> list[tuple[str, str]]:
    said = CustomerWrote(command_id="w", conversation_id="c1", episode=1, wrote_at_ms=at_ms)
    return offered(engine.apply(said, at_ms))


def test_a_silent_customer_frees_the_agent_and_an_answer_brings_the_conversation_back_to_him() -> None:
    engine = parked_pool()
    assert (engine.pool.items["c1"].state, engine.pool.bench.seats["ada"].live_used) == ("parked", 0)
    assert wrote(engine, T0 + 3 * MINUTE) == [("c1", "ada")]
    item = engine.pool.items["c1"]
    assert (item.state, item.agent_id, item.eligible_at_ms) == ("assigned", "ada", T0 + 3 * MINUTE)


def test_a_parked_conversation_whose_agent_is_full_waits_for_him_with_a_boost_and_then_for_anybody() -> None:
    engine = parked_pool(continuity_boost_ms=2 * HOUR)
    for number in range(2):
        serve(engine, f"d{number}", T0 + MINUTE, done=False)
    assert wrote(engine, T0 + 3 * MINUTE) == []
    item = engine.pool.items["c1"]
    assert (item.held_for, item.boost_ms) == ("ada", 2 * HOUR)


def test_a_reopened_conversation_is_not_held_for_an_agent_to_be_avoided() -> None:
    engine = engine_with(agent("ada"), agent("bo"))
    be(engine, "bo", "away", T0)
    for conversation_id in ("c1", "c2"):
        serve(engine, conversation_id, T0, done=True)
    for number in range(2):
        serve(engine, f"d{number}", T0, done=False)
    engine.apply(arrival("c1", episode=2), T0)
    engine.apply(replace(arrival("c2", episode=2), avoid_agents=("ada",)), T0)
    assert (engine.pool.items["c1"].held_for, engine.pool.items["c2"].held_for) == ("ada", "")


def test_a_new_matter_goes_to_the_agent_whom_its_customer_knows_when_he_has_room_and_waits_for_nobody() -> (
    None
):
    engine = engine_with(agent("ada"), agent("bo"))
    for conversation_id, who in (("c1", "bo"), ("c2", "bo"), ("c3", "ada")):
        known = replace(arrival(conversation_id), preferred_agent="bo")
        assert offered(engine.apply(known, T0)) == [(conversation_id, who)]
        assert accept(engine, conversation_id, T0).ok


def test_an_agent_to_be_avoided_is_not_asked_first_though_the_customer_knows_him() -> None:
    engine = engine_with(agent("ada"), agent("bo"))
    step = engine.apply(replace(arrival("c1"), preferred_agent="bo", avoid_agents=("bo",)), T0)
    assert offered(step) == [("c1", "ada")]


def test_an_empty_story_is_a_story() -> None:
    play([])
