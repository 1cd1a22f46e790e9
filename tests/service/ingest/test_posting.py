"""A message is durable before it is answered for, taken once, and then threaded and numbered."""

import asyncio

import httpx

from libs.contracts import Channel
from libs.storage import fetch_all
from tests.service.ingest.conftest import bearer, converse, while_settling
from tests.support.harness import ServiceUnderTest


async def test_a_message_from_nobody_known_opens_a_conversation(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    answer = await visitor.post("/v1/messages", json={"channel": "web", "text": "Hello", "subject": "Order"})
    assert answer.status_code == 202
    accepted = answer.json()
    assert (
        answer.headers["location"] == accepted["location"] == f"/ingest/v1/messages/{accepted['message_id']}"
    )
    assert accepted["state"] == "accepted"
    assert "conversation_id" not in accepted

    await ingest.settle()
    [event] = await ingest.events("MessageReceived")
    assert (event.message_id, event.message_seq) == (accepted["message_id"], 1)
    assert (event.text, event.subject, event.channel) == ("Hello", "Order", Channel.CHANNEL_WEB)
    assert event.received_at_ms == ingest.clock.now_ms()
    [customer] = await ingest.events("CustomerIdentified")
    assert customer.customer_id == event.customer_id

    shown = await visitor.get(
        f"/v1/messages/{accepted['message_id']}", headers={"X-Receipt": accepted["receipt"]}
    )
    state = shown.json()
    assert state["state"] == "received"
    assert state["conversation_id"] == event.conversation_id
    assert state["case_reference"] == event.case_reference
    assert state["visitor_token"]


async def test_a_caller_who_waits_gets_the_conversation(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    state = await converse(ingest, visitor)
    [event] = await ingest.events("MessageReceived")
    assert state["conversation_id"] == event.conversation_id
    assert state["message_seq"] == 1


async def test_a_wait_that_ends_too_early_still_answers_for_the_message(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.post(
        "/v1/messages", json={"channel": "web", "text": "Hello"}, headers={"Prefer": "wait=1"}
    )
    assert answer.status_code == 202
    assert answer.json()["state"] == "accepted"


async def test_the_visitors_token_leads_to_the_same_conversation(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    first = await converse(ingest, visitor, "one")
    headers = bearer(first["visitor_token"])
    second = await converse(ingest, visitor, "two", headers=headers)
    third = await converse(ingest, visitor, "three", headers=headers)
    assert second["conversation_id"] == third["conversation_id"] == first["conversation_id"]
    assert (second["message_seq"], third["message_seq"]) == (2, 3)
    events = await ingest.events("MessageReceived")
    assert len({event.customer_id for event in events}) == 1


async def test_messages_of_one_sender_keep_their_order(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    first = await converse(ingest, visitor, "0")
    headers = bearer(first["visitor_token"])
    for number in range(1, 30):
        await visitor.post("/v1/messages", json={"channel": "chat", "text": str(number)}, headers=headers)
    await ingest.settle()
    events = await ingest.events("MessageReceived")
    assert [(event.message_seq, event.text) for event in events] == [(n + 1, str(n)) for n in range(30)]


async def test_the_same_key_twice_is_one_message(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    body = {"channel": "api", "text": "Hello", "sender": {"external_id": "c-1"}}
    headers = {"Idempotency-Key": "provider-1"}
    first = await backend.post("/v1/messages", json=body, headers=headers)
    second = await backend.post("/v1/messages", json=body, headers=headers)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    await ingest.settle()
    assert len(await ingest.events("MessageReceived")) == 1
    again = await while_settling(
        ingest, backend.post("/v1/messages", json=body, headers={**headers, "Prefer": "wait=5"})
    )
    assert again.json()["conversation_id"]


async def test_the_same_key_at_the_same_time_is_one_message(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    body = {"channel": "api", "text": "Hello", "sender": {"external_id": "c-1"}}
    answers = await asyncio.gather(
        *[backend.post("/v1/messages", json=body, headers={"Idempotency-Key": "k"}) for _ in range(20)]
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["message_id"] for answer in answers}) == 1
    await ingest.settle()
    assert len(await ingest.events("MessageReceived")) == 1


async def test_a_key_used_for_another_body_is_refused(backend: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k"}
    await backend.post("/v1/messages", json={"channel": "api", "text": "one"}, headers=headers)
    other = await backend.post("/v1/messages", json={"channel": "api", "text": "two"}, headers=headers)
    assert other.status_code == 422
    assert other.json()["type"] == "urn:centralino:problem:idempotency-mismatch"


async def test_keys_of_different_callers_do_not_meet(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient, visitor: httpx.AsyncClient
) -> None:
    headers = {"Idempotency-Key": "k"}
    ours = await backend.post("/v1/messages", json={"channel": "web", "text": "ours"}, headers=headers)
    theirs = await visitor.post("/v1/messages", json={"channel": "web", "text": "theirs"}, headers=headers)
    assert theirs.status_code == 202
    assert theirs.json()["message_id"] != ours.json()["message_id"]


async def test_many_at_once_are_all_taken(ingest: ServiceUnderTest, visitor: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *[visitor.post("/v1/messages", json={"channel": "web", "text": f"text {n}"}) for n in range(200)]
    )
    ids = {answer.json()["message_id"] for answer in answers}
    assert len(ids) == 200
    await ingest.settle()
    events = await ingest.events("MessageReceived")
    assert {event.message_id for event in events} == ids
    assert len({event.conversation_id for event in events}) == 200
    assert len({event.case_reference for event in events}) == 200


async def test_a_batch_answers_for_each_message(ingest: ServiceUnderTest, backend: httpx.AsyncClient) -> None:
    def item(key: str, **fields: object) -> dict[str, object]:
        return {"channel": "api", "text": "Hello", "idempotency_key": key, **fields}

    await backend.post("/v1/messages/batch", json={"messages": [item("a")]})
    batch = [item("a"), item("a", text="other"), item("b", account="nowhere"), item("c")]
    answer = await backend.post("/v1/messages/batch", json={"messages": batch})
    assert answer.status_code == 202
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [202, 422, 422, 202]
    assert results[1]["problem"]["type"].endswith("idempotency-mismatch")
    assert results[2]["problem"]["type"].endswith("unknown-account")
    await ingest.settle()
    assert len(await ingest.events("MessageReceived")) == 2


async def test_a_batch_of_none_or_too_many_is_refused(backend: httpx.AsyncClient) -> None:
    item = {"channel": "api", "text": "x"}
    for count in (0, 501):
        messages = [{**item, "idempotency_key": str(n)} for n in range(count)]
        answer = await backend.post("/v1/messages/batch", json={"messages": messages})
        assert answer.status_code == 422, count


async def test_a_customer_whom_the_operator_vouches_for_is_one_on_every_channel(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    for number, channel in enumerate(["web", "chat", "api"]):
        sender = {"external_id": "c-17", "name": "Ada", "language": "it"}
        await backend.post(
            "/v1/messages",
            json={"channel": channel, "text": "Hello", "sender": sender},
            headers={"Idempotency-Key": str(number)},
        )
        await ingest.settle()
    events = await ingest.events("MessageReceived")
    assert len({event.customer_id for event in events}) == 1
    assert {event.language_hint for event in events} == {"it"}
    [customer] = await ingest.events("CustomerIdentified")
    assert (customer.display_name, customer.language) == ("Ada", "it")
    assert customer.identities[0].verified


async def test_a_burst_in_a_known_persons_chat_is_one_conversation(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    for number in range(5):
        await backend.post(
            "/v1/messages",
            json={"channel": "chat", "text": f"{number}", "sender": {"external_id": "c-17"}},
            headers={"Idempotency-Key": str(number)},
        )
    await ingest.settle()
    events = await ingest.events("MessageReceived")
    assert len({event.conversation_id for event in events}) == 1
    assert [event.message_seq for event in events] == [1, 2, 3, 4, 5]
    assert [event.text for event in events] == ["0", "1", "2", "3", "4"]


async def test_a_claimed_name_opens_nobody_elses_conversation(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient, visitor: httpx.AsyncClient
) -> None:
    sender = {"external_id": "c-17", "email": "ada@example.org"}
    known = await converse(ingest, backend, sender=sender, headers={"Idempotency-Key": "1"})
    claimed = await converse(ingest, visitor, sender=sender)
    assert claimed["conversation_id"] != known["conversation_id"]
    customers = {event.customer_id for event in await ingest.events("MessageReceived")}
    assert len(customers) == 2


async def test_two_who_claim_the_same_name_are_not_in_one_conversation(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    sender = {"external_id": "c-17", "email": "ada@example.org"}
    states = [await converse(ingest, visitor, sender=sender) for _ in range(3)]
    assert len({state["conversation_id"] for state in states}) == 3


async def test_raw_payloads_are_unreadable_in_the_database(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    await visitor.post("/v1/messages", json={"channel": "web", "text": "planted-marker"})
    async with ingest.database.read() as connection:
        [(payload, key_id)] = await fetch_all(connection, "SELECT payload, key_id FROM ingest.raw_messages")
    assert b"planted" not in bytes(payload)
    assert key_id
