"""What is no mail is refused in a problem document; what is a strange one is kept."""

import pytest

from tests.system.desk import Desk, problem, refused
from tests.system.writing import JSON, MARKS

MAIL = "/ingest/v1/mail"
MEGABYTE = 2**20
_HEAD = b"From: Maria <maria@alpha.example>\r\nTo: help@alpha.example\r\nSubject: Printer\r\n"


@pytest.mark.parametrize(
    ("raw", "headers", "status", "slug", "said"),
    [
        pytest.param(b"", {}, 422, "not-a-mail", "mail headers", id="no body"),
        pytest.param(b"hello", {}, 422, "not-a-mail", "mail headers", id="no headers"),
        pytest.param(b'{"text": "x"}', {}, 422, "not-a-mail", "mail headers", id="JSON"),
        pytest.param(b"\0" * 100, {}, 422, "not-a-mail", "mail headers", id="NULs"),
        pytest.param(b"\xff\xfe" * 50, {}, 422, "not-a-mail", "mail headers", id="no text"),
        pytest.param(_HEAD, {"Content-Type": JSON}, 415, "unsupported-media-type", "rfc822", id="as JSON"),
        pytest.param(_HEAD, {"Content-Type": ""}, 415, "unsupported-media-type", "rfc822", id="no type"),
        pytest.param(
            _HEAD, {"Content-Encoding": "gzip"}, 415, "unsupported-media-type", "Encoding", id="packed"
        ),
        pytest.param(
            _HEAD + b"\r\n" + b"a" * 26 * MEGABYTE, {}, 413, "too-large", "bytes are taken", id="too large"
        ),
    ],
)
def test_what_is_no_mail_is_refused(
    shared: Desk, raw: bytes, headers: dict[str, str], status: int, slug: str, said: str
) -> None:
    headers = {"Content-Type": "message/rfc822", "Idempotency-Key": f"{slug}-{len(raw)}", **headers}
    refused(shared.ask("POST", MAIL, "service", content=raw, headers=headers), status, slug, said)


def test_a_mail_to_no_account_is_refused(shared: Desk) -> None:
    headers = {"Content-Type": "message/rfc822"}
    for account, status in (("nowhere", 422), ("\u202e", 422), ("x" * 100, 422), ("a\0", 400)):
        answer = shared.ask(
            "POST", MAIL, "service", content=_HEAD, headers=headers, params={"account": account}
        )
        problem(answer, (status,))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(_HEAD + b"\r\nnul \0 inside", id="NUL in the text"),
        pytest.param(_HEAD + b"X: \0\r\n\r\nx", id="NUL in a header"),
        pytest.param(_HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xc3\x28\xff", id="no UTF-8"),
        pytest.param(_HEAD + b"Content-Type: text/plain; charset=no-such\r\n\r\nx", id="no charset"),
        pytest.param(
            _HEAD + b'Content-Type: application/json; charset=utf-8\r\n\r\n"\\ud800"', id="surrogate"
        ),
        pytest.param(
            _HEAD + b"Content-Type: text/plain; charset=utf-16\r\n\r\n\x00\xd8\x41", id="half a pair"
        ),
        pytest.param(_HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + MARKS.encode(), id="marks"),
        pytest.param(_HEAD + b"Content-Type: multipart/mixed\r\n\r\nx", id="no boundary"),
        pytest.param(_HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n=====", id="base64 that is none"),
        pytest.param(_HEAD + b"Subject: =?utf-8?b?7aCA?=\r\n\r\nx", id="half a pair in the subject"),
        pytest.param(_HEAD, id="headers alone"),
        pytest.param(b"Subject: x\r\n\r\nnobody wrote this", id="no sender"),
        pytest.param(_HEAD + b"\r\n" + b"a" * MEGABYTE, id="a megabyte"),
    ],
)
def test_a_strange_mail_is_kept_and_its_fate_is_told(shared: Desk, raw: bytes) -> None:
    headers = {"Content-Type": "message/rfc822", "Prefer": "wait=10"}
    taken = shared.ask("POST", MAIL, "service", content=raw, headers=headers)
    assert taken.status_code == 202, taken.text
    asked = shared.ask("GET", taken.json()["location"], "service")
    assert asked.status_code == 200, asked.text
    assert asked.json()["state"] == "received"
