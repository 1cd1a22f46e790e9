import base64
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.web import (
    BadRequest,
    PreconditionFailed,
    check_if_match,
    decode_cursor,
    encode_cursor,
    etag_of,
    preferred_wait_s,
)


async def test_pages_cover_the_list_once_by_cursor_and_by_link(client: httpx.AsyncClient) -> None:
    seen: list[int] = []
    path = "/shop/v1/things?limit=10"
    while True:
        response = await client.get(path)
        page = response.json()
        seen += [item["count"] for item in page["items"]]
        if page["next_cursor"] is None:
            assert "link" not in response.headers
            break
        link = response.headers["link"]
        assert link.endswith('; rel="next"')
        path = link[1 : link.index(">")]
        assert page["next_cursor"] in path
        assert "limit=10" in path
        assert path.startswith("/shop/v1/things?")
    assert seen == list(range(25))


async def test_a_strange_host_header_does_not_reach_the_link(client: httpx.AsyncClient) -> None:
    for name in ("[::1", "evil.example", "a b", "x/../y"):
        response = await client.get("/shop/v1/things?limit=1&a=%C3%A9&a=2", headers={"Host": name})
        assert response.status_code == 200
        assert response.headers["link"].startswith("</shop/v1/things?limit=1&a=%C3%A9&a=2&cursor=")


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "99999999999999999999", ""])
async def test_a_limit_out_of_bounds_is_422(client: httpx.AsyncClient, limit: str) -> None:
    assert (await client.get(f"/shop/v1/things?limit={limit}")).status_code == 422


def packed(*value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "", "x", "é", "!!!!", "////", packed(1), packed(2, "things", 5), packed(1, "other", 5),
        packed(1, "things"), packed(1, "things", "5"), packed(1, "things", True), packed(1, "things", 2**63),
        packed(1, "things", 5, 6), packed(1, "things", None), "AAAA" * 200, encode_cursor("other", 5),
    ],
)  # fmt: skip
async def test_a_cursor_that_is_not_ours_is_400(client: httpx.AsyncClient, cursor: str) -> None:
    response = await client.get("/shop/v1/things", params={"cursor": cursor})
    assert response.status_code == 400
    assert response.json()["type"].endswith(":bad-cursor")


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8")), st.integers(-(2**63), 2**63 - 1))
def test_a_cursor_gives_back_its_key(text: str, number: int) -> None:
    if len(text) < 200:
        assert decode_cursor(encode_cursor("k", number, text), "k", int, str) == (number, text)


@given(st.text())
def test_no_text_breaks_the_reading_of_a_cursor(text: str) -> None:
    with pytest.raises(BadRequest):
        decode_cursor(text, "k", int)


def test_a_cursor_cannot_carry_nul_or_half_a_surrogate_to_the_database() -> None:
    for text in ("a\0", "\ud800"):
        with pytest.raises(BadRequest):
            decode_cursor(packed(1, "k", text), "k", str)


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        (None, 428), ('"7"', 200), ('"6"', 412), ("*", 200), ('W/"7"', 412), ('"1", "7"', 200),
        ('"1","2"', 412), ("7", 400), ('"7', 400), ("", 400), ('"7" "8"', 400), ('""', 412),
    ],
)  # fmt: skip
async def test_an_update_needs_the_version_it_was_based_on(
    client: httpx.AsyncClient, if_match: str | None, status: int
) -> None:
    headers = {} if if_match is None else {"If-Match": if_match}
    response = await client.put("/shop/v1/things/t1", headers=headers)
    assert response.status_code == status
    if status == 200:
        assert response.headers["etag"] == etag_of(8)
    if status == 412:
        assert response.json()["current"] == '"7"'


def test_versions_are_compared_as_text() -> None:
    check_if_match('"r1"', "r1")
    with pytest.raises(PreconditionFailed):
        check_if_match('"07"', 7)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0), ("wait=5", 5), ("respond-async, wait=3", 3), ("wait=900", 10), ('wait="2"', 2), ("wait=x", 0),
        ("await=5", 0), ("wait=-1", 0), ("Wait = 4; foo", 4), ("wait=" + "9" * 400, 0),
    ],
)  # fmt: skip
def test_prefer_wait_is_read_and_bounded(header: str | None, seconds: float) -> None:
    assert preferred_wait_s(header, 10) == seconds
