"""One conversation over several channels: its ways are told before anybody writes, by window, consent and templates."""

import asyncio
from typing import Any

import pytest

from libs.contracts import ReplySent
from services.ingest.accounts import ChannelAccount
from services.simulator import SHAPES, SimulatedProvider
from services.simulator.provider import serving
from tests.service.ingest.test_provider_channels import (
    DAY_MS,
    PERSON,
    SECRET,
    account,
    ingesting,
    post,
    rows,
    until,
)
from tests.service.ingest.test_threads import reply
from tests.support.harness import ServiceUnderTest

CLOUD, SMS, VOICE = "whatsapp-cloud", "twilio-sms", "twilio-voice"
TEMPLATES = (
    {"name": "order_left", "language": "en", "text": "Hello {{1}}, order {{2}} has left."},
    {"name": "sorry", "language": "it", "text": "Ci scusi."},
)


async def ways(service: ServiceUnderTest, conversation_id: str) -> dict[str, Any]:
    async with service.client("agent") as agent:
        answer = await agent.get(f"/v1/conversations/{conversation_id}/ways")
    assert answer.status_code == 200, answer.text
    return {way["channel"]: way for way in answer.json()["ways"]}


def template(conversation_id: str, number: int, name: str, language: str, **values: str) -> ReplySent:
    event = reply(conversation_id, number, channel="whatsapp", text="as the customer reads it")
    event.template.name, event.template.language = name, language
    event.template.values.update({place.strip("_"): value for place, value in values.items()})
    return event


async def test_outside_the_window_a_template_goes_and_a_free_text_is_refused_with_the_reason() -> None:
    provider = SimulatedProvider(SHAPES[CLOUD], SECRET)
    async with serving(provider) as url, ingesting(account(CLOUD, url, templates=TEMPLATES)) as service:
        await post(service, CLOUD, SHAPES[CLOUD].message(1, PERSON, "hello"))
        await service.settle()
        [received] = await service.events("MessageReceived")
        id_ = received.conversation_id
        way = (await ways(service, id_))["whatsapp"]
        assert (way["open"], way["consent"], way["reason"]) == (True, "answer", None)
        assert way["ends_at"] == "2026-05-29T20:26:40.000Z"
        service.clock.advance(DAY_MS)
        way = (await ways(service, id_))["whatsapp"]
        assert (way["open"], "24 hours" in way["reason"]) == (False, True)
        assert way["templates"][0] == {**TEMPLATES[0], "places": ["1", "2"]}
        await service.publish(reply(id_, 1))
        await service.settle()
        [failed] = await service.events("DeliveryFailed")
        assert "send a template" in failed.reason
        await service.publish(template(id_, 2, "order_left", "en", _1="Ada", _2="4711"))
        await service.settle()
        [delivered] = await until(service, "MessageDelivered")
        assert delivered.source_id == "reply-2"
        assert provider.taken == [(PERSON, "[order_left en] Ada | 4711")]
        await service.publish(template(id_, 3, "nobody_has_it", "en"))
        await service.publish(template(id_, 4, "order_left", "en", _1="Ada"))
        await service.settle()
        reasons = {one.source_id: one.reason for one in await service.events("DeliveryFailed")}
        assert "declares no template 'nobody_has_it'" in reasons["reply-3"]
        assert "needs a value for '2'" in reasons["reply-4"]
        # Nothing of it is lost: every reply stands in the thread.
        said = await rows(
            service, "SELECT text FROM ingest.thread_entries WHERE kind = 'reply' ORDER BY ref_id"
        )
        assert len(said) == 4


async def test_a_conversation_goes_on_by_another_channel_and_its_answers_come_back_to_it() -> None:
    """A call that nobody took is answered by SMS; the customer's SMS is part of the same conversation."""
    provider = SimulatedProvider(SHAPES[SMS], SECRET)
    number = "+393330000001"
    accounts = (account(VOICE), account(CLOUD, templates=TEMPLATES))
    async with serving(provider) as url, ingesting(account(SMS, url), *accounts) as service:
        await post(service, VOICE, SHAPES[VOICE].strange(1, number))
        await service.settle()
        [received] = await service.events("MessageReceived")
        id_, customer = received.conversation_id, received.customer_id
        known = await ways(service, id_)
        assert list(known) == ["voice", "sms", "whatsapp"]
        assert "call back" in known["voice"]["reason"]
        assert (known["sms"]["open"], known["sms"]["consent"]) == (True, "called")
        assert (known["whatsapp"]["open"], known["whatsapp"]["consent"]) == (False, "none")
        assert known["whatsapp"]["endpoint"] == number.strip("+")
        await service.publish(template(id_, 1, "sorry", "it"))
        await service.settle()
        [refused] = await service.events("DeliveryFailed")
        assert "has not agreed" in refused.reason
        consent = {"channel": "whatsapp", "external_id": number.strip("+"), "state": "given"}
        async with service.client("agent", "anna") as agent:
            path = f"/v1/customers/{customer}/consents"
            answer = await agent.put(path, json={**consent, "evidence": "said so on the phone"})
            assert answer.status_code == 200, answer.text
            [shown] = (await agent.get(path)).json()["consents"]
            assert (shown["state"], shown["source"], shown["actor"]) == ("given", "agent", "anna")
            unknown = {**consent, "account": "nobody", "evidence": "x"}
            assert (await agent.put(path, json=unknown)).status_code == 422
            assert (
                await agent.put("/v1/customers/nobody/consents", json={**consent, "evidence": "x"})
            ).status_code == 404
        [changed] = await service.events("ConsentChanged")
        assert (changed.customer_id, changed.evidence) == (customer, "said so on the phone")
        way = (await ways(service, id_))["whatsapp"]
        assert (way["open"], way["consent"], len(way["templates"])) == (False, "given", 2)
        await service.publish(reply(id_, 2, channel="sms", text="We missed you"))
        # What names no channel goes the same way.
        await service.publish(reply(id_, 3, text="When may we call?"))
        await service.settle()
        await until(service, "MessageDelivered", 2)
        assert sorted(provider.taken) == [(number, "We missed you"), (number, "When may we call?")]
        await post(service, SMS, SHAPES[SMS].message(2, number, "call me at five"))
        await service.settle()
        second = (await service.events("MessageReceived"))[-1]
        assert (second.conversation_id, second.message_seq, second.customer_id) == (id_, 2, customer)


STOPS = {
    "en": "STOP", "it": "Ferma!", "ro": "Oprește", "ar": "توقّف",
    "fr": "Arrêt.", "pt": "PARAR", "es": "baja", "de": "Abmelden",
}  # fmt: skip


@pytest.mark.parametrize("language", sorted(STOPS))
async def test_a_stop_word_withdraws_consent_and_is_confirmed_once(language: str) -> None:
    provider = SimulatedProvider(SHAPES["telegram"], SECRET)
    made = account("telegram", language=language)
    async with serving(provider) as url, ingesting(made.model_copy(update={"base_url": url})) as service:
        shape = SHAPES["telegram"]
        for number, text in enumerate(["hello", STOPS[language], STOPS[language]], 1):
            await post(service, "telegram", shape.message(number, PERSON, text))
            await service.settle()
            service.clock.advance(1_000)
        [changed] = await service.events("ConsentChanged")
        assert (changed.channel, changed.external_id, changed.source) == ("telegram", PERSON, "message")
        async with asyncio.timeout(20):
            while not provider.taken:
                await asyncio.sleep(0.02)
        [(_, confirmed)] = provider.taken
        assert "START" in confirmed
        automatic = [event.automatic for event in await service.events("MessageReceived")]
        assert automatic == [False, True, True]
        [received, *_] = await service.events("MessageReceived")
        way = (await ways(service, received.conversation_id))["telegram"]
        assert (way["open"], way["consent"]) == (False, "withdrawn")
        await service.publish(reply(received.conversation_id))
        await service.settle()
        [failed] = await service.events("DeliveryFailed")
        assert "asked for no more messages" in failed.reason
        # Who writes again wants an answer.
        await post(service, "telegram", shape.message(4, PERSON, "one more question"))
        await service.settle()
        assert (await ways(service, received.conversation_id))["telegram"]["open"]
        await post(service, "telegram", shape.message(5, PERSON, "start"))
        await service.settle()
        assert [one.state for one in await service.events("ConsentChanged")] == [2, 1]
        assert len(provider.taken) == 1


async def test_a_word_in_a_sentence_is_no_stop_word_and_a_providers_own_answer_is_not_doubled() -> None:
    async with ingesting(account(SMS)) as service:
        await post(service, SMS, SHAPES[SMS].message(1, PERSON, "please stop sending me the wrong size"))
        await service.settle()
        assert await service.events("ConsentChanged") == []
        said = SHAPES[SMS].message(2, PERSON, "STOP")
        marked = type(said)(said.body + b"&OptOutType=STOP", said.media_type)
        await post(service, SMS, marked)
        await service.settle()
        assert len(await service.events("ConsentChanged")) == 1
        assert await rows(service, "SELECT kind FROM ingest.deliveries") == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": "Bad Name"}, "name"),
        ({"language": "english"}, "language"),
        ({"text": "{{2}}"}, "without a gap"),
        ({"content_sid": "HX" + "0" * 32}, "content_sid"),
    ],
)
def test_a_template_that_cannot_be_is_refused_with_its_account(fields: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        account(CLOUD, templates=({**TEMPLATES[0], **fields},))
    with pytest.raises(ValueError, match="takes no templates"):
        ChannelAccount.model_validate({"channel": "web", "templates": TEMPLATES})
    with pytest.raises(ValueError, match="twice"):
        account(CLOUD, templates=(TEMPLATES[0], TEMPLATES[0]))
    with pytest.raises(ValueError, match="content_sid"):
        account("twilio-whatsapp", templates=TEMPLATES)
