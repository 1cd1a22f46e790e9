"""A person sees by which channels they can go on before they write, and what would not be taken is refused, not lost."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI, Response

from libs.contracts import Cause, Channel, ConsentChanged, ConsentState, CustomerIdentified
from services.agent.service import definition
from tests.service.agent.desk import Desk, fresh, received, slug, triaged
from tests.support.harness import running

TEMPLATE = {
    "name": "order_left",
    "language": "en",
    "text": "Hello {{1}}, order {{2}} has left.",
    "places": ["1", "2"],
}


def way(channel: str, **fields: Any) -> dict[str, Any]:
    made = {"channel": channel, "account": "default", "endpoint": "+39333", "open": True, "ends_at": None}
    return {**made, "reason": None, "consent": "wrote", "templates": [], **fields}


CLOSED = way("whatsapp", open=False, reason="the 24 hours are over: send a template", templates=[TEMPLATE])
BARRED = way("sms", open=False, reason="the customer has asked for no more messages", consent="withdrawn")


class Ingest:
    """What ingest would say."""

    def __init__(self) -> None:
        self.ways: list[dict[str, Any]] = []
        self.status = 200
        self.asked = 0
        self.app = FastAPI()

        @self.app.get("/v1/conversations/{conversation_id}/ways")
        async def get_ways(conversation_id: str, response: Response) -> dict[str, Any]:
            self.asked += 1
            response.status_code = self.status
            return {"ways": self.ways}


@pytest.fixture
def ingest(both: tuple[Desk, Ingest]) -> Ingest:
    fresh_one = both[1]
    fresh_one.ways, fresh_one.status, fresh_one.asked = [CLOSED, way("telegram"), BARRED], 200, 0
    return fresh_one


@pytest.fixture
def desk(both: tuple[Desk, Ingest]) -> Desk:
    return both[0]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def both() -> AsyncIterator[tuple[Desk, Ingest]]:
    ingest = Ingest()
    async with running(definition, peers={"ingest": ingest.app}) as service:
        desk = Desk(service)
        yield desk, ingest
        for client in desk.clients:
            await client.aclose()


async def whatsapp(desk: Desk, **fields: Any) -> str:
    conversation = fresh()
    await desk.tell(
        received(conversation, 1, channel=Channel.CHANNEL_WHATSAPP, **fields),
        triaged(conversation, 1, channel="whatsapp"),
    )
    return conversation


async def test_the_one_response_says_by_which_channels_it_can_go_on(desk: Desk, ingest: Ingest) -> None:
    c = await whatsapp(desk)
    shown = await desk.show(c)
    assert [(one["channel"], one["open"]) for one in shown["ways"]] == [
        ("whatsapp", False), ("telegram", True), ("sms", False),
    ]  # fmt: skip
    assert shown["ways"][0]["templates"] == [TEMPLATE]
    ingest.status = 503
    assert (await desk.show(c))["ways"] is None


@pytest.mark.parametrize(
    ("body", "refusal", "said"),
    [
        ({"text": "hello"}, "channel-closed", "24 hours"),
        ({"text": "hello", "channel": "sms"}, "channel-closed", "no more messages"),
        ({"text": "hello", "channel": "messenger"}, "channel-unknown", "whatsapp, telegram, sms"),
        ({"template": {"name": "other", "language": "en"}}, "bad-template", "order_left (en)"),
        (
            {"template": {"name": "order_left", "language": "en", "values": {"1": "Ada"}}},
            "bad-template",
            "'2'",
        ),
        (
            {"template": {"name": "x", "language": "en"}, "channel": "sms"},
            "channel-closed",
            "no more messages",
        ),
    ],
)
async def test_what_the_channel_would_not_take_is_refused_with_the_reason(
    desk: Desk, ingest: Ingest, body: dict[str, Any], refusal: str, said: str
) -> None:
    c = await whatsapp(desk)
    answer = await desk.act(c, "replies", {"after_seq": 1, **body})
    assert (answer.status_code, slug(answer)) == (422, refusal)
    assert said in answer.json()["detail"]
    assert await desk.events("ReplySent", c) == []
    assert (await desk.show(c))["human_version"] == 0


async def test_a_template_and_another_channel_go_out_as_chosen(desk: Desk, ingest: Ingest) -> None:
    c = await whatsapp(desk)
    used = {"name": "order_left", "language": "en", "values": {"2": "4711", "1": " Ada\n"}}
    key = {"Idempotency-Key": f"reply-{c}"}
    answer = await desk.act(c, "replies", {"after_seq": 1, "template": used}, version=0, **key)
    assert answer.status_code == 201, answer.text
    assert (
        await desk.act(c, "replies", {"after_seq": 1, "text": "by telegram", "channel": "telegram"})
    ).status_code == 201
    first, second = await desk.events("ReplySent", c)
    assert (first.channel, first.text) == ("whatsapp", "Hello Ada, order 4711 has left.")
    assert dict(first.template.values) == {"1": "Ada", "2": "4711"}
    assert (second.channel, second.HasField("template")) == ("telegram", False)
    items = (await desk.show(c))["messages"]["items"]
    assert [one["channel"] for one in items] == ["telegram", "whatsapp", "whatsapp"]
    # The same request again has its answer, although the template has gone since.
    ingest.ways = []
    again = await desk.act(c, "replies", {"after_seq": 1, "template": used}, version=0, **key)
    assert (again.status_code, again.content) == (201, answer.content)


async def test_a_reply_to_a_call_goes_by_sms_when_that_is_open(desk: Desk, ingest: Ingest) -> None:
    c = fresh()
    call = received(c, 1, channel=Channel.CHANNEL_VOICE)
    await desk.tell(call, triaged(c, 1, channel="voice"))
    closed = way("voice", open=False, reason="a call takes no text: call back, or write by SMS")
    ingest.ways = [closed, BARRED]
    answer = await desk.act(c, "replies", {"after_seq": 1, "text": "hello"})
    assert (answer.status_code, slug(answer)) == (422, "channel-closed")
    ingest.ways = [closed, way("sms", consent="called")]
    assert (await desk.act(c, "replies", {"after_seq": 1, "text": "hello"})).status_code == 201
    assert [one.channel for one in await desk.events("ReplySent", c)] == ["sms"]


async def test_while_ingest_is_away_a_plain_reply_is_taken_and_a_choice_is_not(
    desk: Desk, ingest: Ingest
) -> None:
    c = await whatsapp(desk)
    ingest.status = 500
    assert (await desk.act(c, "replies", {"after_seq": 1, "text": "hello"})).status_code == 201
    answer = await desk.act(c, "replies", {"after_seq": 1, "text": "hello", "channel": "sms"})
    assert (answer.status_code, slug(answer)) == (503, "ways-not-known")


async def test_nobody_asks_for_a_reply_in_a_chat(desk: Desk, ingest: Ingest) -> None:
    c = await desk.conversation()
    assert (await desk.act(c, "replies", {"after_seq": 1, "text": "hello"}, version=0)).status_code == 201
    assert ingest.asked == 0


async def test_a_reply_is_a_text_or_a_template(desk: Desk, ingest: Ingest) -> None:
    c = await whatsapp(desk)
    for body in ({}, {"text": " "}, {"text": "x", "template": {"name": "order_left", "language": "en"}}):
        assert (await desk.act(c, "replies", {"after_seq": 1, **body})).status_code == 422


async def test_a_conversation_knows_its_cause_and_a_customer_their_consents(
    desk: Desk, ingest: Ingest
) -> None:
    cause = Cause(
        outreach_id="o-1",
        rule="late",
        event_type="order.delayed",
        text="It is late.",
        sent_at_ms=1_780_000_000_000,
    )
    c = await whatsapp(desk, cause=cause)
    shown = await desk.show(c)
    assert (shown["cause"]["rule"], shown["cause"]["sent_at"]) == ("late", "2026-05-28T20:26:40.000Z")
    customer = f"customer-{c}"
    said = {"customer_id": customer, "channel": "sms", "account": "default", "external_id": "+39333"}
    for state in (ConsentState.CONSENT_STATE_GIVEN, ConsentState.CONSENT_STATE_WITHDRAWN):
        await desk.tell(
            ConsentChanged(state=state, source="message", evidence="STOP", changed_at_ms=1, **said)
        )
    await desk.tell(CustomerIdentified(customer_id=customer, display_name="Ada", first_seen_at_ms=5))
    known = (await desk.show(c))["customer"]
    assert (known["name"], [one["state"] for one in known["consents"]]) == ("Ada", ["withdrawn"])
