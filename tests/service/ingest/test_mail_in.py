"""Mail finds its conversation by what only we can have written, and no mail however broken fails the service."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.contracts import Channel
from services.ingest.accounts import ChannelAccount
from services.ingest.adapters.keys import load_keys
from services.ingest.domain.mail_threading import message_id, plus_address
from services.ingest.domain.model import ChannelName
from services.ingest.service import definition
from services.ingest.settings import IngestSettings
from tests.service.ingest.mails import mail, post_mail
from tests.support.harness import ServiceUnderTest, running

KEY = "A" * 43 + "="
SIGNING_KEY = load_keys(None, KEY, KEY)[1].key  # type: ignore[arg-type]  # no folder is read when both keys are given


@pytest.fixture
async def ingest() -> Any:
    settings = IngestSettings(
        raw_key=KEY,  # type: ignore[arg-type]  # pydantic makes the secret
        signing_key=KEY,  # type: ignore[arg-type]  # the same
        accounts=(
            ChannelAccount(channel=ChannelName.CHAT),
            ChannelAccount(
                channel=ChannelName.MAIL,
                address="support@shop.example",
                language="it",
                secret="sixteen-characters",  # type: ignore[arg-type]  # the same
            ),
        ),
    )
    async with running(definition, settings) as service:
        yield service


@pytest.fixture
async def mailman(shared: ServiceUnderTest) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the shared service, of role service."""
    async with shared.client("service", "mta") as client:
        yield client


async def received(ingest: ServiceUnderTest, client: httpx.AsyncClient, raw: bytes) -> Any:
    """The event that a mail becomes."""
    answer = await post_mail(client, raw)
    assert answer.status_code == 202, answer.text
    await ingest.settle()
    [event] = [
        e for e in await ingest.events("MessageReceived") if e.message_id == answer.json()["message_id"]
    ]
    return event


async def test_a_mail_opens_a_conversation(ingest: ServiceUnderTest, backend: httpx.AsyncClient) -> None:
    event = await received(ingest, backend, mail("Where is my parcel?\n"))
    assert (event.channel, event.subject, event.text) == (
        Channel.CHANNEL_MAIL,
        "Parcel",
        "Where is my parcel?",
    )
    assert (event.message_seq, event.automatic, event.language_hint) == (1, False, "it")
    [customer] = await ingest.events("CustomerIdentified")
    assert customer.display_name == "Ada Rossi"
    assert customer.identities[0].external_id == "ada@example.org"


async def test_a_mail_server_posts_with_the_secret_of_its_account(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    assert (await post_mail(visitor, mail(), X_Account_Secret="sixteen-characters")).status_code == 202
    assert (await post_mail(visitor, mail(), X_Account_Secret="another-sixteen-c")).status_code == 401
    assert (await post_mail(visitor, mail())).status_code == 401
    async with ingest.client("agent") as agent:
        assert (await post_mail(agent, mail())).status_code == 403


async def test_the_same_mail_handed_over_twice_is_one_message(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    first = await post_mail(backend, mail())
    second = await post_mail(backend, b"Received: from elsewhere\r\n" + mail())
    assert first.json()["message_id"] == second.json()["message_id"]
    answers = await asyncio.gather(*[post_mail(backend, mail()) for _ in range(8)])
    assert {answer.json()["message_id"] for answer in answers} == {first.json()["message_id"]}
    await ingest.settle()
    assert len(await ingest.events("MessageReceived")) == 1


async def test_another_mail_under_the_same_message_id_is_not_lost(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    await received(ingest, backend, mail("one"))
    other = await received(ingest, backend, mail("two"))
    assert other.text == "two"


async def test_an_answer_to_our_mail_joins_its_conversation(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    first = await received(ingest, backend, mail())
    ours = message_id(SIGNING_KEY, first.conversation_id, "reply-1", "shop.example")
    by_reply = await received(
        ingest, backend, mail("yes", message_id="<2@x>", subject="Something else", In_Reply_To=ours)
    )
    by_references = await received(
        ingest, backend, mail("no", message_id="<3@x>", In_Reply_To="<9@x>", References=f"<1@x> {ours} <8@x>")
    )
    for number, event in enumerate((by_reply, by_references), 2):
        assert (event.conversation_id, event.message_seq) == (first.conversation_id, number)


async def test_the_nearest_reference_counts(ingest: ServiceUnderTest, backend: httpx.AsyncClient) -> None:
    one = await received(ingest, backend, mail("one"))
    two = await received(ingest, backend, mail("two", message_id="<2@x>"))
    ids = [message_id(SIGNING_KEY, e.conversation_id, "r", "shop.example") for e in (one, two)]
    event = await received(ingest, backend, mail("x", message_id="<3@x>", References=" ".join(ids)))
    assert event.conversation_id == two.conversation_id
    event = await received(
        ingest, backend, mail("y", message_id="<4@x>", References=ids[1], In_Reply_To=ids[0])
    )
    assert event.conversation_id == one.conversation_id


async def test_a_signed_address_leads_to_the_conversation(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    first = await received(ingest, backend, mail())
    address = plus_address(SIGNING_KEY, first.conversation_id, "support@shop.example")
    event = await received(ingest, backend, mail("again", message_id="<2@x>", to=f"Support <{address}>"))
    assert event.conversation_id == first.conversation_id


async def test_a_forged_reference_opens_a_conversation_of_its_own(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    first = await received(ingest, backend, mail())
    ours = message_id(SIGNING_KEY, first.conversation_id, "reply-1", "shop.example")
    forged = message_id(b"another key", first.conversation_id, "reply-1", "shop.example")
    for number, reference in enumerate((forged, ours.replace("<c.", "<c.0", 1)), 2):
        event = await received(
            ingest,
            backend,
            mail(
                "let me in",
                message_id=f"<{number}@x>",
                sender="eve@example.net",
                In_Reply_To=reference,
                to=plus_address(b"another key", first.conversation_id, "support@shop.example"),
            ),
        )
        assert event.conversation_id != first.conversation_id


async def test_a_case_reference_in_the_subject_counts_for_the_same_sender_only(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    first = await received(ingest, backend, mail())
    subject = f"about {first.case_reference.lower()}, please"
    same = await received(ingest, backend, mail("again", message_id="<2@x>", subject=subject))
    assert same.conversation_id == first.conversation_id
    other = await received(
        ingest, backend, mail("hi", message_id="<3@x>", subject=subject, sender="eve@example.net")
    )
    assert other.conversation_id != first.conversation_id


async def test_the_subject_alone_joins_nothing(ingest: ServiceUnderTest, backend: httpx.AsyncClient) -> None:
    first = await received(ingest, backend, mail())
    second = await received(ingest, backend, mail("again", message_id="<2@x>", subject="Re: Parcel"))
    assert second.conversation_id != first.conversation_id
    assert second.customer_id == first.customer_id


async def test_a_second_mail_before_our_answer_joins_the_first_of_the_same_party_only(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    first = await received(ingest, backend, mail())
    second = await received(
        ingest, backend, mail("one more thing", message_id="<2@x>", In_Reply_To="<1@example.org>")
    )
    assert (second.conversation_id, second.message_seq) == (first.conversation_id, 2)
    stranger = mail("me too", message_id="<3@x>", sender="eve@example.net", In_Reply_To="<1@example.org>")
    assert (await received(ingest, backend, stranger)).conversation_id != first.conversation_id


async def test_who_is_copied_in_joins_and_does_not_take_over(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    first = await received(ingest, backend, mail())
    ours = message_id(SIGNING_KEY, first.conversation_id, "reply-1", "shop.example")
    event = await received(
        ingest, backend, mail("I agree", message_id="<2@x>", sender="Bob <bob@example.org>", In_Reply_To=ours)
    )
    assert (event.conversation_id, event.customer_id) == (first.conversation_id, first.customer_id)
    assert [c.display_name for c in await ingest.events("CustomerIdentified")] == ["Ada Rossi"]
    later = await received(ingest, backend, mail("me", message_id="<3@x>", sender="Bob <bob@example.org>"))
    assert later.customer_id != first.customer_id


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"List_Id": "<news.example.org>"},
        {"Return_Path": "<>"},
        {"sender": "MAILER-DAEMON@example.org"},
    ],
)
async def test_automatic_mail_says_so(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    event = await received(ingest, backend, mail("Out of office", **headers))
    assert event.automatic


async def test_quotations_are_left_out_and_kept(ingest: ServiceUnderTest, backend: httpx.AsyncClient) -> None:
    text = (
        "Still nothing.\n\nOn Mon, 4 May 2026 at 10:00, Support <support@shop.example> wrote:\n> Hello Ada\n"
    )
    event = await received(ingest, backend, mail(text))
    assert event.text == "Still nothing."
    answer = await backend.get(f"/v1/conversations/{event.conversation_id}/messages")
    [entry] = answer.json()["items"]
    assert entry["text"] == "Still nothing."
    assert "> Hello Ada" in entry["full_text"]


async def test_a_page_of_html_becomes_its_text(ingest: ServiceUnderTest, backend: httpx.AsyncClient) -> None:
    raw = (
        b"From: ada@example.org\r\nSubject: =?utf-8?q?Citt=C3=A0?=\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        b"<html><style>p{color:red}</style><script>alert(1)</script><p>Ciao&nbsp;a tutti</p><p>Perch\xc3\xa9?</p>"
        b"<img src='http://tracker.example/x'><blockquote>old</blockquote></html>"
    )
    event = await received(ingest, backend, raw)
    assert event.subject == "Città"
    assert event.text == "Ciao a tutti\nPerché?"


async def test_a_long_mail_travels_shortened_and_is_kept(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    event = await received(ingest, backend, mail("word " * 40_000))
    assert event.truncated
    assert len(event.text.encode()) <= 65_536
    [entry] = (await backend.get(f"/v1/conversations/{event.conversation_id}/messages")).json()["items"]
    assert len(entry["full_text"]) > 190_000


BROKEN = {
    "no_sender": b"Subject: hello\r\n\r\ntext",
    "bad_charset": b"From: a@b.example\r\nContent-Type: text/plain; charset=no-such\r\n\r\ncaf\xe9",
    "bad_encoding": b"From: a@b.example\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!not base64!!!",
    "nul_bytes": b"From: a@b.example\r\nSubject: a\x00b\r\n\r\nte\x00xt",
    "raw_8bit_headers": b"From: J\xf6rg <joerg@b.example>\r\nSubject: Gr\xfc\xdfe\r\n\r\nhallo",
    "torn_multipart": b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: te",
    "no_boundary": b"From: a@b.example\r\nContent-Type: multipart/mixed\r\n\r\n--x\r\n\r\ntext",
    "bad_word": b"From: =?utf-8?b?////?= <a@b.example>\r\nSubject: =?x-none?q?a?= =?utf-8?b?a?=\r\n\r\ntext",
    "bad_address": b"From: <<>>@@,;:\r\nTo: \r\nMessage-ID: nonsense\r\n\r\ntext",
    "surrogates": b"From: a@b.example\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+2AA-",
    "long_header": b"From: a@b.example\r\nReferences: " + b"<x@y> " * 50_000 + b"\r\n\r\ntext",
    "only_headers": b"From: a@b.example\r\nSubject: no body",
    "nested": b"From: a@b.example\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 300 + b"text",
    "empty_parts": b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    + b"--x\r\n\r\n" * 3000,
    "control_type": b"From: a@b.example\r\nContent-Type: \x01\x02; charset=\x00\r\n\r\ntext",
    "mbox_line": b"From ada Mon May  4 10:00:00 2026\r\nFrom: a@b.example\r\n\r\ntext",
}


@pytest.mark.parametrize("name", sorted(BROKEN))
async def test_a_broken_mail_is_taken_as_well_as_possible(
    shared: ServiceUnderTest, mailman: httpx.AsyncClient, name: str
) -> None:
    event = await received(shared, mailman, BROKEN[name])
    assert event.message_seq == 1
    assert "\x00" not in event.text + event.subject


async def test_hostile_texts_take_no_time(ingest: ServiceUnderTest, backend: httpx.AsyncClient) -> None:
    loop = asyncio.get_running_loop()
    for number, text in enumerate(("\n" * 60_000, "On Mon " * 9_000, "From: a\n" * 8_000, "> " * 30_000)):
        started = loop.time()
        await post_mail(backend, mail(text + "x", message_id=f"<{number}@x>"))
        await ingest.settle()
        assert loop.time() - started < 2


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n\r\n", b"hello", b"\x00\x01\x02", b'{"text": 1}', b": value\r\n\r\n"]
)
async def test_what_is_no_mail_is_refused_with_a_reason(mailman: httpx.AsyncClient, raw: bytes) -> None:
    answer = await post_mail(mailman, raw)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("not-a-mail")


async def test_the_edge_of_mail_refuses_what_it_cannot_read(backend: httpx.AsyncClient) -> None:
    assert (await post_mail(backend, mail(), Content_Type="text/plain")).status_code == 415
    assert (await backend.post("/v1/mail?account=nowhere", content=mail())).status_code == 422
    big = mail() + b"x" * (25 * 1024 * 1024)
    assert (await post_mail(backend, big)).status_code == 413


async def test_a_mail_of_many_megabytes_is_taken(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    head = mail().partition(b"\n\n")[0]
    event = await received(ingest, backend, head + b"\n\n" + b"0123456789abcdef\n" * 1_400_000)
    assert event.truncated


async def test_mails_that_arrive_before_those_they_answer_end_in_one_conversation(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    """A chain by In-Reply-To alone, read from both ends: what was apart goes on in the one that shows it."""
    numbers = [9, 1, 7, 3, 5, 2, 4, 6, 8, 10]
    for number in numbers:
        raw = mail(f"mail {number}", message_id=f"<{number}@x>", In_Reply_To=f"<{number - 1}@x>")
        await received(ingest, backend, raw)
    found = await ingest.events("MessageReceived")
    assert len(found) == len(numbers)
    goes_on = {
        event.conversation_id: event.continued_as_conversation_id
        for event in await ingest.events("ConversationContinued")
    }
    ends = set()
    for event in found:
        last = event.conversation_id
        while last in goes_on:
            last = goes_on[last]
        ends.add(last)
    assert len(ends) == 1
