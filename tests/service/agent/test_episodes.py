"""Messages in, episodes out."""

from datetime import UTC, datetime

import pytest

from libs.contracts import Channel, EpisodeCause, Purpose, Signal, Status
from libs.storage import fetch_all
from tests.service.agent.desk import (
    AUTOMATIC,
    REQUEST,
    SPAM,
    SURVEY_ANSWER,
    THANKS,
    UNSURE,
    Desk,
    fresh,
    received,
    slug,
    triaged,
)
from tests.support.harness import START_MS


async def test_a_first_request_opens_the_first_episode(desk: Desk) -> None:
    c = await desk.conversation(REQUEST)
    (opened,) = await desk.events("EpisodeOpened", c)
    assert opened.episode == 1
    assert opened.cause == EpisodeCause.EPISODE_CAUSE_FIRST_MESSAGE
    assert opened.first_seq == 1
    assert opened.opened_at_ms == START_MS + 1000
    assert (opened.channel, opened.language) == ("chat", "en")
    assert opened.customer_id == f"customer-{c}"
    assert opened.case_reference == f"CQ7-{c[-5:]}"
    assert await desk.events("StatusChanged", c) == []


async def test_a_decision_before_its_message_opens_the_episode_with_the_message(desk: Desk) -> None:
    c = fresh()
    await desk.tell(triaged(c, 1))
    assert await desk.events("EpisodeOpened", c) == []
    await desk.tell(received(c, 1))
    (opened,) = await desk.events("EpisodeOpened", c)
    assert opened.case_reference == f"CQ7-{c[-5:]}"


async def test_the_hint_of_the_channel_stands_in_for_an_unknown_language(desk: Desk) -> None:
    c = fresh()
    await desk.tell(received(c, 1, language_hint="ro"), triaged(c, 1, language=Signal(value="und")))
    (opened,) = await desk.events("EpisodeOpened", c)
    assert opened.language == "ro"


async def test_a_second_request_belongs_to_the_open_episode(desk: Desk) -> None:
    c = await desk.conversation(REQUEST, REQUEST, UNSURE)
    assert len(await desk.events("EpisodeOpened", c)) == 1
    shown = await desk.show(c)
    assert [m["episode"] for m in shown["messages"]["items"]] == [1, 1, 1]


async def test_spam_and_automatic_mail_open_nothing_and_are_listed_with_the_cause(desk: Desk) -> None:
    spam, automatic = await desk.conversation(SPAM), await desk.conversation(AUTOMATIC)
    assert await desk.events("EpisodeOpened", spam) == []
    assert (await desk.show(spam))["status"] == "new"
    items = (await desk.person().get("/v1/messages/trailing", params={"limit": 200})).json()["items"]
    causes = {item["conversation_id"]: item["cause"] for item in items}
    assert causes[spam] == "spam"
    assert causes[automatic] == "automatic"
    only = (await desk.person().get("/v1/messages/trailing", params={"cause": "spam"})).json()["items"]
    assert {item["cause"] for item in only} == {"spam"}


async def test_thanks_in_an_open_episode_belongs_to_it_and_is_not_trailing(desk: Desk) -> None:
    c = await desk.conversation(REQUEST, THANKS)
    newest = (await desk.show(c))["messages"]["items"][0]
    assert (newest["episode"], newest["trailing_cause"]) == (1, None)
    items = (await desk.person().get("/v1/messages/trailing", params={"limit": 200})).json()["items"]
    assert c not in {item["conversation_id"] for item in items}


async def test_a_person_can_open_what_was_wrongly_taken_for_spam(desk: Desk) -> None:
    c = await desk.conversation(SPAM)
    answer = await desk.act(c, f"messages/{c}-m1/open", None)
    assert (answer.status_code, answer.json()["status"], answer.json()["human_version"]) == (200, "open", 1)
    (opened,) = await desk.events("EpisodeOpened", c)
    assert (opened.episode, opened.first_seq) == (1, 1)
    items = (await desk.person().get("/v1/messages/trailing", params={"limit": 200})).json()["items"]
    assert c not in {item["conversation_id"] for item in items}
    again = await desk.act(c, f"messages/{c}-m1/open", None)
    assert (again.status_code, slug(again)) == (409, "not-trailing")
    assert (await desk.act(c, "messages/none/open", None)).status_code == 404
    other = await desk.conversation(SPAM)
    assert (await desk.act(c, f"messages/{other}-m1/open", None)).status_code == 404
    assert (await desk.act(other, f"messages/{other}-m1/open", None, version=7)).status_code == 412


async def test_headers_that_say_automatic_open_nothing_whatever_the_text(desk: Desk) -> None:
    c = fresh()
    await desk.tell(received(c, 1, automatic=True, channel=Channel.CHANNEL_MAIL), triaged(c, 1, REQUEST))
    assert await desk.events("EpisodeOpened", c) == []


async def test_a_survey_answer_opens_nothing(desk: Desk) -> None:
    c = await desk.conversation(REQUEST)
    assert (await desk.act(c, "resolve", {"through_seq": 1})).status_code == 200
    await desk.tell(received(c, 2, purpose=Purpose.PURPOSE_SURVEY_ANSWER), triaged(c, 2, SURVEY_ANSWER))
    assert len(await desk.events("EpisodeOpened", c)) == 1


async def test_thanks_after_the_resolution_is_trailing_until_a_request_opens_its_episode(
    desk: Desk,
) -> None:
    c = await desk.conversation(REQUEST)
    await desk.act(c, "resolve", {"through_seq": 1})
    await desk.write(c, 2, THANKS)
    shown = await desk.show(c)
    assert shown["status"] == "resolved"
    assert shown["messages"]["items"][0]["trailing_cause"] == "thanks"
    await desk.write(c, 3, REQUEST)
    opened = await desk.events("EpisodeOpened", c)
    assert [(e.episode, e.first_seq) for e in opened] == [(1, 1), (2, 3)]
    assert opened[1].cause == EpisodeCause.EPISODE_CAUSE_REOPENED
    moved = (await desk.events("StatusChanged", c))[-1]
    assert (moved.status, moved.previous, moved.changed_by) == (
        Status.STATUS_OPEN,
        Status.STATUS_RESOLVED,
        "system",
    )


async def test_a_request_that_crossed_the_resolution_on_the_wire_opens_the_next_episode_at_once(
    desk: Desk,
) -> None:
    c = await desk.conversation(REQUEST, REQUEST)
    answer = await desk.act(c, "resolve", {"through_seq": 1})
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["episode"]) == ("open", 2)
    opened = await desk.events("EpisodeOpened", c)
    assert [(e.episode, e.first_seq) for e in opened] == [(1, 1), (2, 2)]
    assert opened[1].opened_at_ms == START_MS + 2000
    (ended,) = await desk.events("ConversationResolved", c)
    assert (ended.episode, ended.through_seq, ended.resolved_by) == (1, 1, "anna")


async def test_late_triage_of_a_message_below_the_resolution_opens_nothing(desk: Desk) -> None:
    c = await desk.conversation(REQUEST)
    await desk.tell(received(c, 2))
    await desk.act(c, "resolve", {"through_seq": 2})
    await desk.tell(triaged(c, 2))
    assert len(await desk.events("EpisodeOpened", c)) == 1


async def test_late_triage_of_a_message_above_the_resolution_opens_the_next_episode(desk: Desk) -> None:
    c = await desk.conversation(REQUEST)
    await desk.tell(received(c, 2))
    await desk.act(c, "resolve", {"through_seq": 1})
    await desk.tell(triaged(c, 2))
    assert [e.episode for e in await desk.events("EpisodeOpened", c)] == [1, 2]


async def test_a_customers_answer_ends_the_wait_and_counts_no_human_act(desk: Desk) -> None:
    c = await desk.conversation(REQUEST)
    answer = await desk.act(
        c, "replies", {"text": "which order?", "after_seq": 1, "then": "pending_customer"}
    )
    assert answer.json()["conversation"]["status"] == "pending_customer"
    await desk.write(c, 2)
    shown = await desk.show(c)
    assert (shown["status"], shown["human_version"]) == ("open", 1)
    moved = (await desk.events("StatusChanged", c))[-1]
    assert (moved.status, moved.previous) == (Status.STATUS_OPEN, Status.STATUS_PENDING_CUSTOMER)
    assert moved.changed_at_ms == START_MS + 2000


async def test_a_snooze_ends_by_the_clock(desk: Desk) -> None:
    c = await desk.conversation(REQUEST)
    until = datetime.fromtimestamp((desk.service.clock.now_ms() + 60_000) / 1000, UTC).isoformat()
    answer = await desk.act(c, "status", {"status": "snoozed", "until_at": until})
    assert answer.status_code == 200, answer.text
    desk.service.clock.advance(30_000)
    await desk.service.settle()
    assert (await desk.show(c))["status"] == "snoozed"
    desk.service.clock.advance(31_000)
    await desk.service.settle()
    shown = await desk.show(c)
    assert (shown["status"], shown["snoozed_until_at"]) == ("open", None)
    moved = (await desk.events("StatusChanged", c))[-1]
    assert (moved.previous, moved.changed_by) == (Status.STATUS_SNOOZED, "system")


@pytest.mark.parametrize("ended_by", ["request", "status", "reply", "resolve"])
async def test_a_snooze_that_has_ended_leaves_no_timer(desk: Desk, ended_by: str) -> None:
    c = await desk.conversation(REQUEST)
    until = datetime.fromtimestamp((desk.service.clock.now_ms() + 60_000) / 1000, UTC).isoformat()
    await desk.act(c, "status", {"status": "snoozed", "until_at": until})
    assert await _timers(desk, c) == 1
    if ended_by == "request":
        await desk.write(c, 2)
    elif ended_by == "status":
        await desk.act(c, "status", {"status": "open"})
    elif ended_by == "reply":
        await desk.act(c, "replies", {"text": "hello", "after_seq": 1, "then": "on_hold"})
    else:
        await desk.act(c, "resolve", {"through_seq": 1})
    assert await _timers(desk, c) == 0


async def _timers(desk: Desk, conversation: str) -> int:
    async with desk.service.database.read() as connection:
        return len(await fetch_all(connection, "SELECT 1 FROM agent.timers WHERE key = $1", conversation))


async def test_a_snooze_that_a_request_ended_does_not_end_again(desk: Desk) -> None:
    c = await desk.conversation(REQUEST)
    until = datetime.fromtimestamp((desk.service.clock.now_ms() + 60_000) / 1000, UTC).isoformat()
    await desk.act(c, "status", {"status": "snoozed", "until_at": until})
    await desk.write(c, 2)
    await desk.act(c, "status", {"status": "on_hold"})
    desk.service.clock.advance(61_000)
    await desk.service.settle()
    assert (await desk.show(c))["status"] == "on_hold"


async def test_an_event_that_comes_twice_changes_nothing(desk: Desk) -> None:
    c = await desk.conversation(REQUEST)
    await desk.tell(received(c, 1), triaged(c, 1))
    assert len(await desk.events("EpisodeOpened", c)) == 1
    assert len((await desk.show(c))["messages"]["items"]) == 1
