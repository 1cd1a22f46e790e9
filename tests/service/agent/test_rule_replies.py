"""The reply of a rule is said once, in an episode in which nobody has acted, and to people alone."""

from typing import Any

import pytest

from libs.contracts import Purpose, Signal
from tests.service.agent.desk import AUTOMATIC, REQUEST, SPAM, THANKS, UNSURE, Desk, fresh, received, triaged

NIGHT = "Rispondiamo domattina."


async def _replies(desk: Desk, conversation: str) -> list[Any]:
    return await desk.events("ReplySent", conversation)


async def test_it_is_sent_once_an_episode_shown_as_nobodys_and_changes_no_version(desk: Desk) -> None:
    c = fresh()
    said = triaged(c, 1, reply=NIGHT, language=Signal(value="it", confidence=0.9))
    await desk.tell(said)
    assert await _replies(desk, c) == []
    await desk.tell(received(c, 1, "dov'è il pacco?"))
    await desk.tell(received(c, 2), triaged(c, 2, UNSURE, reply=NIGHT))
    (sent,) = await _replies(desk, c)
    assert (sent.text, sent.human, sent.agent_id, sent.human_version) == (NIGHT, False, "", 0)
    assert (sent.episode, sent.after_seq, sent.customer_id) == (1, 1, f"customer-{c}")
    shown = await desk.show(c)
    second, reply, first = shown["messages"]["items"]
    assert (reply["text"], reply["author"]["id"], reply["delivery"]["state"]) == (NIGHT, "system", "sending")
    assert first["triage"]["reply_state"] == "sent"
    assert second["triage"]["reply_state"] == "answered"
    assert (shown["human_version"], shown["status"]) == (0, "open")

    # A new episode is a new case; the decision knows of the resolution.
    await desk.act(c, "resolve", {"through_seq": 2, "reason": "solved"})
    await desk.tell(received(c, 3), triaged(c, 3, reply=NIGHT, human_version=1))
    assert [reply.after_seq for reply in await _replies(desk, c)] == [1, 3]


async def test_never_after_a_person_has_acted(desk: Desk) -> None:
    c = await desk.conversation(REQUEST)
    await desk.act(c, "replies", {"text": "I am on it", "after_seq": 1})
    await desk.tell(received(c, 2), triaged(c, 2, reply=NIGHT, human_version=1))
    assert [reply.human for reply in await _replies(desk, c)] == [True]
    assert (await desk.show(c))["messages"]["items"][0]["triage"]["reply_state"] == "person"
    # Triage had decided before it heard of the resolution.
    await desk.act(c, "resolve", {"through_seq": 2, "reason": "solved"})
    await desk.tell(received(c, 3), triaged(c, 3, reply=NIGHT, human_version=1))
    assert [reply.human for reply in await _replies(desk, c)] == [True]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (AUTOMATIC, {}),
        (SPAM, {}),
        (THANKS, {}),
        (REQUEST, {"automatic": True}),
        (REQUEST, {"purpose": Purpose.PURPOSE_SURVEY_ANSWER}),
    ],
    ids=["automatic", "spam", "thanks", "headers", "survey"],
)
async def test_nobody_is_answered_who_did_not_ask(desk: Desk, kind: Any, fields: dict[str, Any]) -> None:
    c = fresh()
    await desk.tell(received(c, 1, **fields), triaged(c, 1, kind, reply=NIGHT))
    assert await _replies(desk, c) == []
    # A later request is answered all the same.
    await desk.tell(received(c, 2), triaged(c, 2, reply=NIGHT))
    assert [reply.after_seq for reply in await _replies(desk, c)] == [2]


async def test_what_comes_after_an_hour_is_not_answered_and_a_repeat_says_nothing_twice(desk: Desk) -> None:
    late, twice = fresh(), fresh()
    await desk.tell(received(twice, 1), triaged(twice, 1, reply=NIGHT), triaged(twice, 1, reply=NIGHT))
    await desk.tell(received(twice, 1), triaged(twice, 1, reply=NIGHT))
    assert len(await _replies(desk, twice)) == 1
    old = desk.service.clock.now_ms() - 3_700_000
    await desk.tell(received(late, 1, received_at_ms=old), triaged(late, 1, reply=NIGHT, received_at_ms=old))
    assert await _replies(desk, late) == []
