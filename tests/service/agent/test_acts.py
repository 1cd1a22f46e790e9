"""What people do over HTTP: events, versions, refusals."""

import asyncio

import pytest

from libs.contracts import DeliveryFailed, MessageDelivered, Status
from tests.service.agent.desk import REQUEST, SPAM, Desk, received, slug


async def test_a_reply_goes_out_as_an_event_and_stands_in_the_timeline(desk: Desk) -> None:
    c = await desk.conversation()
    answer = await desk.act(c, "replies", {"text": "We look into it.", "after_seq": 1})
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"1"'
    (sent,) = await desk.events("ReplySent", c)
    assert sent.reply_id == answer.json()["id"]
    assert (sent.text, sent.after_seq, sent.agent_id, sent.human) == ("We look into it.", 1, "anna", True)
    assert (sent.channel, sent.episode, sent.human_version) == ("chat", 1, 1)
    assert sent.customer_id == f"customer-{c}"
    entry = (await desk.show(c))["messages"]["items"][0]
    assert (entry["direction"], entry["text"], entry["after_seq"]) == ("out", "We look into it.", 1)
    assert entry["delivery"]["state"] == "sending"


async def test_a_reply_that_crossed_a_request_says_so_and_leaves_the_conversation_open(desk: Desk) -> None:
    c = await desk.conversation(REQUEST, REQUEST)
    answer = await desk.act(c, "replies", {"text": "ok", "after_seq": 1, "then": "pending_customer"})
    assert (answer.json()["unseen"], answer.json()["conversation"]["status"]) == (1, "open")


async def test_two_replies_on_one_version_at_once_are_one_reply_and_one_refusal(desk: Desk) -> None:
    c = await desk.conversation()
    answers = await asyncio.gather(
        desk.act(c, "replies", {"text": "from anna", "after_seq": 1}, version=0),
        desk.act(c, "replies", {"text": "from ben", "after_seq": 1}, version=0, who="ben"),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 412]
    refused = next(answer for answer in answers if answer.status_code == 412)
    assert refused.json()["current"] == '"1"'
    assert len(await desk.events("ReplySent", c)) == 1


async def test_one_key_twice_is_one_reply_with_the_same_answer(desk: Desk) -> None:
    c = await desk.conversation()
    key = {"Idempotency-Key": f"reply-{c}"}
    body = {"text": "once", "after_seq": 1}
    first = await desk.act(c, "replies", body, version=0, **key)
    second = await desk.act(c, "replies", body, version=0, **key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["etag"] == first.headers["etag"]
    assert len(await desk.events("ReplySent", c)) == 1


async def test_one_key_twice_at_once_is_one_reply(desk: Desk) -> None:
    c = await desk.conversation()
    key = {"Idempotency-Key": f"reply-{c}"}
    body = {"text": "once", "after_seq": 1}
    answers = await asyncio.gather(*(desk.act(c, "replies", body, version=0, **key) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len(await desk.events("ReplySent", c)) == 1


async def test_a_key_with_another_body_is_refused(desk: Desk) -> None:
    c = await desk.conversation()
    key = {"Idempotency-Key": f"reply-{c}"}
    await desk.act(c, "replies", {"text": "one", "after_seq": 1}, version=0, **key)
    answer = await desk.act(c, "replies", {"text": "two", "after_seq": 1}, version=1, **key)
    assert (answer.status_code, slug(answer)) == (422, "idempotency-mismatch")


async def test_a_refused_act_frees_its_key(desk: Desk) -> None:
    c = await desk.conversation()
    key = {"Idempotency-Key": f"reply-{c}"}
    body = {"text": "one", "after_seq": 1}
    assert (await desk.act(c, "replies", body, version=5, **key)).status_code == 412
    assert (await desk.act(c, "replies", body, version=0, **key)).status_code == 201


async def test_a_customers_message_does_not_make_a_reply_stale(desk: Desk) -> None:
    c = await desk.conversation()
    await desk.write(c, 2)
    answer = await desk.act(c, "replies", {"text": "hello", "after_seq": 1}, version=0)
    assert answer.status_code == 201


async def test_a_colleagues_act_makes_a_reply_stale_and_a_note_does_not(desk: Desk) -> None:
    c = await desk.conversation()
    assert (await desk.act(c, "notes", {"text": "known bug"}, who="ben")).status_code == 201
    assert (await desk.act(c, "topic", {"topic": "refund"}, version=0, who="ben")).status_code == 200
    answer = await desk.act(c, "replies", {"text": "hello", "after_seq": 1}, version=0)
    assert (answer.status_code, slug(answer)) == (412, "stale-version")


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("replies", {"text": "x", "after_seq": 1}),
        ("resolve", {"through_seq": 1}),
        ("transfers", {"queue_id": "billing"}),
    ],
)
async def test_an_act_without_a_version_is_refused(desk: Desk, what: str, body: object) -> None:
    c = await desk.conversation()
    answer = await desk.person().post(f"/v1/conversations/{c}/{what}", json=body)
    assert (answer.status_code, slug(answer)) == (428, "version-required")


async def test_a_note_is_for_colleagues_only(desk: Desk) -> None:
    c = await desk.conversation()
    answer = await desk.person().post(f"/v1/conversations/{c}/notes", json={"text": "known bug"})
    assert answer.status_code == 201
    (added,) = await desk.events("NoteAdded", c)
    assert (added.note_id, added.agent_id, added.episode) == (answer.json()["id"], "anna", 1)
    assert await desk.events("ReplySent", c) == []
    (note,) = (await desk.show(c))["notes"]
    assert (note["text"], note["author"]["id"]) == ("known bug", "anna")


async def test_a_resolution_is_told_and_a_second_one_is_refused(desk: Desk) -> None:
    c = await desk.conversation()
    answer = await desk.act(c, "resolve", {"through_seq": 1, "reason": "duplicate"})
    assert (answer.status_code, answer.json()["status"]) == (200, "resolved")
    (ended,) = await desk.events("ConversationResolved", c)
    assert (ended.episode, ended.through_seq, ended.reason) == (1, 1, "duplicate")
    assert (ended.language, ended.channel, ended.human_version) == ("en", "chat", 1)
    (moved,) = await desk.events("StatusChanged", c)
    assert moved.status == Status.STATUS_RESOLVED
    for version in (0, 1):
        again = await desk.act(c, "resolve", {"through_seq": 1}, version=version)
        assert (again.status_code, slug(again)) == (409, "already-resolved")
    assert len(await desk.events("ConversationResolved", c)) == 1


async def test_two_resolutions_at_once_are_one(desk: Desk) -> None:
    c = await desk.conversation()
    answers = await asyncio.gather(
        *(desk.act(c, "resolve", {"through_seq": 1}, version=0, who=who) for who in ("anna", "ben"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(await desk.events("ConversationResolved", c)) == 1


async def test_a_resolution_names_messages_that_are_here_and_its_own(desk: Desk) -> None:
    c = await desk.conversation()
    answer = await desk.act(c, "resolve", {"through_seq": 2})
    assert (answer.status_code, slug(answer)) == (422, "message-not-here")
    answer = await desk.act(c, "resolve", {"through_seq": 0})
    assert (answer.status_code, slug(answer)) == (422, "through-seq-too-low")


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("replies", {"text": "x", "after_seq": 1}),
        ("resolve", {"through_seq": 1}),
        ("status", {"status": "on_hold"}),
        ("transfers", {"queue_id": "billing"}),
    ],
)
async def test_nothing_is_done_in_a_conversation_without_an_episode(
    desk: Desk, what: str, body: object
) -> None:
    c = await desk.conversation(SPAM)
    answer = await desk.act(c, what, body)
    assert (answer.status_code, slug(answer)) == (409, "no-open-episode")


async def test_a_corrected_topic_is_told_and_kept(desk: Desk) -> None:
    c = await desk.conversation()
    answer = await desk.act(c, "topic", {"topic": "account.access"})
    assert (answer.status_code, answer.json()["topic"]) == (200, "account.access")
    (corrected,) = await desk.events("ConversationCorrected", c)
    assert (corrected.field, corrected.value, corrected.corrected_by) == ("topic", "account.access", "anna")
    assert (corrected.message_id, corrected.customer_id) == (f"{c}-m1", f"customer-{c}")
    assert (corrected.text, corrected.before) == (received(c, 1).text, "payment")
    assert (await desk.act(c, "topic", {"topic": "order", "message_id": "no-such"})).status_code == 404
    await desk.write(c, 2)
    triage = (await desk.show(c))["triage"]
    assert (triage["topic"], triage["corrected_by"]) == ("account.access", "anna")


async def test_tags_are_set_as_a_whole(desk: Desk) -> None:
    c = await desk.conversation()
    await desk.act(c, "tags", {"tags": ["vip", "late parcel", "vip"]})
    assert (await desk.show(c))["tags"] == ["vip", "late parcel"]
    (corrected,) = await desk.events("ConversationCorrected", c)
    assert (corrected.field, corrected.human_version) == ("tags", 1)
    await desk.act(c, "tags", {"tags": []})
    assert (await desk.show(c))["tags"] == []


async def test_a_transfer_is_asked_for_with_a_word_for_the_next_person(desk: Desk) -> None:
    await desk.directory()
    c = await desk.conversation()
    answer = await desk.act(c, "transfers", {"team_id": "orders", "note": "wrong team"})
    assert answer.status_code == 202
    (asked,) = await desk.events("TransferRequested", c)
    assert (asked.WhichOneof("target"), asked.team_id) == ("team_id", "orders")
    assert (asked.requested_by, asked.note, asked.episode, asked.human_version) == (
        "anna",
        "wrong team",
        1,
        1,
    )
    (note,) = (await desk.show(c))["notes"]
    assert (note["kind"], note["text"]) == ("transfer", "wrong team")


@pytest.mark.parametrize("target", [{"team_id": "nobody"}, {"agent_id": "nobody"}])
async def test_a_transfer_to_somebody_unknown_is_refused(desk: Desk, target: dict[str, str]) -> None:
    c = await desk.conversation()
    answer = await desk.act(c, "transfers", target)
    assert (answer.status_code, slug(answer)) == (422, "unknown-target")


async def test_what_became_of_a_reply_is_shown(desk: Desk) -> None:
    c = await desk.conversation()
    ids = []
    for number in range(2):
        answer = await desk.act(c, "replies", {"text": f"reply {number}", "after_seq": 1})
        ids.append(answer.json()["id"])
    await desk.tell(
        MessageDelivered(
            delivery_id="d1", conversation_id=c, source_id=ids[0], delivered_at_ms=9, possibly_twice=True
        ),
        DeliveryFailed(
            delivery_id="d2", conversation_id=c, source_id=ids[1], failed_at_ms=9, reason="mailbox full"
        ),
        MessageDelivered(delivery_id="d3", conversation_id=c, source_id="an-invitation", delivered_at_ms=9),
    )
    failed, delivered, _ = (await desk.show(c))["messages"]["items"]
    assert (failed["delivery"]["state"], failed["delivery"]["reason"]) == ("failed", "mailbox full")
    assert (delivered["delivery"]["state"], delivered["delivery"]["possibly_twice"]) == ("delivered", True)
