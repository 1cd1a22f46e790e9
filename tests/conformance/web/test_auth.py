import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from libs.web import (
    KeyFileError,
    TokenKeys,
    Tokens,
    Unavailable,
    hash_password,
    needs_rehash,
    verify_password,
)
from libs.web.auth import TicketBook
from libs.web.tokens import VISITOR
from tests.conformance.web.conftest import ManualSeconds


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def slug(response: httpx.Response) -> str:
    return str(response.json()["type"]).rsplit(":", 1)[-1]


@pytest.mark.parametrize(
    ("role", "staff", "admin"),
    [
        ("customer", 403, 403),
        ("service", 403, 403),
        ("agent", 200, 403),
        ("supervisor", 200, 403),
        ("admin", 200, 200),
    ],
)
async def test_roles_open_what_they_should(
    client: httpx.AsyncClient, tokens: Tokens, role: Any, staff: int, admin: int
) -> None:
    headers = bearer(tokens.issue("p1", role, 60))
    assert (await client.get("/shop/v1/staff", headers=headers)).status_code == staff
    assert (await client.get("/shop/v1/stream", headers=headers)).status_code == staff
    assert (await client.get("/shop/v1/admin", headers=headers)).status_code == admin


async def test_a_missing_forged_or_expired_token_is_401_with_a_challenge(
    client: httpx.AsyncClient, tokens: Tokens, seconds: ManualSeconds
) -> None:
    good = tokens.issue("p1", "admin", 60)
    head, payload, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    stranger = Tokens(TokenKeys.generate(), now=seconds).issue("p1", "admin", 60)
    changed = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "p2"}).encode()).decode().rstrip("=")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    public = json.dumps(tokens.keys.public_set()["keys"][0]).encode()
    confused = jwt.encode(
        {"alg": "HS256", "kid": tokens.keys.signing_key()[0]}, claims, OctKey.import_key(public), ["HS256"]
    )
    cases = [
        {}, bearer(stranger), bearer(f"{head}.{changed}.{signature}"), bearer(f"{unsigned}.{payload}."),
        bearer(confused), bearer("x"), bearer("a.b.c"), bearer("é"), bearer("a" * 10_000), bearer(""),
        {"Authorization": "Basic abc"}, {"Authorization": good},
    ]  # fmt: skip
    for headers in cases:
        encoded = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        response = await client.get("/shop/v1/staff", headers=encoded)
        assert response.status_code == 401, headers
        assert response.headers["www-authenticate"].startswith("Bearer")
    assert (await client.get("/shop/v1/staff", headers=bearer(good))).status_code == 200
    seconds.at += 61
    late = await client.get("/shop/v1/staff", headers=bearer(good))
    assert (late.status_code, slug(late)) == (401, "token-expired")


async def test_a_token_of_the_future_or_of_another_issuer_is_refused(
    client: httpx.AsyncClient, tokens: Tokens, seconds: ManualSeconds
) -> None:
    kid, key = tokens.keys.signing_key()
    base = {
        "iss": "centralino",
        "aud": "centralino",
        "sub": "p",
        "role": "admin",
        "exp": int(seconds.at) + 60,
    }
    wrong: list[dict[str, Any]] = [
        {"nbf": int(seconds.at) + 60}, {"iss": "elsewhere"}, {"aud": "elsewhere"}, {"role": "root"},
        {"exp": "never"}, {"sub": 5}, {"aud": ["centralino"]}, {"exp": True},
    ]  # fmt: skip
    for change in wrong:
        token = jwt.encode({"alg": "Ed25519", "kid": kid}, {**base, **change}, key, ["Ed25519"])
        assert (await client.get("/shop/v1/staff", headers=bearer(token))).status_code == 401, change
    missing = {name: value for name, value in base.items() if name != "exp"}
    token = jwt.encode({"alg": "Ed25519", "kid": kid}, missing, key, ["Ed25519"])
    assert (await client.get("/shop/v1/staff", headers=bearer(token))).status_code == 401


async def test_a_visitor_token_opens_one_conversation_and_no_role(
    client: httpx.AsyncClient, tokens: Tokens
) -> None:
    visitor = bearer(tokens.issue_visitor("cust1", "conv1"))
    assert (await client.get("/shop/v1/visit", headers=visitor)).json() == "conv1"
    assert (await client.get("/shop/v1/staff", headers=visitor)).status_code == 401
    customer = bearer(tokens.issue("cust1", "customer", 60))
    assert (await client.get("/shop/v1/visit", headers=customer)).status_code == 401


async def test_a_ticket_opens_a_stream_once_within_30_seconds(
    client: httpx.AsyncClient, tokens: Tokens, seconds: ManualSeconds
) -> None:
    agent = bearer(tokens.issue("anna", "agent", 600))
    first, second = [(await client.post("/shop/v1/tickets", headers=agent)).json() for _ in range(2)]
    assert (await client.get(f"/shop/v1/stream?ticket={first}")).json() == "anna"
    again = await client.get(f"/shop/v1/stream?ticket={first}")
    assert (again.status_code, slug(again)) == (401, "ticket-used")
    assert (await client.get(f"/shop/v1/staff?ticket={second}")).status_code == 401
    assert (await client.get("/shop/v1/staff", headers=bearer(second))).status_code == 401
    plain = tokens.issue("anna", "agent", 600)
    assert (await client.get(f"/shop/v1/stream?ticket={plain}")).status_code == 401
    seconds.at += 31
    assert (await client.get(f"/shop/v1/stream?ticket={second}")).status_code == 401


async def test_a_ticket_keeps_the_narrowness_of_its_token(client: httpx.AsyncClient, tokens: Tokens) -> None:
    visitor = tokens.verify(tokens.issue_visitor("cust1", "conv1"), VISITOR)
    ticket = tokens.issue_ticket(visitor)
    assert (await client.get(f"/shop/v1/stream?ticket={ticket}")).status_code == 401
    ticket = tokens.issue_ticket(visitor)
    assert (await client.get(f"/shop/v1/visit?ticket={ticket}")).json() == "conv1"


def test_the_ticket_book_is_bounded_and_forgets_the_expired() -> None:
    book = TicketBook(most=2)
    book.use("a", expires_at_s=10, now_s=0)
    book.use("b", expires_at_s=10, now_s=0)
    with pytest.raises(Unavailable):
        book.use("c", expires_at_s=10, now_s=5)
    book.use("c", expires_at_s=20, now_s=11)


async def test_an_open_route_knows_a_good_token_and_refuses_a_bad_one(
    client: httpx.AsyncClient, tokens: Tokens
) -> None:
    assert (await client.get("/shop/v1/open")).json() == "nobody"
    good = bearer(tokens.issue("anna", "agent", 60))
    assert (await client.get("/shop/v1/open", headers=good)).json() == "anna"
    assert (await client.get("/shop/v1/open", headers=bearer("x"))).status_code == 401


def test_the_key_file_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "token.json"
    made = TokenKeys.load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["token.json"]
    read = Tokens(TokenKeys.load_or_create(path))
    assert read.verify(Tokens(made).issue("p", "agent", 60)).subject == "p"
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        TokenKeys.load_or_create(path)


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (b" ", "it is empty"),
        (b"{broken", "it begins like JSON and is none (Expecting property name"),
        (b'{"keys": []}', "its list of keys is empty"),
        (b'{"keys": {"kid": "x"}}', "its list of keys is empty or no list"),
        (b'{"kty": "oct", "k": "c2VjcmV0"}', "key 1 of it is none of Ed25519"),
        (b"-----BEGIN PRIVATE KEY-----", "key 1 of it is none of Ed25519"),
    ],
)
def test_a_key_file_that_is_none_is_named_with_what_was_seen_and_what_to_do(
    tmp_path: Path, content: bytes, seen: str
) -> None:
    path = tmp_path / "token-keys.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError) as caught:
        TokenKeys.load_or_create(path)
    said = str(caught.value)
    assert said.startswith(f"{path} holds no usable key: {seen}")
    assert '; expected a JWK Set, {"keys": [...]}, one JWK or a PEM, of Ed25519 keys' in said
    assert "Restore it from a backup, or move it away and start again: a new one is made" in said
    assert "c2VjcmV0" not in said


def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "a-folder.json"
    folder.mkdir(mode=0o700)
    with pytest.raises(KeyFileError) as caught:
        TokenKeys.load_or_create(folder)
    assert str(caught.value).startswith(f"{folder} cannot be read or made (Is a directory)")
    blob = tmp_path / "blob.json"
    blob.write_bytes(b"\xff\xfe")
    blob.chmod(0o600)
    with pytest.raises(KeyFileError, match="is no text, expected JSON"):
        TokenKeys.load_or_create(blob)


def test_public_keys_verify_and_cannot_sign_and_old_keys_go_on_verifying() -> None:
    keys = TokenKeys.generate()
    old = Tokens(keys).issue("p", "agent", 60)
    rotated = keys.rotated()
    public = Tokens(TokenKeys.from_text(json.dumps(rotated.public_set())))
    assert public.verify(old).subject == "p"
    assert public.verify(Tokens(rotated).issue("q", "agent", 60)).subject == "q"
    with pytest.raises(KeyFileError):
        public.issue("p", "agent", 60)
    assert '"d"' not in json.dumps(rotated.public_set())
    for text in ("", "{}", '{"kty": "oct", "k": "AAAA"}', "-----BEGIN PRIVATE KEY-----"):
        with pytest.raises(KeyFileError):
            TokenKeys.from_text(text)


def test_a_token_cannot_be_issued_for_an_unknown_role_or_over_its_own_claims() -> None:
    tokens = Tokens(TokenKeys.generate())
    with pytest.raises(ValueError, match="root"):
        tokens.issue("p", "root", 60)  # type: ignore[arg-type]  # what a caller without types may pass
    with pytest.raises(ValueError, match="exp"):
        tokens.issue("p", "agent", 60, {"exp": 0})


async def test_passwords_are_told_apart_and_an_unknown_person_takes_the_same_path() -> None:
    stored = await hash_password("correct horse")
    assert stored.startswith("$argon2id$")
    assert await verify_password(stored, "correct horse")
    assert not await verify_password(stored, "correct horsf")
    assert not await verify_password(None, "nobody has this password")
    assert not await verify_password("not a hash", "x")
    assert not await verify_password(stored, "x" * 2000)
    assert not await verify_password(stored, "\ud800")
    assert not needs_rehash(stored)
    with pytest.raises(ValueError):
        await hash_password("")
