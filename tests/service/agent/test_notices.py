"""What customers are told by themselves, and what it must not do."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from libs.contracts import (
    AgentAssigned,
    Channel,
    OutOfHours,
    QueueUnserved,
    Signal,
    TeamAssigned,
    WaitPredicted,
)
from services.agent.adapters.wording import NoticesFileError, read_notices
from services.agent.service import definition
from services.agent.settings import AgentSettings
from tests.service.agent.desk import AUTOMATIC, Desk, fresh, received, triaged
from tests.support.harness import running

LANGUAGES = ("en", "it", "ro", "ar", "fr", "pt", "es", "de")
OPENS_MS = 1_780_036_400_000
MINUTE = 60_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk() -> AsyncIterator[Desk]:
    async with running(definition) as service:
        made = Desk(service)
        yield made
        for client in made.clients:
            await client.aclose()


async def written(desk: Desk, language: str = "en", **message: Any) -> str:
    case = fresh()
    said = Signal(value=language, confidence=0.9)
    await desk.tell(received(case, 1, **message), triaged(case, 1, language=said))
    return case


def closed(case: str, **more: Any) -> OutOfHours:
    facts = {
        "conversation_id": case,
        "episode": 1,
        "queue_id": "q",
        "opens_at_ms": OPENS_MS,
        "zone": "Europe/Rome",
    }
    return OutOfHours(**{**facts, **more})


def wait(case: str, position: int = 3, **more: Any) -> WaitPredicted:
    facts = {"conversation_id": case, "episode": 1, "queue_id": "q", "position": position}
    times = {"expected_ms": 7 * MINUTE, "low_ms": 2 * MINUTE, "high_ms": 20 * MINUTE}
    return WaitPredicted(**{**facts, **times, **more})


async def told(desk: Desk, case: str) -> list[Any]:
    return [one for one in await desk.service.events("ReplySent") if one.conversation_id == case]


async def test_the_hours_are_told_in_the_customers_language_on_their_channel_once_an_episode(
    desk: Desk,
) -> None:
    cases = {language: await written(desk, language, channel=Channel.CHANNEL_MAIL) for language in LANGUAGES}
    await desk.tell(*[closed(case) for case in cases.values()])
    await desk.tell(*[closed(case) for case in cases.values()])
    texts = set()
    for language, case in cases.items():
        [notice] = await told(desk, case)
        assert (notice.channel, notice.human, notice.agent_id) == ("mail", False, ""), language
        assert "29" in notice.text
        assert "8:33" in notice.text, "the hours of Rome, not of UTC"
        texts.add(notice.text)
    assert len(texts) == len(LANGUAGES)


async def test_a_notice_is_no_answer(desk: Desk) -> None:
    case = await written(desk)
    before = (await desk.person().get(f"/v1/conversations/{case}")).json()
    await desk.tell(closed(case))
    after = (await desk.person().get(f"/v1/conversations/{case}")).json()
    for name in ("status", "human_version", "episode", "first_seq", "last_seq", "clocks"):
        assert after[name] == before[name], name
    [notice] = [one for one in after["messages"]["items"] if one["direction"] == "out"]
    assert (notice["author"]["id"], notice["automatic"]) == ("system", True)
    assert [e.conversation_id for e in await desk.service.events("StatusChanged")].count(case) == 0


async def test_nobody_is_told_by_a_machine_what_a_machine_has_written_or_a_person_has_in_hand(
    desk: Desk,
) -> None:
    machine = await written(desk)
    await desk.tell(received(machine, 2, automatic=True), triaged(machine, 2, AUTOMATIC))
    in_hand, bot = await written(desk), await written(desk)
    await desk.tell(
        AgentAssigned(conversation_id=in_hand, episode=1, agent_id="anna", team_id="t", epoch=1),
        TeamAssigned(conversation_id=bot, episode=1, team_id="t", queue_id="q", handling="bot", epoch=1),
    )
    unknown, over = fresh(), await written(desk)
    await desk.tell(*[closed(case) for case in (machine, in_hand, bot, unknown)], closed(over, episode=2))
    for case in (machine, in_hand, bot, unknown, over):
        assert await told(desk, case) == []


async def test_a_wait_is_told_twice_and_a_conversation_hears_no_more_than_the_setting_says(
    desk: Desk,
) -> None:
    case = await written(desk)
    await desk.tell(*[wait(case, position) for position in (9, 6, 3)])
    assert [("9" in one.text, "6" in one.text) for one in await told(desk, case)] == [
        (True, False),
        (False, True),
    ]
    delayed = QueueUnserved(conversation_id=case, episode=1, queue_id="q", why="no agent has team t")
    await desk.tell(delayed, closed(case, opens_at_ms=0))
    assert len(await told(desk, case)) == 4
    # All four of the default are used up, whatever comes in the next episode.
    await desk.tell(received(case, 2), triaged(case, 2))
    await desk.tell(wait(case), closed(case))
    assert len(await told(desk, case)) == 4


async def test_a_customer_takes_the_call_that_was_offered(desk: Desk) -> None:
    offered, silent = await written(desk, "es"), await written(desk, "es")
    await desk.tell(wait(offered, call_back_offered=True), wait(silent))
    assert "LLAMAR" in (await told(desk, offered))[0].text
    assert "LLAMAR" not in (await told(desk, silent))[0].text
    for case in (offered, silent):
        await desk.tell(received(case, 2, "Please ask the courier to call"), triaged(case, 2))
        await desk.tell(received(case, 3, "LLÁMAME: +34 600 100 200"), triaged(case, 3))
        await desk.tell(received(case, 4, "llamar"), triaged(case, 4))
    wishes = await desk.service.events("CallBackRequested")
    assert [(one.conversation_id, one.episode, one.message_seq) for one in wishes] == [(offered, 1, 3)]
    assert len(await told(desk, offered)) == 2
    assert "conserva su lugar" in (await told(desk, offered))[1].text.lower()


async def test_the_operators_texts_take_the_place_of_ours_and_an_empty_one_is_not_sent(
    tmp_path: Path,
) -> None:
    file = tmp_path / "notices.yaml"
    file.write_text('it: {closed: "Chiuso.", wait: ""}\nnl: {closed: "Gesloten."}')
    async with running(definition, AgentSettings(notices_file=file)) as service:
        here = Desk(service)
        italian, dutch = await written(here, "it"), await written(here, "nl")
        await here.tell(wait(italian), *[closed(case, opens_at_ms=0) for case in (italian, dutch)])
        assert [one.text for one in await told(here, italian)] == ["Chiuso."]
        assert [one.text for one in await told(here, dutch)] == ["Gesloten."]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "cannot be read as YAML"),
        ("- it", "expected languages"),
        ("xx1: {closed: a}", "is no language"),
        ("it: a", "it: expected texts by name"),
        ("it: {close: a}", "it.close is no text; there are closed_until"),
        ("it: {closed: 3}", "it.closed: expected a text"),
        ("it: {wait: 'al {hour}'}", "{hour} cannot be filled in here; expected {expected}, {high}"),
        ("it: {wait: '{position.__class__}'}", "cannot be filled in here"),
        ("it: {wait: '{position'}", "it.wait: "),
        ("it: {call_words: []}", "it.call_words: expected a list of words"),
    ],
)
def test_a_file_of_notices_that_makes_no_sense_is_refused_with_the_place(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "notices.yaml"
    file.write_text(text)
    with pytest.raises(NoticesFileError) as refused:
        read_notices(file, "en", 4)
    assert said in str(refused.value)
    assert str(file) in str(refused.value)


def test_a_default_language_without_texts_is_refused() -> None:
    with pytest.raises(NoticesFileError, match="'xx' has no texts; there are ar, de"):
        read_notices(None, "xx", 4)
