"""Mailboxes that are opened by tokens: fetched for each connection, renewed, and asked for again when they are refused."""

import asyncio
import json
import urllib.parse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from libs.storage import fetch_all
from libs.web import GuardedClient, parse_networks
from services.ingest.account_parts import ImapBox, ImapOAuth
from services.ingest.accounts import ChannelAccount
from services.ingest.adapters.keys import Sealer
from services.ingest.adapters.mail_tokens import MailTokens
from services.ingest.domain.model import ChannelName
from services.ingest.ports import MailboxAway
from services.ingest.service import definition
from services.ingest.settings import IngestSettings
from services.simulator.serving import serving_app
from tests.service.ingest.mails import mail
from tests.support.harness import ServiceUnderTest, running
from tests.support.imap import ImapServer, imap_server


@dataclass
class TokenServer:
    """Where tokens are asked for. `answers` are given one by one, the last for ever."""

    answers: list[tuple[int, Any]]
    forms: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    async def take(self, request: Request) -> Response:
        self.forms.append(dict(urllib.parse.parse_qsl((await request.body()).decode())))
        status, said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Response(said if isinstance(said, str) else json.dumps(said), status)


@asynccontextmanager
async def tokens(*answers: tuple[int, Any]) -> AsyncIterator[TokenServer]:
    made = TokenServer(list(answers))
    async with serving_app(Starlette(routes=[Route("/token", made.take, methods=["POST"])])) as address:
        made.url = f"{address}/token"
        yield made


def sign_in(server: TokenServer, **fields: str) -> ImapOAuth:
    """As an account's file has it."""
    return ImapOAuth.model_validate(
        {"token_url": server.url, "client_id": "us", "client_secret": "key", **fields}
    )


@asynccontextmanager
async def reading(box: ImapServer, server: TokenServer, **oauth: str) -> AsyncIterator[ServiceUnderTest]:
    imap = ImapBox(
        host="127.0.0.1",
        port=box.port,
        tls="none",
        user="help",
        first="all",
        oauth=sign_in(server, **oauth),
    )
    account = ChannelAccount(channel=ChannelName.MAIL, address="support@localhost.localdomain", imap=imap)
    settings = IngestSettings(accounts=(account,), imap_poll_s=0.2, outgoing_allowed=("127.0.0.0/8",))
    async with running(definition, settings) as service:
        yield service


async def stored(service: ServiceUnderTest, statement: str, count: int) -> list[Any]:
    async with asyncio.timeout(30):
        while True:
            async with service.database.read() as connection:
                rows = await fetch_all(connection, statement)
            if len(rows) >= count:
                return rows
            await asyncio.sleep(0.02)


MAILS = "SELECT 1 FROM ingest.raw_messages"
NEWEST = "SELECT newest FROM ingest.mailbox_tokens"


async def test_a_refresh_token_opens_the_mailbox_and_the_one_that_takes_its_place_is_kept_sealed() -> None:
    good = (200, {"access_token": "right", "refresh_token": "second", "expires_in": 3600})
    async with imap_server() as box, tokens(good) as server:
        box.add(mail("One", message_id="<1@example.org>"))
        async with reading(box, server, refresh_token="first", scope="https://mail.example/") as service:
            await stored(service, MAILS, 1)
            [(newest,)] = await stored(service, NEWEST, 1)
            assert newest.startswith("sealed:")
            assert "second" not in newest
            # The connection is lost, and the old access token is taken no more.
            server.answers = [(200, {"access_token": "other", "refresh_token": "third"})]
            box.password = "other"
            box.restart()
            box.add(mail("Two", message_id="<2@example.org>"))
            await stored(service, MAILS, 2)
    assert server.forms[0] == {
        "client_id": "us",
        "client_secret": "key",
        "grant_type": "refresh_token",
        "refresh_token": "first",
        "scope": "https://mail.example/",
    }
    assert server.forms[-1]["refresh_token"] == "second"


async def test_an_application_signs_in_by_itself_and_a_token_that_is_refused_is_asked_for_again() -> None:
    stale, good = (200, {"access_token": "stale"}), (200, {"access_token": "right"})
    async with imap_server() as box, tokens(stale, good) as server:
        box.add(mail("One", message_id="<1@example.org>"))
        async with reading(box, server) as service:
            await stored(service, MAILS, 1)
            assert await stored(service, NEWEST, 0) == []
    assert [form["grant_type"] for form in server.forms[:2]] == ["client_credentials"] * 2
    assert "refresh_token" not in server.forms[0]


@pytest.mark.parametrize(
    ("answer", "used"),
    [
        ((503, {"error": "temporarily_unavailable"}), "second"),
        ((429, {"error": "slow_down"}), "second"),
        ((401, {"error": "invalid_client"}), "second"),
        ((503, "busy"), "second"),
        ((400, {"error": "invalid_grant"}), "first"),
    ],
)
async def test_the_kept_token_is_given_up_only_when_it_is_the_token_that_is_refused(
    answer: tuple[int, Any], used: str
) -> None:
    good = (200, {"access_token": "right", "refresh_token": "second"})
    async with (
        running(definition, IngestSettings(), tasks=False) as service,
        tokens(good, answer, (200, {"access_token": "right"})) as server,
    ):
        client = GuardedClient(allowed=parse_networks(["127.0.0.0/8"]))
        ours = MailTokens(client, service.database, Sealer([bytes(32)]))
        oauth = sign_in(server, refresh_token="first")
        assert await ours.fresh("help", oauth) == "right"
        with pytest.raises(MailboxAway):
            await ours.fresh("help", oauth)
        assert await ours.fresh("help", oauth) == "right"
    assert [form["refresh_token"] for form in server.forms] == ["first", "second", used]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            (400, {"error": "invalid_grant", "error_description": "Token expired."}),
            "invalid_grant Token expired.",
        ),
        ((200, "<html>"), "without a JSON object; look at token_url"),
        ((200, "[" * 100_000), "without a JSON object"),
        ((200, {"access_token": 7}), "sign in again and put the new refresh_token into the account"),
        ((401, {"error": "invalid_client"}), "invalid_client'; look at client_id, client_secret and scope"),
        ((500, ""), "answered 500; it is asked again"),
        ((503, {"error": "temporarily_unavailable"}), "answered 503; it is asked again"),
    ],
)
async def test_what_a_provider_of_tokens_says_is_told_in_words(answer: tuple[int, Any], told: str) -> None:
    async with running(definition, IngestSettings(), tasks=False) as service, tokens(answer) as server:
        client = GuardedClient(allowed=parse_networks(["127.0.0.0/8"]))
        ours = MailTokens(client, service.database, Sealer([bytes(32)]))
        oauth = sign_in(server, client_secret="key-of-ours", refresh_token="first-token")
        with pytest.raises(MailboxAway) as away:
            await ours.fresh("help", oauth)
    assert told in str(away.value)
    assert "mail account 'help'" in str(away.value)
    assert not {"key-of-ours", "first-token"} & set(str(away.value).split())


def test_a_mailbox_has_one_way_in_and_tokens_come_from_a_safe_address() -> None:
    oauth = {"token_url": "https://id.example/token", "client_id": "us", "client_secret": "key"}
    for fields in ({}, {"password": "x", "oauth": oauth}):
        with pytest.raises(ValidationError, match="by a password or by oauth"):
            ImapBox(host="h", user="help", **fields)  # type: ignore[arg-type]  # fields by name
    with pytest.raises(ValidationError, match="token_url"):
        ImapBox(host="h", user="help", oauth={**oauth, "token_url": "http://id.example/token"})  # type: ignore[arg-type]  # as a file has it
