"""Files of customers: kept with their message, handed out so that they can do no harm, gone when their time has passed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from libs.storage import FolderBlobs
from services.ingest.domain.attachments import sniff
from services.ingest.service import definition
from services.ingest.settings import IngestSettings
from services.ingest.workers.file_retention import FileRetention
from services.simulator import SHAPES, Payload
from services.simulator.provider import SimulatedProvider, serving
from tests.service.ingest.conftest import converse
from tests.service.ingest.mails import post_mail
from tests.service.ingest.test_provider_channels import PERSON, account, ingesting, post
from tests.support.harness import ServiceUnderTest, running

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(document.cookie)</script></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 50
# A small file that unpacks to far more; it is never unpacked here.
BOMB = b"PK\x03\x04" + b"\x00" * 4000
SAFE = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
}


def with_files(*files: tuple[str, str, bytes], number: int = 1) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "ada@example.org", "support@localhost.localdomain"
    message["Subject"], message["Message-ID"] = "Files", f"<f{number}@example.org>"
    message.set_content("See the files.")
    for name, kind, data in files:
        main, _, sub = kind.partition("/")
        message.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return message.as_bytes()


async def conversation_of(service: ServiceUnderTest) -> str:
    await service.settle()
    return str((await service.events("MessageReceived"))[-1].conversation_id)


async def files_of(client: httpx.AsyncClient, conversation_id: str) -> list[dict[str, Any]]:
    answer = await client.get(f"/v1/conversations/{conversation_id}/files")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["files"]
    return found


def path_of(file: dict[str, Any]) -> str:
    return str(file["location"]).removeprefix("/ingest")


@pytest.mark.parametrize("kept_in", ["folder", "database"])
async def test_files_of_a_mail_are_kept_and_handed_out_so_that_they_do_no_harm(kept_in: str) -> None:
    raw = with_files(
        ("pixel.png", "image/png", PNG),
        ("logo.svg", "image/png", SVG),
        ('../../etc/"passwd\u202egpj.exe', "image/jpeg", b"MZ" + b"\x00" * 10),
        ("page.html", "text/plain", b"<!doctype html><html><script>1</script></html>"),
        ("bomb.zip", "application/zip", BOMB),
        ("winmail.dat", "application/octet-stream", b"\x78\x9f\x3e\x22" + b"\x00" * 20),
    )
    settings = IngestSettings(attachments_in=kept_in)  # type: ignore[arg-type]  # one of both
    async with (
        running(definition, settings) as ingest,
        ingest.client("service", "shop") as backend,
        ingest.client("agent") as agent,
    ):
        for _ in range(2):
            assert (await post_mail(backend, raw)).status_code == 202
        conversation_id = await conversation_of(ingest)
        files = await files_of(agent, conversation_id)
        assert [(one["media_type"], one["state"]) for one in files] == [
            ("image/png", "stored"),
            ("image/svg+xml", "stored"),
            ("application/vnd.microsoft.portable-executable", "stored"),
            ("text/html", "stored"),
            ("application/zip", "stored"),
            ("application/ms-tnef", "stored"),
        ]
        assert [one["size"] for one in files][1] == len(SVG)
        for place, file in enumerate(files):
            answer = await agent.get(path_of(file))
            assert answer.status_code == 200
            assert SAFE.items() <= dict(answer.headers).items()
            disposition = answer.headers["content-disposition"]
            assert disposition.startswith("inline;" if place == 0 else "attachment;")
            assert answer.headers["content-type"] == (
                "image/png" if place == 0 else "application/octet-stream"
            )
            assert "/" not in file["name"]
            assert "\u202e" not in file["name"]
        assert (await agent.get(path_of(files[1]))).content == SVG
        assert (await agent.get(path_of(files[4]))).content == BOMB
        etag = hashlib.sha256(PNG).hexdigest()
        again = await agent.get(path_of(files[0]), headers={"If-None-Match": f'"{etag}"'})
        assert (again.status_code, again.content) == (304, b"")
        await _refused(ingest, conversation_id, files[0])


async def _refused(ingest: ServiceUnderTest, conversation_id: str, file: dict[str, Any]) -> None:
    """Those who may not read it, and what is not there."""
    async with ingest.client(None) as stranger, ingest.client("agent") as agent:
        assert (await stranger.get(path_of(file))).status_code == 401
        other = await converse(ingest, stranger)
        headers = {"Authorization": f"Bearer {other['visitor_token']}"}
        assert (await stranger.get(path_of(file), headers=headers)).status_code == 403
        # A file is found by its own conversation only.
        crossed = f"/v1/conversations/{other['conversation_id']}/files/{file['attachment_id']}"
        assert (await stranger.get(crossed, headers=headers)).status_code == 404
        mine = f"/v1/conversations/{other['conversation_id']}/files"
        assert (await stranger.get(mine, headers=headers)).json() == {"files": []}
        assert (await agent.get("/v1/conversations/nothing/files")).status_code == 404
        assert (await agent.get(f"/v1/conversations/{conversation_id}/files/nothing")).status_code == 404


async def test_files_expire_and_content_that_another_message_shows_stays(ingest: ServiceUnderTest) -> None:
    async with ingest.client("service", "shop") as backend, ingest.client("agent") as agent:
        shared = ("same.png", "image/png", PNG)
        await post_mail(backend, with_files(shared, ("one.svg", "image/svg+xml", SVG)))
        first = await conversation_of(ingest)
        ingest.clock.advance(731 * 86_400_000)
        await post_mail(backend, with_files(shared, number=2))
        second = await conversation_of(ingest)
        before = await files_of(agent, first)
        blobs = FolderBlobs(ingest.data / "attachments")
        retention = FileRetention(ingest.database, blobs, 730, idle_s=0)
        assert await retention.sweep() == (2, 1)
        assert await retention.sweep() == (0, 0)
        gone = await agent.get(path_of(before[1]))
        assert (gone.status_code, gone.json()["type"]) == (409, "urn:centralino:problem:file-not-here")
        [kept] = await files_of(agent, second)
        assert (await agent.get(path_of(kept))).content == PNG


class Media:
    """A provider's files: described first, moved, guarded by its token; and too large, gone, or busy once."""

    def __init__(self) -> None:
        self.busy = 1
        self.asked: list[tuple[str, str]] = []
        self.app = Starlette(routes=[Route("/{path:path}", self._take)])

    async def _take(self, request: Request) -> Response:
        path = request.url.path
        self.asked.append((path, request.headers.get("authorization", "")))
        base = str(request.base_url)
        if path == "/described":
            return Response('{"url": "' + base + 'moved"}', media_type="application/json")
        if path == "/moved":
            if self.busy:
                self.busy -= 1
                return Response(status_code=503)
            return RedirectResponse(base + "content/pixel.png")
        if path == "/content/pixel.png":
            return Response(PNG, media_type="text/html")
        if path == "/large":
            return Response(f'{{"url": "{base}endless"}}', media_type="application/json")
        if path == "/endless":

            async def endless() -> AsyncIterator[bytes]:
                for _ in range(100):
                    yield b"\x00" * 65_536
                    await asyncio.sleep(0.001)

            return StreamingResponse(endless())
        if path == "/inner":
            return Response('{"url": "http://169.254.169.254/latest"}', media_type="application/json")
        return Response(status_code=404)


@asynccontextmanager
async def media() -> AsyncIterator[tuple[Media, str]]:
    made = Media()
    provider = SimulatedProvider(SHAPES["whatsapp-cloud"], "secret")
    provider.app = lambda: made.app  # type: ignore[method-assign]  # served like a provider
    async with serving(provider) as address:
        yield made, address


def picture(number: int, id_: str) -> Payload:
    whole = SHAPES["whatsapp-cloud"].message(number, PERSON, "TEXT")
    image = b'"type": "image", "image": {"id": "%s"}' % id_.encode()
    body = whole.body.replace(b'"type": "text", "text": {"body": "TEXT"}', image)
    assert b"image" in body
    return Payload(body, whole.media_type)


async def test_files_at_a_provider_are_fetched_within_limits_and_never_from_inside() -> None:
    async with media() as (provider, address):
        whatsapp = account("whatsapp-cloud", address, token="the-token")
        async with ingesting(whatsapp, most_attachment_mb=0.5) as service:
            for number, id_ in enumerate(("described", "large", "inner", "nowhere", "a/../described"), 1):
                assert (await post(service, "whatsapp-cloud", picture(number, id_))).status_code == 200
            conversation_id = await conversation_of(service)
            async with service.client("agent") as agent, asyncio.timeout(30):
                while any(one["state"] == "waiting" for one in await files_of(agent, conversation_id)):
                    service.clock.advance(10_000)
                    await asyncio.sleep(0.05)
                files = await files_of(agent, conversation_id)
                assert [one["state"] for one in files] == ["stored", "failed", "failed", "failed", "failed"]
                assert (files[0]["media_type"], files[0]["name"]) == ("image/png", "pixel.png")
                assert (await agent.get(path_of(files[0]))).content == PNG
                assert "more than" in files[1]["reason"]
                assert "not public" in files[2]["reason"]
                assert "404" in files[3]["reason"]
                failed = await agent.get(path_of(files[1]))
                assert failed.status_code == 409
        tokens = dict(provider.asked)
        assert tokens["/described"] == tokens["/moved"] == "Bearer the-token"
        # The token does not go along with a redirect.
        assert tokens["/content/pixel.png"] == ""


def test_a_zip_bomb_a_script_and_a_calendar_are_what_their_bytes_are() -> None:
    assert sniff(BOMB, "image/png") == "application/zip"
    assert sniff(b"BEGIN:VCALENDAR\r\n", "text/plain") == "text/calendar"
    assert sniff(SVG, "image/png") == "image/svg+xml"
