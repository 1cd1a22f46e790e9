"""What strangers send to break things, each kind by its name, against the part that meets it first."""

import json
import zlib
from collections.abc import Sequence
from email import message_from_bytes

import pytest

from libs.web import GuardedClient, OutgoingFailed, OutgoingRefused, parse_networks
from services.ingest.adapters.channels.media import first_call, next_call
from services.ingest.adapters.channels.port import Call, Credentials, Hook, Unreadable
from services.ingest.adapters.channels.registry import adapters
from services.ingest.adapters.mime import parse_mail
from services.ingest.adapters.smtp import render
from services.ingest.domain.channels import ChannelMessage
from services.ingest.ports import OutgoingMail, SendRefused, SendUnavailable
from tests.conformance.web.test_clients import OK, target

WHATSAPP = adapters()["whatsapp-cloud"]
KNOWN = Credentials(("secret",), "the-token")


def hook(body: bytes) -> Hook:
    return Hook("POST", "", {}, {}, body, 0)


def whatsapp(**message: object) -> bytes:
    value = {"messages": [message], "contacts": [{"wa_id": None, "profile": None}]}
    return json.dumps({"entry": [{"changes": [{"value": value}]}]}).encode()


async def test_a_name_that_changes_its_answer_is_asked_once_and_its_first_answer_is_judged() -> None:
    """DNS rebinding: whoever judges one answer and connects to the next one reaches the inside."""
    answers = [["127.0.0.1"], ["169.254.169.254"], ["169.254.169.254"]]
    inner_first = list(reversed(answers))

    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return answers.pop(0)

    async with target(OK) as (port, heads):
        client = GuardedClient(allowed=parse_networks(["127.0.0.0/8"]), resolver=resolver)
        assert (await client.request("GET", f"http://rebinding.example:{port}/")).status == 200
        assert len(answers) == 2
        answers = inner_first
        with pytest.raises(OutgoingRefused):
            await client.request("GET", f"http://rebinding.example:{port}/")
        assert len(heads) == 1


async def test_a_download_is_guarded_like_every_other_request() -> None:
    client = GuardedClient()
    for url in (
        "http://169.254.169.254/latest",
        "http://[::1]/",
        "file:///etc/passwd",
        "http://u:p@example.org/",
    ):
        with pytest.raises(OutgoingRefused):
            async with client.download(url):
                pass
    async with target(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort") as (port, _):
        loopback = GuardedClient(allowed=parse_networks(["127.0.0.0/8"]))
        with pytest.raises(OutgoingFailed):
            async with loopback.download(f"http://127.0.0.1:{port}/") as answer:
                assert [piece async for piece in answer.pieces]


def test_a_redirect_of_a_file_takes_no_credentials_along() -> None:
    asked = first_call("whatsapp-cloud", "1/../2?x", KNOWN)
    assert asked.url.endswith("/1%2F..%2F2%3Fx")
    moved = next_call("whatsapp-cloud", 1, asked, 302, {"location": "http://169.254.169.254/"}, b"", KNOWN)
    assert moved == Call("GET", "http://169.254.169.254/")
    assert first_call("twilio-sms", "https://api.twilio.com/x", KNOWN).headers
    for elsewhere in ("https://api.twilio.com.evil.example/x", "https://evil.example/api.twilio.com"):
        assert not first_call("twilio-sms", elsewhere, KNOWN).headers
    with pytest.raises(SendRefused):
        first_call("messenger", "javascript:1", KNOWN)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"url": 7}', b'{"url": null}', b"[" * 10_000, b"\xff"])
def test_a_provider_that_answers_200_with_an_error_body_gives_no_file(body: bytes) -> None:
    asked = first_call("whatsapp-cloud", "1", KNOWN)
    for kind in ("whatsapp-cloud", "telegram"):
        with pytest.raises((SendRefused, SendUnavailable)):
            next_call(kind, 0, asked, 200, {}, body, KNOWN)


def test_headers_cannot_be_slipped_into_our_mails() -> None:
    fields = {"sender": "help@shop.example", "reply_to": "help@shop.example", "text": "hi", "in_reply_to": ""}
    more = {"message_id": "<1@shop.example>", "automatic": False}
    for recipient in ("a@b.example\r\nBcc: all@b.example", "a@b.example,c@d.example", "a b@c.example"):
        with pytest.raises(SendRefused):
            render(OutgoingMail(recipient=recipient, subject="x", **fields, **more))  # type: ignore[arg-type]
    read = parse_mail(b"From: a@b.example\r\nSubject: =?utf-8?q?Hi=0D=0ABcc:_all@b.example?=\r\n\r\nhello")
    assert "\n" not in read.subject
    written = render(OutgoingMail(recipient="a@b.example", subject=read.subject, **fields, **more))  # type: ignore[arg-type]
    assert message_from_bytes(written.as_bytes())["Bcc"] is None


def test_a_zip_bomb_is_kept_as_the_few_bytes_it_is() -> None:
    bomb = b"PK\x03\x04" + zlib.compress(b"\x00" * 50_000_000, 9)
    raw = b"From: a@b.example\r\nContent-Type: application/zip; name=a.zip\r\n\r\n" + bomb
    [file] = parse_mail(raw).attachments
    assert (file.media_type, len(file.data) < 100_000) == ("application/zip", True)


@pytest.mark.parametrize("depth", [61, 10_000])
def test_json_nested_deeply_is_refused_before_it_is_parsed(depth: int) -> None:
    with pytest.raises(Unreadable, match="nested"):
        WHATSAPP.split(hook(b'{"a":' * depth + b"1" + b"}" * depth))


def test_null_ids_and_numbers_in_place_of_texts_are_messages_all_the_same() -> None:
    for message in (
        {"id": None, "from": None, "type": "text", "text": {"body": "hello"}},
        {"id": 7, "from": 393330000001, "type": "text", "text": {"body": 42}},
        {"id": [], "from": {}, "type": 9, "text": "hello"},
    ):
        first, second = (WHATSAPP.split(hook(whatsapp(**message))) for _ in range(2))
        # The same happening has the same key, though it has no id.
        assert [item.key for item in first] == [item.key for item in second]
        [said] = WHATSAPP.read(first[0].content)
        assert isinstance(said, ChannelMessage)
        assert said.text
        assert said.provider_id


def test_a_huge_header_costs_nothing() -> None:
    raw = b"From: a@b.example\r\nSubject: " + b"(" * 2_000_000 + b"\r\nReferences: " + b"<a@b> " * 300_000
    read = parse_mail(raw + b"\r\n\r\nhello")
    assert (read.text, len(read.subject) <= 998, len(read.references) <= 16_000) == ("hello", True, True)
