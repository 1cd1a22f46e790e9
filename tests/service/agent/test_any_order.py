"""Any order of arrival gives the same episodes, on the handlers' state: rows and events."""

import json
import random
from typing import Any

import pytest
from google.protobuf.message import Message as Event

from libs.contracts import Kind
from libs.storage import execute, fetch_all
from services.agent.domain import episodes
from tests.service.agent.desk import Desk, fresh, received, triaged
from tests.unit.agent.interleavings import DECISION, MESSAGE, RESOLVE, Step, Story

_KINDS: dict[episodes.Kind, Any] = {
    episodes.Kind.REQUEST: Kind.KIND_REQUEST,
    episodes.Kind.UNSURE: Kind.KIND_UNSURE,
    episodes.Kind.THANKS: Kind.KIND_THANKS,
    episodes.Kind.AUTOMATIC: Kind.KIND_AUTOMATIC,
    episodes.Kind.SPAM: Kind.KIND_SPAM,
    episodes.Kind.SURVEY_ANSWER: Kind.KIND_SURVEY_ANSWER,
}


def random_story(source: random.Random, *, resolved: bool) -> Story:
    kinds = tuple(source.choice(list(episodes.Kind)) for _ in range(source.randint(1, 5)))
    resolutions: list[int] = []
    through = 0
    openings = Story(kinds, ()).openings()
    while resolved and (left := [seq for seq in openings if seq > through]) and source.random() < 0.7:
        through = source.randint(left[0], len(kinds))
        resolutions.append(through)
    return Story(kinds, tuple(resolutions))


def random_order(source: random.Random, story: Story) -> list[Step]:
    queues = [[step for step in story.steps if step[0] == what] for what in (MESSAGE, DECISION, RESOLVE)]
    order: list[Step] = []
    while any(queues):
        order.append(source.choice([queue for queue in queues if queue]).pop(0))
    return order


async def play(desk: Desk, plays: dict[str, tuple[Story, list[Step]]], *, planted: bool = False) -> None:
    """Plays all conversations side by side, one step of each at a time; resolutions wait until they can be."""
    wanted: dict[str, list[int]] = {c: [] for c in plays}
    client = desk.person()
    for round_ in range(max(len(order) for _, order in plays.values())):
        events: list[Event] = []
        for c, (story, order) in plays.items():
            if round_ >= len(order):
                continue
            what, number = order[round_]
            if what == MESSAGE:
                events.append(received(c, number))
            elif what == DECISION:
                events.append(triaged(c, number, _KINDS[story.kinds[number - 1]]))
            else:
                wanted[c].append(number)
        await desk.tell(*events)
        for c, throughs in wanted.items():
            while throughs:
                answer = await client.post(
                    f"/v1/conversations/{c}/resolve",
                    json={"through_seq": throughs[0]},
                    headers={"If-Match": "*"},
                )
                if answer.status_code != 200:
                    assert answer.status_code in (404, 409, 422), answer.text
                    break
                throughs.pop(0)
                if planted:
                    await forget_through_seq(desk, c)


async def forget_through_seq(desk: Desk, conversation: str) -> None:
    """The planted bug: every resolution counts for every message, whatever it went through."""
    async with desk.service.database.begin() as uow:
        await execute(
            uow.connection,
            "UPDATE agent.conversations SET spans = (SELECT jsonb_agg(s || CASE WHEN (s->>'resolved_at_ms')::bigint"
            " > 0 THEN '{\"through_seq\": 0}'::jsonb ELSE '{}'::jsonb END) FROM jsonb_array_elements(spans) s)"
            " WHERE conversation_id = $1",
            conversation,
        )
        await uow.commit()


async def told(desk: Desk) -> dict[str, list[tuple[int, int]]]:
    """Episode and first message of every EpisodeOpened, by conversation."""
    found: dict[str, list[tuple[int, int]]] = {}
    for event in await desk.service.events("EpisodeOpened"):
        found.setdefault(event.conversation_id, []).append((event.episode, event.first_seq))
    return {c: sorted(rows) for c, rows in found.items()}


async def rows_of(desk: Desk, conversation: str) -> str:
    """Every row of a conversation, without its name, its case and the place in the timeline."""
    async with desk.service.database.read() as connection:
        found = [
            await fetch_all(
                connection,
                f"SELECT to_jsonb(t) - 'position' - 'case_reference' FROM agent.{table} t"
                " WHERE conversation_id = $1 ORDER BY 1",
                conversation,
            )
            for table in ("conversations", "understandings", "messages")
        ]
    plain = [[json.loads(row) if isinstance(row, str) else row for (row,) in rows] for rows in found]
    return json.dumps(plain, sort_keys=True).replace(conversation, "c")


async def test_any_order_of_arrival_gives_the_same_episodes(desk: Desk) -> None:
    source = random.Random(1)
    plays = {}
    for _ in range(60):
        story = random_story(source, resolved=True)
        plays[fresh()] = (story, random_order(source, story))
    await play(desk, plays)
    found = await told(desk)
    for c, (story, order) in plays.items():
        assert found.get(c, []) == story.truth(), (story, order)


async def test_message_or_decision_first_gives_the_same_rows(desk: Desk) -> None:
    source = random.Random(2)
    plays = {}
    pairs = []
    for _ in range(30):
        story = random_story(source, resolved=False)
        names = [fresh() for _ in range(3)]
        orders = [story.steps, random_order(source, story), random_order(source, story)]
        plays.update({name: (story, order) for name, order in zip(names, orders, strict=True)})
        pairs.append(names)
    await play(desk, plays)
    for names in pairs:
        shown = {await rows_of(desk, name) for name in names}
        assert len(shown) == 1, [plays[name] for name in names]


async def test_the_property_finds_a_planted_bug(desk: Desk) -> None:
    source = random.Random(3)
    plays = {}
    for _ in range(40):
        story = random_story(source, resolved=True)
        plays[fresh()] = (story, random_order(source, story))
    await play(desk, plays, planted=True)
    found = await told(desk)
    if all(found.get(c, []) == story.truth() for c, (story, _) in plays.items()):
        pytest.fail("a service that ignores through_seq gives the same episodes")
