"""What people read."""

from libs.contracts import (
    AgentAssigned,
    Attachment,
    ConversationContinued,
    CustomerIdentified,
    Identity,
    Released,
    SlaBreached,
    SlaCancelled,
    SlaMet,
    SlaMetric,
    SlaStarted,
    SlaWarned,
    TeamAssigned,
)
from tests.service.agent.desk import REQUEST, THANKS, Desk, fresh, received, slug, triaged
from tests.support.harness import START_MS

_FIRST, _RESOLUTION = SlaMetric.SLA_METRIC_FIRST_RESPONSE, SlaMetric.SLA_METRIC_RESOLUTION


async def test_one_response_holds_all_that_is_known(desk: Desk) -> None:
    await desk.directory()
    c, earlier = fresh(), fresh()
    customer = f"customer-{c}"
    bill = Attachment(attachment_id="f1", name="bill.pdf", media_type="application/pdf", size=7)
    await desk.tell(
        CustomerIdentified(
            customer_id=customer,
            display_name="Tom Reed",
            language="en",
            tier="gold",
            first_seen_at_ms=START_MS - 1000,
            identities=[Identity(channel="chat", account="default", external_id="tom", verified=True)],
        ),
        received(earlier, 1, customer_id=customer),
        triaged(earlier, 1, customer_id=customer),
    )
    await desk.act(earlier, "resolve", {"through_seq": 1})
    await desk.tell(
        received(
            c,
            1,
            "my card was charged twice",
            received_at_ms=START_MS + 500_000,
            subject="Card",
            attachments=[bill],
        ),
        triaged(c, 1, received_at_ms=START_MS + 500_000),
        TeamAssigned(
            conversation_id=c, episode=1, team_id="billing", queue_id="billing", handling="human", epoch=1
        ),
        AgentAssigned(
            conversation_id=c, episode=1, agent_id="anna", team_id="billing", epoch=2, assigned_at_ms=START_MS
        ),
        SlaStarted(
            conversation_id=c,
            episode=1,
            metric=_FIRST,
            instance=1,
            started_at_ms=5,
            due_at_ms=905,
            target_ms=900,
        ),
        SlaStarted(
            conversation_id=c, episode=1, metric=_RESOLUTION, instance=1, started_at_ms=5, due_at_ms=9005
        ),
    )
    await desk.act(c, "notes", {"text": "known bug"})
    answer = await desk.person().get(f"/v1/conversations/{c}")
    shown = answer.json()
    assert answer.headers["etag"] == '"0"'
    assert (shown["case_reference"], shown["subject"], shown["status"]) == (f"CQ7-{c[-5:]}", "Card", "open")
    assert shown["customer"]["name"] == "Tom Reed"
    assert shown["customer"]["tier"] == "gold"
    assert shown["messages"]["items"][0]["attachments"] == [
        {
            "id": "f1",
            "name": "bill.pdf",
            "media_type": "application/pdf",
            "size": 7,
            "inline": False,
            "location": f"/ingest/v1/conversations/{c}/files/f1",
        }
    ]
    assert shown["customer"]["customer_since"].endswith("Z")
    assert shown["customer"]["identities"][0]["external_id"] == "tom"
    assert shown["assignment"]["team"] == {"id": "billing", "name": "Billing"}
    assert shown["assignment"]["agent"] == {"id": "anna", "name": "Anna Rossi"}
    assert [(k["metric"], k["state"]) for k in shown["clocks"]] == [
        ("first_response", "running"),
        ("resolution", "running"),
    ]
    assert shown["triage"]["topic"] == "payment"
    assert shown["triage"]["decision"]["reasons"] == [
        {"signal": "topic", "source": "word", "detail": "card", "weight": 1.5}
    ]
    assert [note["author"]["name"] for note in shown["notes"]] == ["Anna Rossi"]
    assert [row["id"] for row in shown["history"]["conversations"]] == [earlier]
    assert shown["history"]["conversations"][0]["episodes"][0]["reason"] == "solved"
    assert shown["history"]["last_contact_at"] is not None
    assert [row["text"] for row in shown["messages"]["items"]] == ["my card was charged twice"]


async def test_a_timeline_is_paged_from_the_newest_without_holes(desk: Desk) -> None:
    c = await desk.conversation(*[REQUEST] * 5)
    await desk.act(c, "replies", {"text": "hello", "after_seq": 5})
    client = desk.person()
    first = (await client.get(f"/v1/conversations/{c}", params={"limit": 2})).json()["messages"]
    texts = [row["text"] for row in first["items"]]
    cursor = first["next_cursor"]
    while cursor:
        page = (
            await client.get(f"/v1/conversations/{c}/messages", params={"limit": 2, "cursor": cursor})
        ).json()
        texts += [row["text"] for row in page["items"]]
        cursor = page["next_cursor"]
    assert texts == ["hello", "text 5", "text 4", "text 3", "text 2", "text 1"]


async def test_a_message_without_a_decision_belongs_to_nothing_yet(desk: Desk) -> None:
    c = await desk.conversation()
    await desk.tell(received(c, 2))
    newest = (await desk.show(c))["messages"]["items"][0]
    assert (newest["seq"], newest["episode"], newest["triage"], newest["trailing_cause"]) == (
        2,
        None,
        None,
        None,
    )


async def test_lists_are_filtered_and_paged(desk: Desk) -> None:
    await desk.directory()
    mine = []
    for number in range(3):
        c = await desk.conversation()
        mine.append(c)
        await desk.tell(
            TeamAssigned(conversation_id=c, team_id="orders", queue_id="orders", epoch=1),
            AgentAssigned(conversation_id=c, agent_id="ben", team_id="orders", epoch=2),
        )
        if number == 2:
            await desk.act(c, "resolve", {"through_seq": 1})
    client = desk.person()

    async def ids(**params: object) -> list[str]:
        answer = await client.get("/v1/conversations", params=params)  # type: ignore[arg-type]  # httpx takes lists
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["items"]]

    assert set(await ids(agent="ben")) == set(mine)
    assert set(await ids(team="orders", status=["open", "on_hold"])) == set(mine[:2])
    assert await ids(agent="ben", status="resolved") == [mine[2]]
    assert await ids(agent="nobody") == []
    assert await ids(q=f"cq7-{mine[0][-5:]}") == [mine[0]]
    assert await ids(q=f"CQ7{mine[0][-5:]}") == [mine[0]]
    paged: list[str] = []
    cursor = None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/v1/conversations", params=params)).json()
        paged += [row["id"] for row in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert len(paged) == len(set(paged))
    assert set(mine) <= set(paged)


async def test_trailing_messages_are_paged(desk: Desk) -> None:
    left = []
    for _ in range(3):
        c = await desk.conversation()
        await desk.act(c, "resolve", {"through_seq": 1})
        await desk.write(c, 2, THANKS)
        left.append(f"{c}-m2")
    client = desk.person()
    found: list[str] = []
    params: dict[str, str | int] = {"limit": 1, "cause": "thanks"}
    while True:
        page = (await client.get("/v1/messages/trailing", params=params)).json()
        found += [row["id"] for row in page["items"]]
        if not page["next_cursor"]:
            break
        params["cursor"] = page["next_cursor"]
    assert sorted(found) == sorted(left)


async def test_routing_moves_what_is_shown_and_an_old_epoch_does_not(desk: Desk) -> None:
    c = await desk.conversation()
    await desk.tell(
        AgentAssigned(conversation_id=c, agent_id="anna", team_id="billing", queue_id="billing", epoch=4),
        Released(conversation_id=c, agent_id="anna", epoch=4, reason="transferred"),
        TeamAssigned(conversation_id=c, team_id="orders", queue_id="orders", epoch=5),
        AgentAssigned(conversation_id=c, agent_id="ben", team_id="orders", queue_id="orders", epoch=6),
        AgentAssigned(conversation_id=c, agent_id="anna", team_id="billing", queue_id="billing", epoch=3),
    )
    assigned = (await desk.show(c))["assignment"]
    assert (assigned["agent"]["id"], assigned["team"]["id"]) == ("ben", "orders")
    assert assigned["last_agent"]["id"] == "ben"


async def test_clocks_show_warnings_breaches_pauses_and_ends(desk: Desk) -> None:
    c = await desk.conversation()

    async def clocks() -> dict[str, tuple[str, bool, bool]]:
        rows = (await desk.show(c))["clocks"]
        return {row["metric"]: (row["state"], row["breached"], row["due_at"] is None) for row in rows}

    await desk.tell(
        SlaStarted(conversation_id=c, metric=_FIRST, instance=1, started_at_ms=1, due_at_ms=10, target_ms=9),
        SlaStarted(conversation_id=c, metric=_RESOLUTION, instance=1, started_at_ms=1, due_at_ms=100),
        SlaWarned(conversation_id=c, metric=_FIRST, instance=1, warned_at_ms=8, due_at_ms=10),
        SlaBreached(conversation_id=c, metric=_FIRST, instance=1, due_at_ms=10),
    )
    assert await clocks() == {
        "first_response": ("running", True, False),
        "resolution": ("running", False, False),
    }
    await desk.tell(
        SlaMet(conversation_id=c, metric=_FIRST, instance=1, met_at_ms=12, elapsed_ms=11),
        SlaStarted(conversation_id=c, metric=_RESOLUTION, instance=1, started_at_ms=1, due_at_ms=0),
    )
    assert await clocks() == {"first_response": ("met", True, False), "resolution": ("paused", False, True)}
    await desk.tell(SlaCancelled(conversation_id=c, metric=_RESOLUTION, instance=1, cancelled_at_ms=13))
    assert (await clocks())["resolution"][0] == "cancelled"


async def test_a_conversation_knows_what_it_continues_and_what_continues_it(desk: Desk) -> None:
    old, new = await desk.conversation(), fresh()
    await desk.tell(
        ConversationContinued(conversation_id=old, continued_as_conversation_id=new),
        received(new, 1, continues_conversation_id=old),
        triaged(new, 1),
    )
    assert (await desk.show(old))["continued_as"] == new
    assert (await desk.show(new))["continues"] == old


async def test_an_unknown_conversation_is_not_there(desk: Desk) -> None:
    for path in ("/v1/conversations/none", "/v1/conversations/none/messages"):
        answer = await desk.person().get(path)
        assert (answer.status_code, slug(answer)) == (404, "not-found")
