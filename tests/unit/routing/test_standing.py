"""Tier, debt and seniority of customers and people; the one who is kept free."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from services.routing.domain.commands import Close, KnowCustomer, PutAgent, TimePassed
from services.routing.domain.directory import Directory
from services.routing.domain.queue_policy import Care, Reserve, Ring
from services.routing.domain.standing import YEAR_MS, Experience, Mood, debt_at, judged, noted
from tests.unit.routing.pools import (
    DIRECTORY,
    HOUR,
    MINUTE,
    PROFILES,
    T0,
    accept,
    agent,
    arrival,
    be,
    engine_with,
    offered,
)

ADA, BO, CY, DI = PROFILES


def billing(**changes: object) -> Directory:
    return replace(DIRECTORY, queues=(replace(DIRECTORY.queues[0], **changes), *DIRECTORY.queues[1:]))  # type: ignore[arg-type]  # fields by name


def know(tier: str, debt: int, number: int = 1) -> KnowCustomer:
    return KnowCustomer(command_id=f"know-{number}", customer_id="ana", tier=tier, debt=debt)


def test_a_debt_is_what_bad_experiences_add_and_good_ones_and_time_take_away() -> None:
    bad, good = Experience(T0, "bad"), Experience(T0 + 1, "good")
    assert debt_at([], T0) == 0
    assert debt_at([bad], T0) == 12
    assert debt_at([bad, good], T0 + 1) == 11
    assert debt_at([bad, Experience(T0, "bad"), Experience(T0 + 5, "bad")], T0 + 5) == 24
    assert debt_at([bad], T0 + YEAR_MS // 2) == 6
    assert debt_at([bad], T0 + YEAR_MS) == 0
    assert debt_at([good, good], T0 + 2) == 0


def test_the_order_in_which_experiences_are_heard_of_does_not_matter() -> None:
    moods: tuple[Mood, ...] = ("bad", "good", "bad")
    entries = [(f"e{n}", Experience(T0 + n, mood)) for n, mood in enumerate(moods)]
    found = set()
    for order in permutations(entries):
        ledger: dict[str, Experience] = {}
        for name, one in order:
            ledger = noted(ledger, name, one)
        found.add(debt_at(ledger.values(), T0 + 10))
    assert len(found) == 1


def test_a_later_answer_takes_the_place_of_the_first() -> None:
    ledger = noted({}, "answer:c1:1", Experience(T0, "bad"))
    assert debt_at(noted(ledger, "answer:c1:1", Experience(T0 + 1, "good")).values(), T0 + 1) == 0


def test_answers_are_judged_by_their_scale() -> None:
    assert [judged(n, 5) for n in (2, 3, 4)] == ["bad", "neither", "good"]
    assert [judged(n, 10) for n in (6, 7, 9)] == ["bad", "neither", "good"]
    assert [judged(n, 7) for n in (3, 4, 6)] == ["bad", "neither", "good"]


def test_tier_and_debt_move_a_conversation_ahead_inside_the_limit_of_the_pool() -> None:
    directory = billing(tier_boosts=(("gold", 2 * HOUR),), debt_boost_ms=HOUR)
    engine = engine_with(directory=directory)
    for name, tier, debt in (("plain", "", 0), ("owed", "", 12), ("gold", "gold", 0), ("both", "gold", 24)):
        engine.apply(arrival(name, tier=tier, debt=debt), T0)
    boosts = {i: item.boost_ms for i, item in engine.pool.items.items()}
    assert boosts == {"plain": 0, "owed": HOUR // 2, "gold": 2 * HOUR, "both": 3 * HOUR}
    capped = engine_with(directory=replace(directory, boost_cap_ms=90 * MINUTE))
    capped.apply(arrival("both", tier="gold", debt=24), T0)
    assert capped.pool.items["both"].boost_ms == 90 * MINUTE


def test_what_is_heard_of_a_customer_moves_what_waits() -> None:
    engine = engine_with(directory=billing(tier_boosts=(("gold", HOUR),)))
    engine.apply(PutAgent(command_id="put", agent=ADA), T0)
    engine.apply(arrival("first"), T0)
    engine.apply(arrival("hers", customer_id="ana", started_at_ms=T0 + MINUTE), T0 + MINUTE)
    step = engine.apply(know("gold", 0), T0 + MINUTE)
    assert [d["kind"] for d in step.decisions] == ["customer", "wait"]
    assert step.decisions[0]["was_tier"] == ""
    assert not engine.apply(know("gold", 0, 2), T0 + MINUTE).decisions, "nothing new"
    assert offered(be(engine, "ada", "online", T0 + MINUTE))[0] == ("hers", "ada")


def test_a_tier_opens_rings_from_the_beginning() -> None:
    rings = (Ring(5 * MINUTE, teams=("desk",)),)
    engine = engine_with(ADA, CY, directory=billing(rings=rings, tiers=(("gold", Care(ring=1)),)))
    be(engine, "ada", "offline", T0)
    assert offered(engine.apply(arrival("plain"), T0)) == []
    assert offered(engine.apply(arrival("vip", tier="gold"), T0)) == [("vip", "cy")]


def test_a_debt_asks_for_somebody_senior_until_a_ring_drops_it() -> None:
    rings = (Ring(5 * MINUTE, drop_seniority=True),)
    queue = billing(rings=rings, in_debt=Care(seniority=1))
    new, old = agent("new"), replace(agent("old"), seniority=2)
    engine = engine_with(new, old, directory=queue)
    assert offered(engine.apply(arrival("plain"), T0)) == [("plain", "new")]
    assert offered(engine.apply(arrival("owed", debt=6), T0)) == [("owed", "old")]
    only_new = engine_with(new, replace(old, agent_id="away"), directory=queue)
    be(only_new, "away", "offline", T0)
    waits = only_new.apply(arrival("owed", debt=6), T0)
    assert offered(waits) == []
    assert waits.decisions[-1]["agents"] == {"offline": 1, "seniority": 1}
    later = only_new.apply(TimePassed(command_id="later"), T0 + 5 * MINUTE)
    assert offered(later) == [("owed", "new")]


def reserving(after_ms: int = MINUTE) -> Directory:
    """Of those who can serve the desk one is kept free for it."""
    return replace(DIRECTORY, reserve=Reserve(("desk",), after_ms))


def test_the_last_who_could_serve_the_reserve_is_left_to_it() -> None:
    second = replace(BO, agent_id="ben")
    engine = engine_with(BO, second, directory=reserving())
    first = engine.apply(arrival("b1", channel="voice"), T0)
    assert [i for i, _ in offered(first)] == ["b1"]
    kept = engine.apply(arrival("b2", channel="voice"), T0)
    assert offered(kept) == []
    assert kept.decisions[-1]["agents"]["reserved"] == 1
    desk = engine.apply(arrival("d1", channel="voice", topic="technical"), T0)
    assert [i for i, _ in offered(desk)] == ["d1"]


def test_who_waits_long_enough_gets_him_all_the_same() -> None:
    engine = engine_with(BO, directory=reserving())
    assert offered(engine.apply(arrival("b1"), T0)) == []
    assert engine.next_due_ms() == T0 + MINUTE
    assert offered(engine.apply(TimePassed(command_id="t"), T0 + MINUTE)) == [("b1", "bo")]


def test_when_another_one_is_free_the_first_is_kept_no_longer() -> None:
    """Bo is kept for the desk; when Cy, who cannot serve billing, comes free, Bo takes what waits."""
    engine = engine_with(BO, CY, directory=reserving())
    [(_, who)] = offered(engine.apply(arrival("d1", channel="voice", topic="technical", language="ro"), T0))
    assert who == "cy"
    assert offered(engine.apply(arrival("b1", channel="voice"), T0)) == []
    assert accept(engine, "d1").ok
    freed = engine.apply(Close(command_id="x", conversation_id="d1", episode=1, closed_at_ms=T0), T0)
    assert offered(freed) == [("b1", "bo")]


def test_a_reserve_that_makes_no_sense_is_refused() -> None:
    everything = tuple(q.queue_id for q in DIRECTORY.queues)
    for reserve, why in (
        (Reserve(("nowhere",), MINUTE), "reserve names the unknown queue 'nowhere'"),
        (Reserve(everything, MINUTE), "reserve names every queue"),
        (Reserve(("desk",), 0), "after how long that ends"),
        (Reserve((), MINUTE), "after how long that ends"),
    ):
        [problem] = replace(DIRECTORY, reserve=reserve).problems()
        assert why in problem
    asked = billing(tiers=(("gold", Care(ring=7, seniority=99)),))
    assert [p.partition(": ")[2] for p in asked.problems()] == [
        "'gold' begins in ring 7; it has 1",
        "'gold' asks for seniority 99; there are 0 to 9",
    ]
