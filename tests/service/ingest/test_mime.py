"""No bytes make the mail reader fail, and what it gives can be stored."""

from dataclasses import fields

from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.adapters.html_text import html_to_text
from services.ingest.adapters.keys import Signer
from services.ingest.adapters.mime import parse_mail
from services.ingest.adapters.payloads import Origin, pack_payload, read_inbound
from services.ingest.domain.model import MOST_TEXT_BYTES
from tests.service.ingest.test_mail_in import BROKEN

HEADERS = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Message-ID",
    "References",
    "In-Reply-To",
    "Content-Type",
    "Return-Path",
]
HEADERS += ["Content-Transfer-Encoding", "Content-Disposition", "Auto-Submitted", "Reply-To", "MIME-Version"]
PIECES = [
    b"text/plain; charset=",
    b"multipart/mixed; boundary=x",
    b"=?utf-8?b?",
    b"?=",
    b"<a@b>",
    b"\r\n ",
    b"\r\n",
]
PIECES += [
    b"utf-7",
    b"base64",
    b"quoted-printable",
    b'"',
    b"(",
    b"\\",
    b";",
    b"\x00",
    b"\xff",
    b"--x\r\n",
    b"attachment",
]
PIECES += [
    b"text/html",
    b"<p>",
    b"message/rfc822",
    b"filename*0*=utf-8''%ff",
    b"idna",
    b"unicode_escape",
    b"undefined",
]
values = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=12)), max_size=8).map(b"".join)
mails = st.builds(
    lambda headers, body: b"".join(n.encode() + b": " + v + b"\r\n" for n, v in headers) + b"\r\n" + body,
    st.lists(st.tuples(st.sampled_from(HEADERS), values), max_size=8),
    values,
)
broken = st.builds(
    lambda raw, place, patch: raw[: place % (len(raw) + 1)] + patch + raw[place % (len(raw) + 1) :],
    st.sampled_from([raw[:3000] for raw in BROKEN.values()]),
    st.integers(0, 3000),
    values,
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(mails, broken, st.binary(max_size=400)))
def test_every_mail_is_read(raw: bytes) -> None:
    mail = parse_mail(raw)
    texts = [getattr(mail, field.name) for field in fields(mail)]
    for text in [*(one for one in texts if isinstance(one, str)), *mail.recipients, *mail.headers.values()]:
        assert "\x00" not in text
        text.encode()
    assert len(mail.subject.splitlines()) <= 1


@settings(max_examples=200, deadline=None)
@given(st.one_of(mails, broken))
def test_every_mail_becomes_a_message(raw: bytes) -> None:
    inbound, _ = read_inbound(
        pack_payload(Origin("mail", "default", True), raw), "m", "mail", 1, Signer(b"k")
    )
    assert len(inbound.text.encode()) <= MOST_TEXT_BYTES
    assert inbound.identity is None or inbound.identity.external_id == inbound.address


TAGS = ["<p>", "</p>", "<blockquote>", "</blockquote>", "<br>", "<script>", "<td", "<!--", "&#0;", "&nbsp;"]
pages = st.lists(st.one_of(st.text(max_size=10), st.sampled_from(TAGS)), max_size=20).map("".join)


@given(pages)
def test_every_page_has_a_text(html: str) -> None:
    assert "<script>" not in html_to_text(html)


def test_a_page_reads_as_it_looks() -> None:
    page = "<div>Hi <b>Ada</b>,</div><div>two&nbsp;words<br>next</div><ul><li>one</li><li>two</li></ul>"
    page += "<blockquote>old<blockquote>older</blockquote></blockquote>"
    assert html_to_text(page).splitlines() == [
        "Hi Ada,", "two words", "next", "one", "two", "> old", "> > older", ">"
    ]  # fmt: skip
