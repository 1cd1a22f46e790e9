"""Every bad input has its stated answer, and nothing changes."""

from typing import Any

import pytest

from tests.service.agent.desk import Desk, slug

_REPLY = {"text": "hello", "after_seq": 1}


@pytest.mark.parametrize(
    "body",
    [
        {**_REPLY, "surprise": 1},
        {**_REPLY, "after_seq": "1"},
        {**_REPLY, "after_seq": True},
        {**_REPLY, "after_seq": 1.5},
        {**_REPLY, "after_seq": -1},
        {**_REPLY, "after_seq": 2**70},
        {**_REPLY, "then": "resolved"},
        {**_REPLY, "text": 7},
        {**_REPLY, "text": None},
        {**_REPLY, "text": ""},
        {**_REPLY, "text": " \n\t "},
        {**_REPLY, "text": "nul \x00 inside"},
        {"text": "hello"},
        [],
        "text",
        None,
    ],
)
async def test_a_reply_that_makes_no_sense_is_refused(desk: Desk, body: Any) -> None:
    c = await desk.conversation()
    answer = await desk.act(c, "replies", body, version=0)
    assert answer.status_code == 422, answer.text
    slug(answer)
    assert await desk.events("ReplySent", c) == []


@pytest.mark.parametrize("text", ["\u202eabc\u202c", "שלום \u200f مرحبا", "👩‍👩‍👧 ok", "a\u0301"])
async def test_text_of_any_script_and_direction_goes_through_unchanged(desk: Desk, text: str) -> None:
    c = await desk.conversation()
    assert (await desk.act(c, "replies", {"text": text, "after_seq": 1})).status_code == 201
    (sent,) = await desk.events("ReplySent", c)
    assert sent.text == text
    assert (await desk.show(c))["messages"]["items"][0]["text"] == text


async def test_a_text_has_64_kilobytes_at_most(desk: Desk) -> None:
    c = await desk.conversation()
    fits = await desk.act(c, "replies", {"text": "é" * 32_768, "after_seq": 1}, version=0)
    assert fits.status_code == 201
    for what in ("replies", "notes"):
        body = {"text": "é" * 32_769, **({"after_seq": 1} if what == "replies" else {})}
        over = await desk.act(c, what, body, version=1)
        assert (over.status_code, slug(over)) == (413, "too-large")


async def test_a_body_over_the_limit_is_refused(desk: Desk) -> None:
    c = await desk.conversation()
    answer = await desk.act(c, "replies", {"text": "x" * 1_100_000, "after_seq": 1}, version=0)
    assert (answer.status_code, slug(answer)) == (413, "too-large")


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b'{"text": "\xff", "after_seq": 1}', "application/json", 400),
        (b"{not json", "application/json", 400),
        (b'{"text": "\\ud800", "after_seq": 1}', "application/json", 422),
        (b'{"text": "\\u0000", "after_seq": 1}', "application/json", 422),
        (b'{"text": "hello", "after_seq": NaN}', "application/json", 422),
        (b"text=hello", "application/x-www-form-urlencoded", 415),
        (b'{"text": "hello", "after_seq": 1}', "text/plain", 415),
    ],
)
async def test_bytes_that_are_no_json_are_refused(
    desk: Desk, content: bytes, content_type: str, status: int
) -> None:
    c = await desk.conversation()
    answer = await desk.person().post(
        f"/v1/conversations/{c}/replies",
        content=content,
        headers={"Content-Type": content_type, "If-Match": '"0"'},
    )
    assert answer.status_code == status, answer.text
    slug(answer)
    assert await desk.events("ReplySent", c) == []


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("status", {"status": "resolved"}),
        ("status", {"status": "new"}),
        ("status", {"status": "snoozed"}),
        ("status", {"status": "snoozed", "until_at": "2030-01-01T00:00:00"}),
        ("status", {"status": "snoozed", "until_at": "1999-01-01T00:00:00Z"}),
        ("status", {"status": "snoozed", "until_at": "9999-12-31T23:59:59Z"}),
        ("status", {"status": "snoozed", "until_at": "tomorrow"}),
        ("status", {"status": "open", "until_at": "2030-01-01T00:00:00Z"}),
        ("topic", {"topic": "Not A Key"}),
        ("topic", {"topic": ""}),
        ("tags", {"tags": [""]}),
        ("tags", {"tags": [" a"]}),
        ("tags", {"tags": ["x" * 51]}),
        ("tags", {"tags": "vip"}),
        ("tags", {"tags": [str(n) for n in range(51)]}),
        ("resolve", {"through_seq": 1, "reason": "because"}),
        ("resolve", {}),
        ("transfers", {}),
        ("transfers", {"team_id": "billing", "queue_id": "billing"}),
        ("transfers", {"team_id": ""}),
        ("notes", {"text": "  "}),
    ],
)
async def test_an_act_that_makes_no_sense_is_refused(desk: Desk, what: str, body: Any) -> None:
    c = await desk.conversation()
    answer = await desk.act(c, what, body, version=0)
    assert answer.status_code == 422, answer.text
    slug(answer)
    assert (await desk.show(c))["human_version"] == 0


@pytest.mark.parametrize("tag", ["0", "W/0", '"', "'0'", '"0'])
async def test_a_version_that_is_no_etag_is_refused(desk: Desk, tag: str) -> None:
    c = await desk.conversation()
    answer = await desk.person().post(
        f"/v1/conversations/{c}/replies", json=_REPLY, headers={"If-Match": tag}
    )
    assert (answer.status_code, slug(answer)) == (400, "bad-if-match")


@pytest.mark.parametrize("what", ["replies", "resolve", "transfers", "notes"])
async def test_an_act_on_an_unknown_conversation_finds_nothing(desk: Desk, what: str) -> None:
    bodies: dict[str, Any] = {
        "replies": _REPLY,
        "resolve": {"through_seq": 1},
        "transfers": {"queue_id": "billing"},
        "notes": {"text": "x"},
    }
    answer = await desk.act("none", what, bodies[what], version=0)
    assert (answer.status_code, slug(answer)) == (404, "not-found")


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 201},
        {"limit": "many"},
        {"status": "closed"},
        {"cursor": "bm9uc2Vuc2U"},
        {"cursor": "\u202e"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/conversations"])
async def test_a_list_refuses_what_it_does_not_know(desk: Desk, path: str, params: Any) -> None:
    answer = await desk.person().get(path, params=params)
    assert answer.status_code in (400, 422), answer.text
    slug(answer)


_ROUTES = [
    ("GET", "/v1/me"),
    ("GET", "/v1/conversations"),
    ("GET", "/v1/conversations/x"),
    ("GET", "/v1/conversations/x/messages"),
    ("GET", "/v1/messages/trailing"),
    ("POST", "/v1/conversations/x/replies"),
    ("POST", "/v1/conversations/x/notes"),
    ("POST", "/v1/conversations/x/resolve"),
    ("POST", "/v1/conversations/x/transfers"),
    ("POST", "/v1/conversations/x/messages/m/open"),
    ("PUT", "/v1/conversations/x/tags"),
    ("PUT", "/v1/conversations/x/topic"),
    ("PUT", "/v1/conversations/x/status"),
]


@pytest.mark.parametrize(("method", "path"), _ROUTES)
async def test_every_route_wants_a_good_token(desk: Desk, method: str, path: str) -> None:
    client = desk.person(role=None)
    assert (await client.request(method, path)).status_code == 401
    forged = desk.service.token()[:-6] + "AAAAAA"
    expired = desk.service.tokens.issue("anna", "agent", -10)
    for token in (forged, expired, "nonsense"):
        answer = await client.request(method, path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, answer.text
        slug(answer)


@pytest.mark.parametrize("role", ["customer", "service"])
@pytest.mark.parametrize(("method", "path"), _ROUTES[1:])
async def test_customers_and_services_are_not_staff(desk: Desk, role: str, method: str, path: str) -> None:
    answer = await desk.person(role=role).request(method, path)
    assert (answer.status_code, slug(answer)) == (403, "forbidden")


@pytest.mark.parametrize("role", ["agent", "supervisor", "admin"])
async def test_assignment_does_not_authorise(desk: Desk, role: str) -> None:
    c = await desk.conversation()
    answer = await desk.person("somebody-else", role).post(
        f"/v1/conversations/{c}/replies", json=_REPLY, headers={"If-Match": '"0"'}
    )
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "anna"},
        {"username": "", "password": "x"},
        {"username": "anna", "password": ""},
        {"username": 1, "password": "x"},
        {"username": "anna", "password": "x" * 1025},
        {"username": "anna\x00", "password": "x"},
        {"username": "anna", "password": "x", "remember": True},
    ],
)
async def test_a_sign_in_that_makes_no_sense_is_refused(desk: Desk, body: Any) -> None:
    answer = await desk.person(role=None).post("/v1/sessions", json=body)
    assert answer.status_code == 422, answer.text
    slug(answer)
