"""Offers, capacity and order, told as short scenes."""

from __future__ import annotations

from dataclasses import replace

from services.routing.domain.commands import (
    AcceptOffer,
    Close,
    DeclineOffer,
    Reclassify,
    TimePassed,
)
from services.routing.domain.directory import AgentProfile, Filter
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
    kinds,
    offer_of,
    offered,
)


def test_an_arrival_is_offered_to_an_agent_with_room_and_explained() -> None:
    engine = engine_with(agent("ada"))
    step = engine.apply(arrival("c1"), T0)
    assert offered(step) == [("c1", "ada")]
    assert kinds(step) == ["SlaStarted", "SlaStarted", "TeamAssigned", "AgentOffered"]
    [chosen] = step.decisions
    assert (chosen["kind"], chosen["queue_id"], chosen["filter"]) == ("offer", "billing", 0)
    assert chosen["chosen"]["agent_id"] == "ada"
    assert chosen["policy_version"] == 1


def test_a_wait_is_explained_by_counts_of_reasons() -> None:
    engine = engine_with(agent("ada"), agent("bo", languages=("it",)), agent("cy", team="desk"))
    be(engine, "ada", "away", T0)
    decision = engine.apply(arrival("c1"), T0).decisions[-1]
    assert decision["kind"] == "wait"
    assert decision["agents"] == {"away": 1, "language": 1, "team": 1}


def test_accept_answers_the_assignment() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    result = accept(engine, "c1")
    assert result.ok
    assert (result.body["state"], result.body["agent_id"], result.body["epoch"]) == ("assigned", "ada", 1)


def test_a_late_accept_is_told_what_happened() -> None:
    engine = engine_with(agent("ada"), agent("bo"))
    engine.apply(arrival("c1"), T0)
    offer = engine.pool.offers[offer_of(engine, "c1")]
    late = AcceptOffer(command_id="late", offer_id=offer.offer_id, agent_id=offer.agent_id)
    step = engine.apply(late, T0 + 30 * SECOND)
    assert step.result is not None
    assert (step.result.ok, step.result.slug) == (False, "offer-gone")
    assert step.result.body["state"] == "expired"
    assert step.result.body["conversation_state"] == "offered"


def test_the_second_accept_of_one_offer_is_refused() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    offer_id = offer_of(engine, "c1")
    assert accept(engine, "c1").ok
    again = engine.apply(AcceptOffer(command_id="second", offer_id=offer_id, agent_id="ada"), T0).result
    assert again is not None
    assert again.slug == "offer-gone"
    assert again.body["state"] == "accepted"


def test_nobody_accepts_an_offer_made_to_somebody_else() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    assert accept(engine, "c1", by="bo").slug == "not-yours"


def test_a_declined_item_goes_to_the_next_agent_with_its_age() -> None:
    engine = engine_with(agent("ada"), agent("bo"))
    engine.apply(arrival("c1", started_at_ms=T0 - MINUTE), T0)
    before = engine.pool.items["c1"]
    first = engine.pool.offers[before.offer_id]
    step = engine.apply(
        DeclineOffer(command_id="no", offer_id=first.offer_id, agent_id=first.agent_id), T0 + SECOND
    )
    [(_, second)] = offered(step)
    assert second != first.agent_id
    after = engine.pool.items["c1"]
    assert (after.eligible_at_ms, after.key_ms) == (before.eligible_at_ms, before.key_ms)


def test_a_lone_agent_who_declined_is_asked_again_after_the_exclusion() -> None:
    engine = engine_with(agent("ada"))
    engine.apply(arrival("c1"), T0)
    offer_id = offer_of(engine, "c1")
    step = engine.apply(DeclineOffer(command_id="no", offer_id=offer_id, agent_id="ada"), T0)
    assert offered(step) == []
    step = engine.apply(TimePassed(command_id="t"), T0 + 20 * SECOND)
    assert offered(step) == [("c1", "ada")]
    assert step.decisions[0]["kind"] == "exclusions-lifted"


def test_three_missed_offers_in_a_row_make_the_agent_away_with_notice() -> None:
    engine = engine_with(agent("ada"))
    for number in range(3):
        engine.apply(arrival(f"c{number}", channel="mail"), T0)
    step = engine.apply(TimePassed(command_id="t"), T0 + 30 * SECOND)
    assert engine.pool.bench.seats["ada"].presence == "away"
    notice = [f for f in step.feed if f.kind == "presence"]
    assert [f.payload["reason"] for f in notice] == ["missed-offers"]
    assert offered(step) == []


def test_the_feed_of_an_agent_is_numbered_without_gaps() -> None:
    engine = engine_with(agent("ada"))
    numbers = [f.seq for f in engine.apply(arrival("c1"), T0).feed]
    offer_id = offer_of(engine, "c1")
    numbers += [
        f.seq for f in engine.apply(AcceptOffer(command_id="a", offer_id=offer_id, agent_id="ada"), T0).feed
    ]
    done = Close(command_id="x", conversation_id="c1", episode=1, closed_at_ms=T0)
    numbers += [f.seq for f in engine.apply(done, T0).feed]
    assert numbers == [2, 3, 4]


def test_capacity_is_held_from_the_offer_on() -> None:
    engine = engine_with(agent("ada"))
    made = [offered(engine.apply(arrival(f"c{n}"), T0)) for n in range(3)]
    assert made == [[("c0", "ada")], [("c1", "ada")], []]


def test_live_and_interruptible_work_draw_on_separate_budgets() -> None:
    engine = engine_with(agent("ada"))
    for n in range(2):
        engine.apply(arrival(f"chat{n}"), T0)
    assert offered(engine.apply(arrival("mail", channel="mail"), T0)) == [("mail", "ada")]


def test_an_agent_who_gets_room_takes_the_oldest_first() -> None:
    engine = engine_with(agent("ada"))
    be(engine, "ada", "no_new", T0)
    for name, age in (("young", 1), ("old", 9), ("middle", 5)):
        engine.apply(arrival(name, started_at_ms=T0 - age * MINUTE), T0)
    step = be(engine, "ada", "online", T0 + SECOND)
    assert offered(step) == [("old", "ada"), ("middle", "ada")]


def test_urgency_moves_an_item_ahead_by_its_boost_and_no_more() -> None:
    engine = engine_with(agent("ada"))
    be(engine, "ada", "no_new", T0)
    engine.apply(arrival("two-hours-old", started_at_ms=T0 - 2 * HOUR), T0)
    engine.apply(arrival("half-an-hour-old", started_at_ms=T0 - HOUR // 2), T0)
    engine.apply(arrival("urgent", urgency="high"), T0)
    step = be(engine, "ada", "online", T0 + 1)
    assert [c for c, _ in offered(step)] == ["two-hours-old", "urgent"]


def test_a_rise_of_urgency_rekeys_and_a_fall_does_not() -> None:
    engine = engine_with()
    engine.apply(arrival("c1"), T0)
    key = engine.pool.items["c1"].key_ms

    def say(number: int, urgency: str) -> int:
        command = Reclassify(
            command_id=f"r{number}",
            conversation_id="c1",
            episode=1,
            topic="invoice",
            language="en",
            urgency=urgency,  # type: ignore[arg-type]  # one of the three
        )
        engine.apply(command, T0)
        return engine.pool.items["c1"].key_ms

    assert say(1, "low") == key
    assert say(2, "high") == key - HOUR
    assert say(3, "normal") == key - HOUR


def test_a_later_topic_reroutes_only_while_no_human_has_acted() -> None:
    engine = engine_with()
    news = {"episode": 1, "topic": "invoice", "language": "en", "urgency": "normal"}
    engine.apply(arrival("c1", topic="unknown"), T0)
    engine.apply(replace(arrival("c2", topic="unknown"), human_version=2), T0)
    for conversation_id in ("c1", "c2"):
        step = engine.apply(
            Reclassify(
                command_id=f"r-{conversation_id}",
                conversation_id=conversation_id,
                based_on_human_version=1,
                **news,  # type: ignore[arg-type]  # the fields above
            ),
            T0,
        )
        assert step.decisions
    assert engine.pool.items["c1"].queue_id == "billing"
    assert engine.pool.items["c2"].queue_id == "desk"
    assert step.decisions[0]["kind"] == "dropped"


def test_a_hint_moves_an_item_with_the_topic_or_when_a_rule_insists_and_no_human_has_acted() -> None:
    hinted = replace(DIRECTORY, filters=(Filter("vip-desk", queue_hints=("vip",)), *DIRECTORY.filters))
    engine = engine_with(directory=hinted)
    engine.apply(arrival("new", topic="unknown"), T0)
    engine.apply(arrival("known", topic="invoice"), T0)
    engine.apply(arrival("insisted", topic="invoice"), T0)
    engine.apply(replace(arrival("touched", topic="invoice"), human_version=2), T0)
    for number, name in enumerate(("new", "known", "insisted", "touched")):
        command = Reclassify(
            command_id=f"r{number}",
            conversation_id=name,
            episode=1,
            topic="technical",
            language="en",
            urgency="normal",
            based_on_human_version=1,
            queue_hint="vip",
            insist=name in ("insisted", "touched"),
        )
        engine.apply(command, T0)
    found = {name: item.queue_id for name, item in engine.pool.items.items()}
    assert found == {"new": "vip-desk", "known": "billing", "insisted": "vip-desk", "touched": "billing"}


def test_the_specialist_is_chosen_before_the_generalist() -> None:
    both = AgentProfile("all", "All", ("billing", "desk"), ("en", "it"))
    engine = engine_with(both, agent("one"))
    step = engine.apply(arrival("c1"), T0)
    assert offered(step) == [("c1", "one")]
    assert step.decisions[-1]["runners_up"][0]["lost_by"] == "flexibility"


def test_a_language_that_nobody_of_the_team_speaks_is_only_preferred() -> None:
    engine = engine_with(agent("ada"))
    step = engine.apply(arrival("c1", language="ro"), T0)
    assert offered(step) == [("c1", "ada")]
    assert "RingOpened" in kinds(step)
    assert step.decisions[-1]["language_rule"] == "preferred"


def test_a_spoken_language_stays_required_until_its_ring_opens() -> None:
    engine = engine_with(agent("en-only", team="desk"), agent("ro", team="desk", languages=("ro",)))
    be(engine, "ro", "offline", T0)
    assert offered(engine.apply(arrival("c1", language="ro", topic="other"), T0)) == []
    assert offered(engine.apply(TimePassed(command_id="a"), T0 + 5 * MINUTE - 1)) == []
    assert offered(engine.apply(TimePassed(command_id="b"), T0 + 5 * MINUTE)) == [("c1", "en-only")]


def test_a_required_skill_is_never_relaxed() -> None:
    engine = engine_with(AgentProfile("low", "Low", ("desk",), ("en",), (("certified", 1),)))
    step = engine.apply(arrival("c1", topic="technical", urgency="high"), T0)
    assert engine.pool.items["c1"].queue_id == "vip-desk"
    assert offered(step) == []
    assert offered(engine.apply(TimePassed(command_id="t"), T0 + 9 * HOUR)) == []
