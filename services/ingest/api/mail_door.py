"""A mail server within ingest, for a mail server nearby to hand mails on to by SMTP or LMTP.

It is no server for the open internet: it knows its own mailboxes and nothing else, and takes one recipient a mail.
"""

import asyncio
import contextlib
import logging
import re
import ssl
from collections.abc import Sequence
from typing import Any, Final

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP

from libs.telemetry import get_logger
from services.ingest.accounts import Accounts
from services.ingest.api.accepting import Accepting
from services.ingest.api.mail import MOST_MAIL_BYTES
from services.ingest.domain.mail_threading import without_extension
from services.ingest.settings import IngestSettings

_ADDRESS: Final = re.compile(rb"[^\s<>\x00-\x1f\x7f]{1,320}")
# Programs that write HTML mails fold nothing; a server nearby passes such lines on.
_LONGEST_LINE: Final = 1024 * 1024
_SILENT_S: Final = 120
_LINGER_S: Final = 2.0
_LATER: Final = "451 4.3.0 It cannot be stored just now: send it again"
_log = get_logger("ingest")


def account_of(accounts: Accounts, recipient: str) -> str | None:
    """The mail account that a recipient is of, with or without a plus-address; None for nobody's."""
    wanted = without_extension(recipient).lower()
    for one in accounts.all:
        if one.channel == "mail" and one.address.lower() in (wanted, recipient.lower()):
            return one.id
    return None


def traced(mail: bytes, sender: str | None, recipient: str) -> bytes:
    """The mail under the headers that its last server writes: where it came from, and to whom it was brought."""
    lines = []
    for name, value in ((b"Return-Path", sender), (b"Delivered-To", recipient)):
        text = (value or "").encode("utf-8", "surrogateescape")
        if _ADDRESS.fullmatch(text):
            lines.append(b"%s: <%s>\r\n" % (name, text))
        elif not text and name == b"Return-Path":
            lines.append(b"Return-Path: <>\r\n")
    return b"".join(lines) + mail


class MailHandler:
    """What the server asks. Nothing it answers with 2xx is not durable; what is wrong here is answered 4xx."""

    def __init__(self, accepting: Accepting) -> None:
        self._accepting = accepting

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Sequence[str]
    ) -> str:
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient a mail is taken here: send the others a mail each"
        if account_of(self._accepting.accounts, address) is None:
            return "550 5.1.1 There is no such mailbox here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        [recipient] = envelope.rcpt_tos
        account = account_of(self._accepting.accounts, recipient)
        if account is None:
            return "550 5.1.1 There is no such mailbox here"
        raw = traced(envelope.content, envelope.mail_from, recipient)
        try:
            state = await self._accepting.mail(account, raw, None, 0)
        except Exception as error:  # noqa: BLE001 - a permanent answer would make the other server give the mail up
            _log.warning("mail_not_stored", account=account, error=type(error).__name__)
            return _LATER
        return f"250 2.0.0 Stored as {state.message_id}"

    async def handle_exception(self, error: Exception) -> str:
        _log.warning("mail_session_failed", error=f"{type(error).__name__}: {error}"[:300])
        return _LATER


class MailDoor:
    """The listening server. `port` is 0 until it listens."""

    def __init__(self, accepting: Accepting, settings: IngestSettings) -> None:
        """Raises OSError or ssl.SSLError when the certificate cannot be read."""
        self._handler = MailHandler(accepting)
        self._settings = settings
        self._tls = _context(settings)
        self._open: set[_Counted] = set()
        self.port = 0
        # It writes addresses and whole lines.
        logging.getLogger("mail.log").setLevel(logging.ERROR)

    async def run(self, stop: asyncio.Event) -> None:
        """Listens until stopped; then sessions under way have a moment, and their mails are sent again by the other
        side if it was too short."""
        settings = self._settings
        server = await asyncio.get_running_loop().create_server(
            self._session, settings.mail_in_host, settings.mail_in_port
        )
        try:
            self.port = server.sockets[0].getsockname()[1]
            _log.info("mail_door_open", host=settings.mail_in_host, port=self.port)
            await stop.wait()
        finally:
            server.close()
            self.port = 0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LINGER_S):
                    while any(one.busy for one in self._open):  # noqa: ASYNC110 - the library offers no event
                        await asyncio.sleep(0.02)
            for one in list(self._open):
                one.end()

    def _session(self) -> asyncio.Protocol:
        kind = _Lmtp if self._settings.mail_in_protocol == "lmtp" else _Smtp
        made: _Counted = kind(
            self._handler,
            data_size_limit=MOST_MAIL_BYTES,
            enable_SMTPUTF8=True,
            hostname="centralino",
            ident="Centralino",
            tls_context=self._tls,
            require_starttls=self._settings.mail_in_require_tls,
            timeout=_SILENT_S,
            loop=asyncio.get_running_loop(),
        )
        made.among = self._open
        made.most = self._settings.mail_in_connections
        return made


def _context(settings: IngestSettings) -> ssl.SSLContext | None:
    if settings.mail_in_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.mail_in_certificate, settings.mail_in_private_key)
    return context


class _Counted(SMTP):
    line_length_limit = _LONGEST_LINE
    among: "set[_Counted]"
    most: int

    @property
    def busy(self) -> bool:
        """A mail is on its way in."""
        return bool(self.envelope and self.envelope.rcpt_tos)

    def end(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def connection_made(self, transport: Any) -> None:
        if self not in self.among and len(self.among) >= self.most:
            transport.write(b"421 4.3.2 Too many connections: come again later\r\n")
            # What follows runs on a closed transport and ends by itself.
            transport.close()
        self.among.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.among.discard(self)
        super().connection_lost(error)


class _Smtp(_Counted):
    pass


class _Lmtp(_Counted, LMTP):
    pass
