"""Events become messages by the rules, once; the answer opens a conversation that knows its cause."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from libs.contracts import ConversationResolved
from services.ingest.accounts import ChannelAccount
from services.ingest.domain.model import ChannelName
from services.simulator import SHAPES, SimulatedProvider
from services.simulator.provider import serving
from tests.service.ingest.mails import post_mail
from tests.service.ingest.sinks import mail_sink
from tests.service.ingest.test_provider_channels import (
    DAY_MS,
    PERSON,
    SECRET,
    account,
    ingesting,
    post,
    until,
)
from tests.support.harness import ServiceUnderTest

CLOUD = "whatsapp-cloud"
TEMPLATES = (
    {"name": "order_late", "language": "en", "text": "Order {{1}} is late."},
    {"name": "order_late", "language": "it", "text": "L'ordine {{1}} è in ritardo."},
)
LATE = {
    "name": "late",
    "event": "order.delayed",
    "when": {"days": ">= 2"},
    "channels": ["whatsapp", "mail"],
    "consent": "known",
    "text": {"en": "Hello {name}, order {order} is late.", "it": "L'ordine {order} è in ritardo."},
    "subject": {"en": "Your order {order}"},
    "template": {"name": "order_late", "values": {"1": "{order}"}},
}
EVENT = {"type": "order.delayed", "attributes": {"days": 3, "order": "4711"}}


async def put_rules(service: ServiceUnderTest, *rules: dict[str, Any], **book: Any) -> httpx.Response:
    async with service.client("supervisor", "sue") as client:
        version = (await client.get("/v1/outreach/rules")).headers["etag"]
        body = {"book": {"rules": list(rules), **book}, "note": "for a test"}
        return await client.put("/v1/outreach/rules", json=body, headers={"If-Match": version})


async def happens(service: ServiceUnderTest, key: str = "", **fields: Any) -> dict[str, Any]:
    body = {**EVENT, "customer": {"phone": f"+{PERSON}"}, **fields}
    async with service.client("service", "shop") as client:
        answer = await client.post("/v1/events", json=body, headers={"Idempotency-Key": key or "once"})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def outreach(service: ServiceUnderTest, **wanted: str) -> list[dict[str, Any]]:
    async with service.client("agent") as client:
        answer = await client.get("/v1/outreach", params=wanted)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def decided(service: ServiceUnderTest, count: int = 1) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        while len(found := [one for one in await outreach(service) if one["state"] != "waiting"]) < count:
            await asyncio.sleep(0.02)
    return found


async def answers(service: ServiceUnderTest, shown: dict[str, Any]) -> list[Any]:
    """What came into the conversation of an outreach, in order."""
    found = await service.events("MessageReceived")
    return [event for event in found if event.conversation_id == shown["conversation_id"]]


async def taken(provider: SimulatedProvider, count: int = 1) -> list[tuple[str, str]]:
    async with asyncio.timeout(20):
        while len(provider.taken) < count:
            await asyncio.sleep(0.02)
    return provider.taken


@asynccontextmanager
async def shop(provider: SimulatedProvider, **options: Any) -> AsyncIterator[ServiceUnderTest]:
    """WhatsApp and mail, and a customer whose conversation is over."""
    accounts = [ChannelAccount(channel=ChannelName.MAIL, address="help@shop.example")]
    async with (
        serving(provider) as url,
        ingesting(account(CLOUD, url, templates=TEMPLATES), *accounts, **options) as service,
    ):
        yield service


async def known(service: ServiceUnderTest) -> Any:
    await post(service, CLOUD, SHAPES[CLOUD].message(1, PERSON, "hello"))
    await service.settle()
    [received] = await service.events("MessageReceived")
    await service.publish(
        ConversationResolved(
            conversation_id=received.conversation_id,
            episode=1,
            through_seq=1,
            resolved_at_ms=1_780_000_001_000,
        )
    )
    await service.settle()
    return received


async def test_an_event_becomes_one_message_and_its_answer_a_conversation_that_knows_its_cause() -> None:
    provider = SimulatedProvider(SHAPES[CLOUD], SECRET)
    async with shop(provider) as service:
        first = await known(service)
        assert (await put_rules(service, LATE)).status_code == 200
        made = await happens(service, "event-1")
        assert [(one["rule"], one["state"]) for one in made["outreach"]] == [("late", "waiting")]
        # The same event again is the same answer, and nothing is sent twice.
        assert await happens(service, "event-1") == made
        assert await taken(provider) == [(PERSON, "Hello Ada, order 4711 is late.")]
        [shown] = await decided(service)
        assert (shown["state"], shown["channel"], shown["customer_id"]) == (
            "sent",
            "whatsapp",
            first.customer_id,
        )
        await until(service, "MessageDelivered")
        # Nobody has to answer anything yet.
        assert len(await service.events("MessageReceived")) == 1
        await post(service, CLOUD, SHAPES[CLOUD].message(2, PERSON, "and when does it come?"))
        await post(service, CLOUD, SHAPES[CLOUD].message(3, PERSON, "hello?"))
        await service.settle()
        answer, more = await answers(service, shown)
        assert (answer.conversation_id, answer.message_seq) == (shown["conversation_id"], 1)
        assert answer.conversation_id != first.conversation_id
        assert answer.customer_id == first.customer_id
        cause = answer.cause
        assert (cause.rule, cause.event_type, cause.outreach_id) == (
            "late",
            "order.delayed",
            shown["outreach_id"],
        )
        assert cause.text == "Hello Ada, order 4711 is late."
        assert (more.message_seq, more.HasField("cause")) == (2, False)


async def test_outside_the_window_the_template_of_the_customers_language_goes() -> None:
    provider = SimulatedProvider(SHAPES[CLOUD], SECRET)
    async with shop(provider) as service:
        await known(service)
        await put_rules(service, LATE)
        service.clock.advance(2 * DAY_MS)
        await happens(service, language="it")
        assert await taken(provider) == [(PERSON, "[order_late it] 4711")]


async def test_what_is_not_sent_says_why() -> None:
    provider = SimulatedProvider(SHAPES[CLOUD], SECRET)
    async with shop(provider) as service:
        await known(service)
        await put_rules(
            service,
            {**LATE, "cap": {"messages": 1, "days": 7}},
            {
                **LATE,
                "name": "agreed",
                "event": "news",
                "when": {},
                "consent": "given",
                "channels": ["whatsapp"],
            },
            {**LATE, "name": "lacking", "event": "lacking", "when": {}, "channels": ["whatsapp"]},
            {**LATE, "name": "off", "enabled": False},
        )
        few = await happens(service, "few", attributes={"days": 1, "order": "1"})
        assert few["outreach"][0]["reason"] == "attribute 'days' is '1'"
        nobody = await happens(service, "nobody", customer={"external_id": "no-such"})
        assert "nobody is known" in nobody["outreach"][0]["reason"]
        assert (await happens(service, "unheard", type="unheard.of"))["outreach"] == []
        await happens(service, "1")
        await happens(service, "2")
        await happens(service, "3", type="news")
        await happens(service, "4", type="lacking", attributes={})
        reasons = {
            (one["rule"], one["reason"]) for one in await decided(service, 6) if one["state"] == "skipped"
        }
        assert ("late", "the customer has been sent 1 in 7 days") in reasons
        assert ("agreed", "whatsapp: no consent is on record") in reasons
        assert ("lacking", "whatsapp: the event has no attribute 'order'") in reasons
        assert len(await taken(provider)) == 1
        # A stop word bars every rule.
        service.clock.advance(8 * DAY_MS)
        await post(service, CLOUD, SHAPES[CLOUD].message(9, PERSON, "stop"))
        await service.settle()
        await put_rules(service, {**LATE, "channels": ["whatsapp"]})
        await happens(service, "5")
        [newest, *_] = await decided(service, 7)
        assert newest["reason"] == "whatsapp: the customer wants no messages there"


async def test_nothing_goes_at_night_or_into_an_open_conversation() -> None:
    provider = SimulatedProvider(SHAPES[CLOUD], SECRET)
    async with shop(provider) as service:
        await known(service)
        # It is 20:26 UTC, half past midnight in Karachi.
        await put_rules(service, LATE, quiet={"from": "21:00", "to": "08:00"})
        made = await happens(service, zone="Asia/Karachi")
        [waiting] = made["outreach"]
        assert (waiting["state"], waiting["due_at"]) == ("waiting", "2026-05-29T03:00:00.000Z")
        await asyncio.sleep(0.1)
        assert provider.taken == []
        service.clock.advance(2_000)
        await post(service, CLOUD, SHAPES[CLOUD].message(2, PERSON, "something else"))
        await service.settle()
        service.clock.advance(7 * 3_600_000)
        async with asyncio.timeout(20):
            while "is open there" not in (await outreach(service))[0]["reason"]:
                await asyncio.sleep(0.02)
        service.clock.advance(DAY_MS)
        [late] = await decided(service)
        assert late["reason"] == "it came too late: a conversation with the customer is open there"
        assert provider.taken == []


async def test_a_mail_says_how_to_get_no_more_and_its_answer_comes_back() -> None:
    provider = SimulatedProvider(SHAPES[CLOUD], SECRET)
    async with mail_sink() as sink, shop(provider, smtp_host="127.0.0.1", smtp_port=sink.port) as service:
        raw = b"From: Ada <ada@home.example>\r\nTo: help@shop.example\r\nSubject: Hi\r\nMessage-ID: <1@h>\r\n\r\nhello"
        async with service.client("service") as client:
            assert (await post_mail(client, raw)).status_code == 202
        await service.settle()
        await put_rules(service, {**LATE, "channels": ["mail"]})
        await happens(service, customer={"email": "Ada@home.example"})
        async with asyncio.timeout(20):
            while not sink.mails:
                await asyncio.sleep(0.02)
        [mail] = sink.mails
        assert mail["Subject"].startswith("Your order 4711 [")
        assert mail["Auto-Submitted"] == "auto-generated"
        stop = mail["List-Unsubscribe"]
        assert stop.startswith("<mailto:help+")
        assert stop.endswith("?subject=STOP>")
        to = mail["Reply-To"]
        [shown] = await decided(service)
        for text in ("when?", "STOP"):
            reply = f"From: ada@home.example\r\nTo: {to}\r\nSubject: {text}\r\nMessage-ID: <{text}@h>\r\n\r\n{text}"
            async with service.client("service") as client:
                assert (await post_mail(client, reply.encode())).status_code == 202
            await service.settle()
        answer, stopped = await answers(service, shown)
        assert (answer.message_seq, answer.cause.rule) == (1, "late")
        assert stopped.automatic
        [changed] = await service.events("ConsentChanged")
        assert (changed.channel, changed.external_id) == ("mail", "ada@home.example")


async def test_rules_are_put_by_supervisors_with_a_version_and_faults_are_named() -> None:
    async with ingesting(account(CLOUD)) as service:
        refused = await put_rules(service, LATE, {**LATE, "name": "bad", "channels": ["fax"]})
        assert refused.status_code == 422
        [fault] = refused.json()["faults"]
        assert (fault["rule"], fault["field"]) == ("bad", "channels")
        assert (await put_rules(service, LATE)).json()["version"] == 1
        async with service.client("supervisor") as client:
            body: dict[str, Any] = {"book": {"rules": []}}
            stale = await client.put("/v1/outreach/rules", json=body, headers={"If-Match": '"0"'})
            assert stale.status_code == 412
            assert (await client.put("/v1/outreach/rules", json=body)).status_code == 428
            kept = (await client.get("/v1/outreach/rules")).json()
            assert (kept["author"], kept["book"]["rules"][0]["name"]) == ("sue", "late")
        async with service.client("agent") as client:
            assert (await client.put("/v1/outreach/rules", json=body)).status_code == 403
            assert (await client.post("/v1/events", json={})).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Order Delayed"},
        {"customer": {}},
        {"customer": {"phone": "0333"}},
        {"zone": "Mars/Olympus"},
        {"attributes": {"a b": 1}},
        {"attributes": {"a": {"deep": 1}}},
        {"surprise": 1},
    ],
)
async def test_an_event_that_cannot_be_is_refused(shared: ServiceUnderTest, change: dict[str, Any]) -> None:
    async with shared.client("service") as client:
        body = {**EVENT, "customer": {"id": "c"}, **change}
        assert (
            await client.post("/v1/events", json=body, headers={"Idempotency-Key": "k"})
        ).status_code == 422
        without_key = await client.post("/v1/events", json={**EVENT, "customer": {"id": "c"}})
        assert without_key.status_code == 400
