"""A mailbox on a server, read by IMAP. Nothing in it is changed: no mail is marked, moved or removed."""

import contextlib
import imaplib
import re
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import date
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import Any, Final

from imap_tools import (
    BaseMailBox,
    ImapToolsError,
    MailBox,
    MailboxLoginError,
    MailBoxStartTls,
    MailBoxUnencrypted,
)

from services.ingest.account_parts import ImapBox
from services.ingest.ports import BoxState, MailboxAway

_TIMEOUT_S: Final = 30
_LOOK_S: Final = 1.0
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIZE: Final = re.compile(rb"RFC822\.SIZE (\d+)")


class ImapMailbox:
    """One connection. Its methods block: call them on one thread at a time."""

    def __init__(
        self, box: ImapBox, key: str, most_bytes: int, context: ssl.SSLContext | None = None
    ) -> None:
        """`key` is the password, or an access token where the box is opened by oauth; `context` in place of the system's
        trust, for servers with a certificate of their own."""
        self._box = box
        self._key = key
        self._most_bytes = most_bytes
        self._context = context or ssl.create_default_context()
        self._connected: BaseMailBox | None = None
        self._idles = False

    @property
    def _client(self) -> Any:
        assert self._connected is not None, "open it first"
        return self._connected.client

    def open(self) -> BoxState:
        with _speaking(self._box.host):
            box = self._connected = self._connect()
            self._sign_in(box)
            # Some tell all they can only to those who are signed in.
            _, told = self._client.capability()
            self._idles = b"IDLE" in b" ".join(one for one in told if one).upper().split()
            box.folder.set(self._box.folder, readonly=True)
            validity, following = self._number("UIDVALIDITY"), self._number("UIDNEXT")
            if not following:
                following = max(map(int, box.uids("ALL")), default=0) + 1
        return BoxState(validity, following)

    def _sign_in(self, box: BaseMailBox) -> None:
        user = self._box.user
        if self._box.oauth is not None:
            box.xoauth2(user, self._key, initial_folder=None)
        elif self._key.isascii() and user.isascii():
            box.login(user, self._key, initial_folder=None)
        else:
            box.login_utf8(user, self._key, initial_folder=None)

    def _connect(self) -> BaseMailBox:
        host, port = self._box.host, self._box.port
        if self._box.tls == "tls":
            return MailBox(host, port, timeout=_TIMEOUT_S, ssl_context=self._context)
        if self._box.tls == "starttls":
            return MailBoxStartTls(host, port, timeout=_TIMEOUT_S, ssl_context=self._context)
        return MailBoxUnencrypted(host, port, timeout=_TIMEOUT_S)

    def _number(self, name: str) -> int:
        _, values = self._client.response(name)
        return int(values[0]) if values and values[0] else 0

    def after(self, uid: int, since: date | None) -> list[int]:
        assert self._connected is not None, "open it first"
        day = f" SINCE {since.day:02}-{_MONTHS[since.month - 1]}-{since.year}" if since else ""
        with _speaking(self._box.host):
            # `n:*` names the last mail even when its number is below n.
            found = self._connected.uids(f"UID {uid + 1}:*{day}")
        return sorted(number for one in found if (number := int(one)) > uid)

    def fetch(self, uid: int) -> bytes | None:
        with _speaking(self._box.host):
            head = self._part(uid, "RFC822.SIZE")
            if head is None:
                return None
            sized = _SIZE.search(head)
            size = int(sized.group(1)) if sized else 0
            if size > self._most_bytes:
                top = self._part(uid, "BODY.PEEK[HEADER]")
                return None if top is None else told_only(top, size)
            return self._part(uid, "BODY.PEEK[]")

    def _part(self, uid: int, what: str) -> bytes | None:
        status, data = self._client.uid("FETCH", str(uid), f"({what})")
        if status != "OK":
            raise MailboxAway(f"{self._box.host} answered {status} to FETCH {what}")
        for one in data:
            if isinstance(one, tuple):
                return bytes(one[1])
            if isinstance(one, bytes) and what == "RFC822.SIZE":
                return one
        return None

    def wait(self, seconds: float, stopping: Callable[[], bool]) -> None:
        assert self._connected is not None, "open it first"
        until = time.monotonic() + seconds
        with _speaking(self._box.host):
            if not self._idles:
                while time.monotonic() < until and not stopping():
                    time.sleep(min(_LOOK_S, max(0.0, until - time.monotonic())))
                self._client.noop()
                return
            self._connected.idle.start()  # type: ignore[no-untyped-call]  # the library has no hints here
            try:
                while (left := until - time.monotonic()) > 0 and not stopping():
                    span, asked = min(_LOOK_S, left), time.monotonic()
                    said = self._connected.idle.poll(span)
                    # Back before the time with nothing said: it has hung up, which `stop` meets.
                    if said or time.monotonic() - asked < span / 2:
                        break
            finally:
                self._connected.idle.stop()  # type: ignore[no-untyped-call]  # as above

    def close(self) -> None:
        if self._connected is not None:
            with contextlib.suppress(Exception):
                self._connected.logout()
            with contextlib.suppress(Exception):
                self._client.shutdown()
            self._connected = None


@contextlib.contextmanager
def _speaking(host: str) -> Iterator[None]:
    try:
        yield
    except MailboxLoginError as error:
        raise MailboxAway(f"{host} does not let us in: {error}"[:300]) from None
    except (ImapToolsError, imaplib.IMAP4.error, OSError, ValueError) as error:
        raise MailboxAway(f"{host}: {type(error).__name__}: {error}"[:300]) from error


def told_only(head: bytes, size: int) -> bytes:
    """The mail that stands for one too large to be taken: its headers, and a line that says where it is."""
    mail: Message = BytesParser(policy=compat32).parsebytes(head, headersonly=True)
    kept = [
        (name, value)
        for name, value in mail.raw_items()
        if not name.lower().startswith(("content-", "mime-"))
    ]
    lines = b"".join(
        f"{name}: {value}\r\n".encode("utf-8", "surrogateescape") for name, value in kept if name.isascii()
    )
    return lines + b"\r\n(This mail of %d bytes is too large to be taken: it is in the mailbox.)\r\n" % size
