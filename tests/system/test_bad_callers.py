"""Every operation that writes is given every kind of bad token, id, version and key, on a real host."""

from typing import Any

import httpx
import pytest

from tests.system.desk import Desk, problem, refused
from tests.system.writing import ALL, Operation, each

CREATING = {"routing_put_agent", "routing_put_pool"}
QUERIED = {"ingest_post_file"}
"""What they need in the query is asked for before the place is looked up: tests/service/ingest/test_widget.py."""
MAIL = "/ingest/v1/mail"
TOKENS = [one for one in ALL if one.takes_token]


def sent(shared: Desk, operation: Operation, authorization: str | None) -> httpx.Response:
    headers = {"If-Match": '"0"'} | ({"Authorization": authorization} if authorization is not None else {})
    if operation.path() == MAIL:
        headers["Content-Type"] = "message/rfc822"
        return shared.client.request(
            operation.method, MAIL, content=b"From: a@b.example\r\n\r\nx", headers=headers
        )
    return shared.client.request(operation.method, operation.path(), json=operation.sample(), headers=headers)


@each(TOKENS)
def test_a_token_that_is_missing_forged_or_expired_is_refused(shared: Desk, operation: Operation) -> None:
    good = shared.token("admin")
    head, claims, _ = good.split(".")
    _, _, other = shared.token("agent").split(".")
    if operation.needs_token:
        refused(sent(shared, operation, None), 401, "unauthorized", "Authorization: Bearer")
    cases = {
        f"Bearer {head}.{claims}.{other}": ("token-invalid", "not one of ours"),
        f"Bearer {head}.{claims}.": ("token-invalid", "not one of ours"),
        "Bearer eyJhbGciOiJub25lIn0.e30.": ("token-invalid", "not one of ours"),
        "Bearer " + "a" * 5000: ("token-invalid", "5000 characters"),
        "Bearer": ("token-invalid", "Bearer <token>"),
        f"Basic {good}": ("token-invalid", "Bearer <token>"),
        f"Bearer {shared.token('admin', seconds=-1)}": ("token-expired", "expired"),
    }
    for authorization, (slug, said) in cases.items():
        answer = sent(shared, operation, authorization)
        refused(answer, 401, slug, said)
        assert answer.headers["www-authenticate"].startswith("Bearer")


@each(TOKENS)
def test_a_token_of_the_wrong_role_is_refused_with_both_roles(shared: Desk, operation: Operation) -> None:
    refusals = {}
    for role in ("customer", "agent", "supervisor", "service"):
        answer = sent(shared, operation, f"Bearer {shared.token(role)}")
        assert answer.status_code < 500, answer.text
        if answer.status_code == 403:
            refusals[role] = refused(answer, 403, "forbidden", f"the token has {role}")
    assert "customer" in refusals
    assert sent(shared, operation, f"Bearer {shared.token('admin')}").status_code not in (401, 403)


@pytest.fixture(scope="module")
def thread(shared: Desk) -> Any:
    """A visitor's conversation, with the token that opens it alone."""
    return shared.write()


@each([one for one in TOKENS if one.needs_token])
def test_a_visitors_token_opens_nothing_but_its_conversation(
    shared: Desk, operation: Operation, thread: Any
) -> None:
    problem(sent(shared, operation, f"Bearer {thread['visitor_token']}"), (401, 403))


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"conversation_id": "another"}, 403, "visitor's own token"),
        ({"channel": "api"}, 403, "role service"),
        ({"text": " \n\u3000"}, 422, "empty"),
        ({"text": "é" * 40_000}, 413, "65536 bytes"),
    ],
)
def test_a_visitor_posts_into_their_own_thread_alone(
    shared: Desk, thread: Any, change: dict[str, str], status: int, said: str
) -> None:
    headers = {"Authorization": f"Bearer {thread['visitor_token']}"}
    body = {"channel": "chat", "text": "x", **change}
    problem(shared.client.post("/ingest/v1/messages", json=body, headers=headers), (status,), said)


@each([one for one in ALL if one.has_id and one.id not in CREATING | QUERIED])
def test_an_id_that_nothing_has_is_said_to_be_unknown(shared: Desk, operation: Operation) -> None:
    answer = sent(shared, operation, f"Bearer {shared.token('admin')}")
    refused(answer, 404, answer.json()["type"].rpartition(":")[2])


ODD_IDS = {
    "NUL": "a%00b",
    "no UTF-8": "%ff%fe",
    "half a pair": "%ed%a0%80",
    "direction": "%E2%80%AEabc",
    "long": "x" * 3000,
    "a way up": "..%2f..%2fetc",
    "quotes": "%22%27%3b--",
    "a space": "%20",
}


@each([one for one in ALL if one.has_id])
@pytest.mark.parametrize("odd", ODD_IDS.values(), ids=list(ODD_IDS))
def test_an_id_that_is_none_is_refused(shared: Desk, operation: Operation, odd: str) -> None:
    answer = shared.ask(
        operation.method, operation.path(odd), json=operation.sample(), headers={"If-Match": '"0"'}
    )
    problem(answer, (400, 404, 422))


@each([one for one in ALL if "If-Match" in one.headers])
@pytest.mark.parametrize("tag", ["0", '"', "'0'", 'W/"0"', "\u202e", "x" * 5000, ""])
def test_a_version_that_is_no_etag_breaks_nothing(shared: Desk, operation: Operation, tag: str) -> None:
    headers = {"If-Match": tag.encode()}
    answer = shared.ask(operation.method, operation.path(), json=operation.sample(), headers=headers)
    problem(answer, (400, 404, 412, 422, 428))


@each(ALL)
@pytest.mark.parametrize("key", ["", "x" * 300, "é", "a b", '"'])
def test_a_key_that_is_none_breaks_nothing(shared: Desk, operation: Operation, key: str) -> None:
    headers = {"Idempotency-Key": key.encode(), "If-Match": '"0"'}
    role = "admin" if operation.takes_token else None
    answer = shared.ask(operation.method, operation.path(), role, json=operation.sample(), headers=headers)
    assert answer.status_code < 500, answer.text
    if answer.status_code == 400:
        refused(answer, 400, "bad-idempotency-key", "1 to 255 visible ASCII")
