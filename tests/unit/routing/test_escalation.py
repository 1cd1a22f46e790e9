"""One way to escalate, whoever asks; and a bot that is in nobody's way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.routing.domain.commands import (
    AcceptOffer,
    HandOff,
    Reclassify,
    RecordReply,
    TimePassed,
    Transfer,
)
from services.routing.domain.directory import Directory
from services.routing.domain.engine import Engine
from services.routing.domain.events import Escalated, TeamAssigned
from services.routing.domain.orders import CloseQueue, Escalate, Move
from services.routing.domain.queue_policy import BotRules
from services.routing.domain.relief import Relief
from services.routing.domain.sla_policy import LadderStep, SlaPolicy
from services.routing.domain.state import Step
from services.routing.domain.territories import Territory, pool_of
from tests.unit.routing.pools import (
    DIRECTORY,
    HOUR,
    MINUTE,
    PROFILES,
    SECOND,
    T0,
    arrival,
    engine_with,
    offer_of,
    offered,
)

ADA = PROFILES[0]


def billing(**changes: object) -> Directory:
    queue = replace(
        DIRECTORY.queues[0],
        relief=Relief(escalates_to="desk", escalation_boost_ms=10 * MINUTE),
        sla=SlaPolicy(
            HOUR,
            8 * HOUR,
            ladder=(
                LadderStep("boost", percent=50, boost_ms=MINUTE, metrics=("first_response",)),
                LadderStep("escalate", percent=100, metrics=("first_response",)),
            ),
        ),
    )
    queue = replace(queue, **changes)  # type: ignore[arg-type]  # fields by name
    return replace(DIRECTORY, hop_limit=0, queues=(queue, *DIRECTORY.queues[1:]))


def told(step: Step) -> list[tuple[str, str, str, str]]:
    """(cause, by, reason, queue) of the escalations of a step, each with its record."""
    found = [e for e in step.events if isinstance(e, Escalated)]
    records = {d["decision_id"]: d for d in step.decisions}
    for event in found:
        record = records[event.decision_id]
        assert (record["by"], record["reason"]) == (event.by, event.reason)
    return [(e.cause, e.by, e.reason, e.queue_id) for e in found]


def test_people_rules_clocks_and_hops_escalate_the_same_way() -> None:
    engine = engine_with(directory=billing())
    for name in ("asked", "ruled", "handed", "late"):
        engine.apply(arrival(name), T0)
    person = Escalate(command_id="1", conversation_id="asked", by="boss", reason="a minister")
    rule = Reclassify(
        command_id="2",
        conversation_id="ruled",
        episode=1,
        topic="invoice",
        language="en",
        urgency="normal",
        escalate="legal",
        escalated_by="names a lawyer",
    )
    hops = Transfer(command_id="3", conversation_id="handed", agent_id="", to_queue="vip-desk", by="ada")
    assert told(engine.apply(person, T0)) == [("person", "boss", "a minister", "desk")]
    assert told(engine.apply(rule, T0)) == [("rule", "names a lawyer", "legal", "desk")]
    assert told(engine.apply(replace(rule, command_id="2b"), T0)) == [], "once for each reason"
    assert told(engine.apply(hops, T0)) == [("hops", "ada", "", "desk")]
    half = engine.apply(TimePassed(command_id="4"), T0 + 30 * MINUTE)
    assert told(half) == [("ladder", "first_response", "50% boost first_response", "billing")]
    whole = engine.apply(TimePassed(command_id="5"), T0 + HOUR + 1)
    step = "100% escalate first_response"
    assert told(whole) == [("ladder", "first_response", step, "desk")]
    boosts = {i: item.escalated_ms for i, item in engine.pool.items.items()}
    assert boosts == {"asked": 10 * MINUTE, "ruled": 10 * MINUTE, "handed": 10 * MINUTE, "late": 10 * MINUTE}


def test_a_rule_moves_nothing_that_a_person_has_acted_on() -> None:
    engine = engine_with(ADA, directory=billing())
    engine.apply(arrival("c1"), T0)
    take = AcceptOffer(command_id="a", offer_id=offer_of(engine, "c1"), agent_id="ada")
    engine.apply(take, T0)
    rule = Reclassify(
        command_id="r",
        conversation_id="c1",
        episode=1,
        topic="invoice",
        language="en",
        urgency="normal",
        escalate="legal",
        escalated_by="rule",
    )
    assert told(engine.apply(rule, T0)) == [("rule", "rule", "legal", "billing")]
    item = engine.pool.items["c1"]
    assert (item.agent_id, item.escalated_ms) == ("ada", 10 * MINUTE)


def with_bot(**changes: object) -> Engine:
    engine = engine_with(ADA, directory=billing(bot=BotRules(30 * SECOND, 5 * MINUTE), **changes))
    step = engine.apply(arrival("c1", handling="bot"), T0)
    assert offered(step) == []
    assert handling(step) == ["bot"]
    return engine


def handling(step: Step) -> list[str]:
    return [e.handling for e in step.events if isinstance(e, TeamAssigned)]


@pytest.mark.parametrize(
    "command",
    [
        HandOff(command_id="x", conversation_id="c1", episode=1, cause="bot-handed-over"),
        Move(command_id="x", conversation_id="c1", to_agent="ada", by="boss"),
        Move(command_id="x", conversation_id="c1", to_queue="billing", by="boss"),
        RecordReply(command_id="x", conversation_id="c1", episode=1, replied_at_ms=T0 + SECOND),
    ],
    ids=["handed-over", "moved-to-a-person", "moved-to-a-queue", "answered-by-a-person"],
)
def test_people_get_it_from_the_bot_with_its_age(command: HandOff | Move | RecordReply) -> None:
    engine = with_bot()
    step = engine.apply(command, T0 + 10 * SECOND)
    assert handling(step) == ["human"]
    assert offered(step) == [("c1", "ada")]
    item = engine.pool.items["c1"]
    assert (item.eligible_at_ms, item.bot_until_ms) == (T0, 0)


def test_a_bot_that_answers_has_more_time_and_the_next_message_gives_it_less() -> None:
    engine = with_bot()
    answer = RecordReply(
        command_id="b", conversation_id="c1", episode=1, replied_at_ms=T0, human=False, bot=True
    )
    engine.apply(answer, T0 + 20 * SECOND)
    assert engine.pool.items["c1"].bot_until_ms == T0 + 20 * SECOND + 5 * MINUTE
    automatic = replace(answer, command_id="auto", bot=False)
    engine.apply(automatic, T0 + MINUTE)
    assert engine.pool.items["c1"].bot_until_ms == T0 + 20 * SECOND + 5 * MINUTE, "not the bot's"
    late = engine.apply(TimePassed(command_id="t"), T0 + 20 * SECOND + 5 * MINUTE)
    assert (handling(late), offered(late)) == (["human"], [("c1", "ada")])
    stale = engine.apply(replace(answer, command_id="late"), T0 + HOUR // 2)
    assert handling(stale) == [], "what a bot still sends changes nothing"


def test_what_comes_from_a_bot_goes_past_a_queue_that_has_closed() -> None:
    engine = with_bot()
    engine.apply(CloseQueue(command_id="c", queue_id="billing", on=True, by="boss"), T0)
    engine.apply(HandOff(command_id="h", conversation_id="c1", episode=1, cause="bot-handed-over"), T0)
    assert engine.pool.items["c1"].queue_id == "desk"


def test_a_conversation_goes_to_the_first_pool_that_takes_it() -> None:
    pools = (
        Territory("italy", languages=("it",), channels=("chat",)),
        Territory("money", topics=("invoice",)),
        Territory("nothing"),
    )
    assert pool_of(pools, "rest", "invoice.copy", "it", "chat", "") == "italy"
    assert pool_of(pools, "rest", "invoice.copy", "it", "mail", "") == "money"
    assert pool_of(pools, "rest", "technical", "en", "chat", "") == "rest"
