"""Over a provider's channel: genuine webhooks become numbered messages once, answers go out, statuses are ranked."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from libs.contracts import Channel
from libs.storage import fetch_all
from services.ingest.accounts import ChannelAccount
from services.ingest.domain.model import ChannelName
from services.ingest.service import definition
from services.ingest.settings import IngestSettings
from services.simulator import SHAPES, Payload, SimulatedProvider
from services.simulator.provider import serving
from tests.service.ingest.test_threads import reply
from tests.support.harness import START_MS, ServiceUnderTest, running

SECRET, PERSON, DAY_MS = "secret-of-the-account", "393330000001", 86_400_000
PUBLIC = "http://public.test/ingest/v1/hooks"


def account(name: str, base_url: str = "", **fields: Any) -> ChannelAccount:
    shape = SHAPES[name]
    made = {
        "channel": shape.channel,
        "provider": name,
        "secrets": (SECRET, "old-secret"),
        "token": shape.token,
    }
    return ChannelAccount(
        **{**made, "sender": shape.sender, "base_url": base_url, "verify_token": "v", **fields}
    )


@asynccontextmanager
async def ingesting(*accounts: ChannelAccount, **options: Any) -> AsyncIterator[ServiceUnderTest]:
    fields = {"accounts": accounts, "delivery_poll_ms": 20, "outgoing_allowed": ("127.0.0.0/8",)}
    async with running(definition, IngestSettings(**{**fields, **options})) as service:
        yield service


async def post(
    service: ServiceUnderTest, name: str, payload: Payload, secret: str = SECRET
) -> httpx.Response:
    signed = SHAPES[name].sign(payload.body, f"{PUBLIC}/{name}/default", secret, START_MS // 1000)
    headers = {"Content-Type": payload.media_type, **signed}
    async with service.client(None) as client:
        return await client.post(f"/v1/hooks/{name}/default", content=payload.body, headers=headers)


async def until(service: ServiceUnderTest, name: str, count: int = 1) -> list[Any]:
    async with asyncio.timeout(30):
        while len(found := await service.events(name)) < count:
            await service.settle()
            await asyncio.sleep(0.02)
    return found


async def rows(service: ServiceUnderTest, statement: str) -> list[tuple[Any, ...]]:
    async with service.database.read() as connection:
        return await fetch_all(connection, statement)


@pytest.mark.parametrize("name", sorted(SHAPES))
async def test_a_person_has_one_conversation_on_a_channel_and_each_message_counts_once(name: str) -> None:
    async with ingesting(account(name)) as service:
        for number in (1, 2, 1, 1):
            answer = await post(service, name, SHAPES[name].message(number, PERSON, f"Message {number} 😀"))
            assert answer.status_code == 200, answer.text
        assert (await post(service, name, SHAPES[name].strange(3, PERSON), "old-secret")).status_code == 200
        await service.settle()
        found = await service.events("MessageReceived")
        assert [event.message_seq for event in found] == [1, 2, 3]
        assert len({event.conversation_id for event in found}) == 1
        assert found[0].text.endswith("Message 1 😀")
        assert found[0].channel == getattr(Channel, f"CHANNEL_{SHAPES[name].channel.upper()}", 8) or name in (
            "messenger",
            "instagram",
        )
        [customer] = {event.customer_id for event in found}
        assert (await service.events("CustomerIdentified"))[0].customer_id == customer


@pytest.mark.parametrize("name", sorted(SHAPES))
async def test_what_is_not_genuine_leaves_nothing_behind(name: str) -> None:
    async with ingesting(account(name)) as service:
        payload = SHAPES[name].message(1, PERSON, "let me in")
        answer = await post(service, name, payload, "secret-of-another-account")
        assert answer.status_code == 401
        assert answer.json()["type"].endswith("not-genuine")
        async with service.client(None) as client:
            assert (await client.post(f"/v1/hooks/{name}/default", content=payload.body)).status_code == 401
            assert (await client.post(f"/v1/hooks/{name}/nobody", content=payload.body)).status_code == 404
            assert (await client.post("/v1/hooks/nobody/default", content=payload.body)).status_code == 404
        assert await rows(service, "SELECT id FROM ingest.raw_messages") == []


@pytest.mark.parametrize("body", [b'{"a":' * 10_000, b"[" * 10_000, b"[1]", b"{", b"\xff", b""])
async def test_a_genuine_body_without_shape_is_refused_with_the_reason(body: bytes) -> None:
    async with ingesting(account("whatsapp-cloud")) as service:
        answer = await post(service, "whatsapp-cloud", Payload(body, "application/json"))
        assert answer.status_code == 400
        assert answer.json()["type"].endswith("unreadable-webhook")


async def test_texts_that_no_database_stores_are_taken_without_what_cannot_be() -> None:
    async with ingesting(account("whatsapp-cloud")) as service:
        payload = SHAPES["whatsapp-cloud"].message(1, PERSON, "a\x00b\ud800c")
        assert (await post(service, "whatsapp-cloud", payload)).status_code == 200
        await service.settle()
        assert [event.text for event in await service.events("MessageReceived")] == ["abc"]


async def test_a_genuine_webhook_in_which_nothing_is_found_is_kept() -> None:
    async with ingesting(account("whatsapp-cloud")) as service:
        body = json.dumps(
            {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "alerts"}]}]}
        )
        assert (
            await post(service, "whatsapp-cloud", Payload(body.encode(), "application/json"))
        ).status_code == 200
        await service.settle()
        assert len(await rows(service, "SELECT id FROM ingest.raw_messages WHERE payload IS NOT NULL")) == 1
        assert await service.events("MessageReceived") == []


async def test_meta_sets_a_webhook_up_with_the_verify_token() -> None:
    async with ingesting(account("whatsapp-cloud")) as service, service.client(None) as client:
        query = "hub.mode=subscribe&hub.verify_token=v&hub.challenge=4711"
        assert (await client.get(f"/v1/hooks/whatsapp-cloud/default?{query}")).text == "4711"
        query = query.replace("token=v", "token=w")
        assert (await client.get(f"/v1/hooks/whatsapp-cloud/default?{query}")).status_code == 401


@pytest.mark.parametrize("name", [name for name in sorted(SHAPES) if name != "twilio-voice"])
async def test_an_answer_goes_out_by_the_channel_the_customer_wrote_by(name: str) -> None:
    provider = SimulatedProvider(SHAPES[name], SECRET)
    async with serving(provider) as url, ingesting(account(name, url)) as service:
        await post(service, name, SHAPES[name].message(1, PERSON, "hello"))
        await service.settle()
        [received] = await service.events("MessageReceived")
        await service.publish(reply(received.conversation_id, text="It is on its way 😀"))
        await service.settle()
        [delivered] = await until(service, "MessageDelivered")
        assert (delivered.source_id, delivered.attempts) == ("reply-1", 1)
        assert provider.taken == [(PERSON, "It is on its way 😀")]


@pytest.mark.parametrize("name", ["twilio-sms", "twilio-whatsapp", "whatsapp-cloud", "viber"])
async def test_statuses_in_any_order_end_at_the_furthest(name: str) -> None:
    shape, provider = SHAPES[name], SimulatedProvider(SHAPES[name], SECRET)
    async with serving(provider) as url, ingesting(account(name, url)) as service:
        await post(service, name, shape.message(1, PERSON, "hello"))
        await service.settle()
        [received] = await service.events("MessageReceived")
        id_ = shape.answer_id(1)
        # One may come before our own note of the id.
        early = shape.status(id_, PERSON, "read")
        assert early is not None
        await post(service, name, early)
        await service.settle()
        await service.publish(reply(received.conversation_id))
        await service.settle()
        await until(service, "MessageDelivered")
        for status in ("failed", "sent", "delivered", "read", "delivered"):
            late = shape.status(id_, PERSON, status)
            if late is not None:
                assert (await post(service, name, late)).status_code == 200
        await service.settle()
        assert await rows(service, "SELECT state, status FROM ingest.deliveries") == [("delivered", "read")]
        assert await service.events("DeliveryFailed") == []


async def test_a_message_that_the_provider_loses_later_has_failed_with_its_reason() -> None:
    name = "whatsapp-cloud"
    shape, provider = SHAPES[name], SimulatedProvider(SHAPES[name], SECRET)
    async with serving(provider) as url, ingesting(account(name, url)) as service:
        await post(service, name, shape.message(1, PERSON, "hello"))
        await service.settle()
        [received] = await service.events("MessageReceived")
        await service.publish(reply(received.conversation_id))
        await service.settle()
        await until(service, "MessageDelivered")
        lost = shape.status(shape.answer_id(1), PERSON, "failed")
        assert lost is not None
        await post(service, name, lost)
        [failed] = await until(service, "DeliveryFailed")
        assert failed.reason == "Message undeliverable"


async def test_a_refusal_is_told_with_its_reason_and_resent_by_one_request() -> None:
    name = "viber"
    provider = SimulatedProvider(SHAPES[name], SECRET, answers=[SHAPES[name].refusal()])
    async with serving(provider) as url, ingesting(account(name, url)) as service:
        await post(service, name, SHAPES[name].message(1, PERSON, "hello"))
        await service.settle()
        [received] = await service.events("MessageReceived")
        await service.publish(reply(received.conversation_id))
        await service.settle()
        [failed] = await until(service, "DeliveryFailed")
        assert "receiverNotSubscribed" in failed.reason
        async with service.client("supervisor") as client:
            [shown] = (await client.get("/v1/deliveries?state=failed")).json()["items"]
            assert shown["reason"] == failed.reason
            answer = await client.post(f"/v1/deliveries/{shown['delivery_id']}/resend")
            assert answer.status_code == 202, answer.text
            await until(service, "MessageDelivered")
            assert (await client.post(f"/v1/deliveries/{shown['delivery_id']}/resend")).status_code == 409
            assert (await client.post("/v1/deliveries/nothing/resend")).status_code == 404
        async with service.client("agent") as client:
            assert (await client.post(f"/v1/deliveries/{shown['delivery_id']}/resend")).status_code == 403
        assert provider.taken == [(PERSON, "Answer 1")]


async def test_a_busy_provider_is_tried_again() -> None:
    name = "telegram"
    provider = SimulatedProvider(SHAPES[name], SECRET, answers=[(503, b"busy"), (429, b"slow down")])
    async with (
        serving(provider) as url,
        ingesting(account(name, url), delivery_first_backoff_ms=1) as service,
    ):
        await post(service, name, SHAPES[name].message(1, PERSON, "hello"))
        await service.settle()
        [received] = await service.events("MessageReceived")
        await service.publish(reply(received.conversation_id))
        await service.settle()
        async with asyncio.timeout(20):
            while not await service.events("MessageDelivered"):
                service.clock.advance(2_000)
                await asyncio.sleep(0.05)
        [delivered] = await service.events("MessageDelivered")
        assert delivered.attempts == 3


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:9", "http://169.254.169.254", "http://[::1]:9", "http://0x7f000001:9"]
)
async def test_an_account_that_points_inside_sends_nothing(target: str) -> None:
    async with ingesting(account("telegram", target), outgoing_allowed=(), delivery_attempts=1) as service:
        await post(service, "telegram", SHAPES["telegram"].message(1, PERSON, "hello"))
        await service.settle()
        [received] = await service.events("MessageReceived")
        await service.publish(reply(received.conversation_id))
        await service.settle()
        [failed] = await until(service, "DeliveryFailed")
        assert "not public" in failed.reason or "no address" in failed.reason


async def test_a_redirect_is_not_followed() -> None:
    provider = SimulatedProvider(SHAPES["telegram"], SECRET, answers=[(302, b"")])
    async with serving(provider) as url, ingesting(account("telegram", url)) as service:
        await post(service, "telegram", SHAPES["telegram"].message(1, PERSON, "hello"))
        await service.settle()
        [received] = await service.events("MessageReceived")
        await service.publish(reply(received.conversation_id))
        await service.settle()
        [failed] = await until(service, "DeliveryFailed")
        assert "302" in failed.reason
        assert provider.calls == 1


async def test_whatsapp_takes_free_texts_for_a_day_and_says_so_before_anybody_writes() -> None:
    name = "whatsapp-cloud"
    provider = SimulatedProvider(SHAPES[name], SECRET)
    async with serving(provider) as url, ingesting(account(name, url)) as service:
        await post(service, name, SHAPES[name].message(1, PERSON, "hello"))
        await service.settle()
        [received] = await service.events("MessageReceived")
        async with service.client("agent") as agent:
            path = f"/v1/conversations/{received.conversation_id}/ways"
            [way] = (await agent.get(path)).json()["ways"]
            assert (way["channel"], way["open"]) == ("whatsapp", True)
            service.clock.advance(DAY_MS)
            [way] = (await agent.get(path)).json()["ways"]
            assert (way["open"], "template" in way["reason"]) == (False, True)
        await service.publish(reply(received.conversation_id))
        await service.settle()
        [failed] = await service.events("DeliveryFailed")
        assert "24 hours" in failed.reason
        assert provider.calls == 0


async def test_a_missed_call_is_a_conversation_that_goes_on_by_sms() -> None:
    sms, voice = SHAPES["twilio-sms"], SHAPES["twilio-voice"]
    provider = SimulatedProvider(sms, SECRET)
    async with (
        serving(provider) as url,
        ingesting(account("twilio-voice"), account("twilio-sms", url)) as service,
    ):
        await post(service, "twilio-voice", voice.strange(1, "+393330000001"))
        await service.settle()
        [received] = await service.events("MessageReceived")
        assert received.text == "(missed call, no-answer: call back)"
        await service.publish(reply(received.conversation_id, channel="sms", text="We missed you"))
        await service.settle()
        await until(service, "MessageDelivered")
        assert provider.taken == [("+393330000001", "We missed you")]
        await service.publish(reply(received.conversation_id, 2, channel="telegram"))
        await service.settle()
        [failed] = await service.events("DeliveryFailed")
        assert "never written by telegram" in failed.reason


async def test_repeated_reordered_and_torn_webhooks_are_each_counted_once() -> None:
    """What a provider posts until it is taken: every message once, whatever comes twice, late or broken."""
    name, chance = "whatsapp-cloud", random.Random(7)
    shape = SHAPES[name]
    async with ingesting(account(name)) as service:
        told = [
            shape.message(number, f"39333{number % 40:07d}", f"text {number}") for number in range(1, 401)
        ]
        order = [*told, *chance.sample(told, 40)]
        for place in chance.sample(range(len(order) - 1), 40):
            order[place], order[place + 1] = order[place + 1], order[place]
        torn = [Payload(one.body[: len(one.body) // 2], one.media_type) for one in chance.sample(told, 4)]
        gate = asyncio.Semaphore(16)

        async def send(payload: Payload) -> int:
            async with gate:
                return (await post(service, name, payload)).status_code

        statuses = await asyncio.gather(*[send(one) for one in order])
        assert set(statuses) == {200}
        assert {(await post(service, name, one)).status_code for one in torn} == {400}
        await service.settle()
        found = await service.events("MessageReceived")
        assert sorted(event.text for event in found) == sorted(f"text {n}" for n in range(1, 401))
        by_conversation: dict[str, list[int]] = {}
        for event in found:
            by_conversation.setdefault(event.conversation_id, []).append(event.message_seq)
        assert len(by_conversation) == 40
        assert all(sorted(seqs) == list(range(1, len(seqs) + 1)) for seqs in by_conversation.values())


def test_an_account_says_what_is_wrong_with_it() -> None:
    for fields, named in (
        ({"channel": ChannelName.SMS}, "names no provider"),
        ({"channel": ChannelName.WEB, "provider": "line"}, "takes no provider"),
        ({"channel": ChannelName.SMS, "provider": "twilio-sms"}, "needs secrets"),
    ):
        with pytest.raises(ValueError, match=named):
            ChannelAccount(**fields)  # type: ignore[arg-type]  # wrong on purpose


async def test_an_account_of_an_unknown_provider_stops_the_start() -> None:
    wrong = (account("telegram", provider="carrier-pigeon"), account("telegram", channel="sms"))
    for one in wrong:
        with pytest.raises(ValueError, match=r"known are|is of channel"):
            async with ingesting(one):
                pass


@pytest.mark.parametrize("name", sorted(SHAPES))
async def test_a_message_is_found_by_the_providers_own_id(name: str) -> None:
    async with ingesting(account(name)) as service:
        await post(service, name, SHAPES[name].message(7, PERSON, "hello"))
        await service.settle()
        [received] = await service.events("MessageReceived")
        path = f"/v1/hooks/{name}/default/messages"
        async with service.client("supervisor") as client:
            found = await client.get(f"{path}/{SHAPES[name].message_id(7)}")
            assert found.status_code == 200, found.text
            assert found.json()["conversation_id"] == received.conversation_id
            assert (await client.get(f"{path}/nothing")).status_code == 404
        async with service.client(None) as client:
            assert (await client.get(f"{path}/nothing")).status_code == 401
