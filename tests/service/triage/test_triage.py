"""The real service on a real database: messages in, decisions out, people never overruled."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from libs.contracts import (
    Channel,
    ConversationCorrected,
    ConversationResolved,
    ConversationTriaged,
    Kind,
    MessageReceived,
    Purpose,
    ReplySent,
    Status,
    StatusChanged,
    TransferRequested,
)
from libs.storage import fetch_all
from services.triage.service import definition
from services.triage.settings import TriageSettings
from tests.support.harness import START_MS, ServiceUnderTest, running


@pytest.fixture
async def service() -> AsyncIterator[ServiceUnderTest]:
    # Words decide: what the encoder adds has tests of its own, and each service would load it anew.
    async with running(definition, TriageSettings(encoder=False)) as started:
        yield started


def _message(text: str, seq: int = 1, conversation: str = "c1", **fields: Any) -> MessageReceived:
    return MessageReceived(
        message_id=f"{conversation}-m{seq}",
        conversation_id=conversation,
        customer_id="anna",
        message_seq=seq,
        channel=fields.pop("channel", Channel.CHANNEL_CHAT),
        text=text,
        received_at_ms=START_MS - 1_000,
        purpose=fields.pop("purpose", Purpose.PURPOSE_CONVERSATION),
        **fields,
    )


async def _decisions(service: ServiceUnderTest) -> list[ConversationTriaged]:
    await service.settle()
    return sorted(
        await service.events("ConversationTriaged"), key=lambda e: (e.conversation_id, e.message_seq)
    )


async def test_a_message_is_understood_with_reasons_and_versions(service: ServiceUnderTest) -> None:
    await service.publish(_message("where is my parcel? the courier should have delivered it on monday"))
    (decision,) = await _decisions(service)
    assert (decision.message_id, decision.customer_id, decision.channel) == ("c1-m1", "anna", "chat")
    assert decision.kind == Kind.KIND_REQUEST
    assert decision.language.value == "en"
    assert decision.topic.value == "delivery"
    assert decision.topic.confidence >= 0.4
    assert decision.queue_hint == "orders"
    assert len(decision.model_version) == 12
    assert len(decision.policy_version) == 12
    assert decision.triaged_at_ms >= START_MS
    spoken = {(reason.signal, reason.source) for reason in decision.reasons}
    assert {("topic", "lexicon"), ("topic", "runner_up"), ("queue_hint", "rule")} <= spoken


async def test_every_message_gets_exactly_one_decision(service: ServiceUnderTest) -> None:
    messages = [_message(f"order {n}?", n, f"c{n % 7}") for n in range(1, 151)]
    await service.publish(*messages)
    await service.publish(*messages[:40])
    decisions = await _decisions(service)
    assert len(decisions) == 150
    assert {d.message_id for d in decisions} == {m.message_id for m in messages}


async def test_noise_has_no_topic_and_says_so(service: ServiceUnderTest) -> None:
    await service.publish(_message("xqz wvut bnmq zzkp"))
    (decision,) = await _decisions(service)
    assert decision.topic.value == "unknown"
    assert decision.topic.confidence < 0.4
    assert ("topic", "threshold") in {(reason.signal, reason.source) for reason in decision.reasons}


async def test_the_language_of_earlier_messages_helps_a_short_one(service: ServiceUnderTest) -> None:
    await service.publish(_message("Buongiorno, vorrei sapere quando arriva il mio pacco, grazie"))
    await service.settle()
    await service.publish(_message("no ok", 2), _message("no ok", 1, "c2"))
    decisions = await _decisions(service)
    assert [d.language.value for d in decisions[:2]] == ["it", "it"]
    assert decisions[1].language.confidence > decisions[2].language.confidence or (
        decisions[2].language.value != "it"
    )


async def test_in_one_batch_too_the_earlier_message_helps(service: ServiceUnderTest) -> None:
    await service.publish(
        _message("Buongiorno, vorrei sapere quando arriva il mio pacco, grazie"), _message("no ok", 2)
    )
    decisions = await _decisions(service)
    assert [d.language.value for d in decisions] == ["it", "it"]
    assert ("language", "prior") in {(r.signal, r.source) for r in decisions[1].reasons}


async def test_headers_and_purpose_say_more_than_the_text(service: ServiceUnderTest) -> None:
    text = "where is my parcel, the courier did not come"
    await service.publish(
        _message(text, automatic=True, channel=Channel.CHANNEL_MAIL),
        _message(text, 2, purpose=Purpose.PURPOSE_SURVEY_ANSWER),
    )
    automatic, answer = await _decisions(service)
    assert automatic.kind == Kind.KIND_AUTOMATIC
    assert answer.kind == Kind.KIND_SURVEY_ANSWER
    assert ("kind", "header") in {(r.signal, r.source) for r in automatic.reasons}


async def test_a_topic_set_by_a_person_stays_until_the_episode_ends(service: ServiceUnderTest) -> None:
    text = "where is my parcel? the courier should have delivered it on monday"
    await service.publish(
        ConversationCorrected(conversation_id="c1", field="topic", value="refund", human_version=3),
        ConversationCorrected(conversation_id="c1", field="tags", value="vip", human_version=4),
    )
    await service.settle()
    await service.publish(_message(text + " NOW!!! this is urgent, you idiots"))
    (first,) = await _decisions(service)
    assert (first.topic.value, first.human_version, list(first.tags)) == ("refund", 4, [])
    assert first.queue_hint == "billing"
    assert ("topic", "prior") in {(r.signal, r.source) for r in first.reasons}
    await service.publish(ConversationResolved(conversation_id="c1", episode=1, human_version=5))
    await service.settle()
    await service.publish(_message(text, 2))
    second = (await _decisions(service))[1]
    assert (second.topic.value, second.human_version) == ("delivery", 5)


async def test_a_decision_names_what_people_had_done(service: ServiceUnderTest) -> None:
    await service.publish(
        ReplySent(conversation_id="c1", reply_id="r1", human=True, human_version=2),
        StatusChanged(conversation_id="c1", status=Status.STATUS_ON_HOLD, human_version=6),
        TransferRequested(conversation_id="c1", team_id="billing", human_version=4),
    )
    await service.settle()
    await service.publish(_message("hello?"))
    (decision,) = await _decisions(service)
    assert decision.human_version == 6


async def test_corrections_that_come_late_and_twice_change_nothing_back(service: ServiceUnderTest) -> None:
    old = ConversationCorrected(conversation_id="c1", field="topic", value="refund", human_version=1)
    new = ConversationCorrected(conversation_id="c1", field="topic", value="invoice", human_version=2)
    await service.publish(new, old, old)
    await service.settle()
    await service.publish(_message("hello"))
    (decision,) = await _decisions(service)
    assert decision.topic.value == "invoice"


async def test_no_text_stops_the_service(service: ServiceUnderTest) -> None:
    texts = [
        "",
        "\x00",
        "\u202e\u200f",
        "🙂🙂",
        "1234 ??",
        "x" * 65_536,
        "ﷺ" * 21_000,
        "\U0010ffff",
        "नमस्ते",
        "' OR 1=1 --",
    ]
    await service.publish(*(_message(text, n) for n, text in enumerate(texts, 1)))
    assert len(await _decisions(service)) == len(texts)
    async with service.database.read() as connection:
        dead = await fetch_all(connection, "SELECT count(*) FROM triage.dead_letters")
    assert dead[0][0] == 0


async def test_the_text_is_not_kept(service: ServiceUnderTest) -> None:
    await service.publish(_message("please refund me. my secret is hunter2horse staple"))
    await service.settle()
    async with service.database.read() as connection:
        rows = await fetch_all(connection, "SELECT t::text FROM triage.decisions t")
    assert "my secret is" not in rows[0][0]
