"""A person corrects a topic: the same and similar messages get it at once, in every process, after a restart too."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from libs.contracts import ConversationCorrected
from libs.storage import fetch_all
from services.triage.adapters.knowledge import Sources
from services.triage.adapters.learning.bases import corrected_examples
from services.triage.adapters.lessons import Reader
from services.triage.adapters.worker_pool import WorkerPool
from services.triage.domain.classification import Query
from services.triage.domain.signals import Signals
from services.triage.learning import teach
from services.triage.service import definition
from tests.service.triage.test_triage import _decisions, _message
from tests.support.harness import ServiceUnderTest, running

_TEXT = "do you sell gift wrapping for the blue bicycle"


@pytest.fixture
async def service() -> AsyncIterator[ServiceUnderTest]:
    async with running(definition) as started:
        yield started


def _correction(topic: str, version: int, conversation: str = "c1") -> ConversationCorrected:
    return ConversationCorrected(
        conversation_id=conversation,
        field="topic",
        value=topic,
        human_version=version,
        before="product",
        message_id=f"{conversation}-m1",
        text=_TEXT,
        language="en",
        customer_id="anna",
        corrected_by="bea",
    )


async def _topic(service: ServiceUnderTest, text: str, wanted: str) -> tuple[str, list[str]]:
    """What triage says of a text once it says what is wanted; after ten seconds whatever it says."""
    async with service.client("agent") as client:
        for _ in range(50):
            body = (await client.post("/v1/classify", json={"text": text})).json()
            if body["topic"]["value"] == wanted:
                break
            await asyncio.sleep(0.2)
    return body["topic"]["value"], [r["detail"] for r in body["reasons"] if r["source"] == "correction"]


async def test_a_correction_counts_for_what_comes_later_and_never_against_a_person(
    service: ServiceUnderTest,
) -> None:
    event = _correction("complaint", 1)
    await service.publish(event, event)
    await service.settle()
    said, told = await _topic(service, "Do you sell gift-wrapping for the blue bicycle??", "complaint")
    assert (said, told) == ("complaint", ["a person corrected the same words in c1"])
    said, told = await _topic(service, "does the shop offer gift wrapping for a blue bike?", "complaint")
    assert (said, told) == ("complaint", ["a person corrected a similar message in c1"])
    own = ConversationCorrected(conversation_id="c9", field="topic", value="refund", human_version=1)
    await service.publish(own)
    await service.settle()
    await service.publish(_message(_TEXT, 1, "c2"), _message(_TEXT, 1, "c9"))
    other, persons = await _decisions(service)
    assert (other.topic.value, other.queue_hint) == ("complaint", "general")
    assert ("topic", "correction") in {(r.signal, r.source) for r in other.reasons}
    assert persons.topic.value == "refund"

    again = WorkerPool(replace(Sources.default(), encoder=False), 2)
    await again.start()
    await teach(Reader(service.database), again)
    found = await again.classify([Query(_TEXT)] * 130)
    await again.close()
    assert {one.topic.value for one in found if isinstance(one, Signals)} == {"complaint"}

    await service.publish(_correction("shipping", 2))
    await service.settle()
    assert (await _topic(service, _TEXT, "shipping"))[0] == "shipping"
    (kept,) = await corrected_examples(service.database)
    assert (kept.text, kept.label, kept.origin) == (_TEXT, "shipping", "correction")
    async with service.database.read() as connection:
        rows = await fetch_all(
            connection, "SELECT topic, before, customer_id FROM triage.corrections ORDER BY number"
        )
    assert rows == [("complaint", "product", "anna"), ("shipping", "product", "anna")]


async def test_a_reader_passes_no_correction_by_whose_transaction_ended_late(
    service: ServiceUnderTest,
) -> None:
    insert = (
        "INSERT INTO triage.corrections (conversation_id, human_version, message_id, customer_id, text, language,"
        " topic, before, corrected_by, corrected_at_ms) VALUES ($1, 1, 'm', '', $1, 'en', 'order', '', '', 0)"
    )
    reader = Reader(service.database)
    async with service.database.begin() as late, service.database.begin() as early:
        await fetch_all(late.connection, insert, "first")
        await fetch_all(early.connection, insert, "second")
        await early.commit()
        seen = [one.text for one in await reader.fresh()]
        await late.commit()
    seen += [one.text for one in await reader.fresh()]
    assert sorted(set(seen)) == ["first", "second"]
