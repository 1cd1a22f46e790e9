"""An IMAP server of one mailbox (RFC 3501, RFC 2177), small and with faults on demand."""

import asyncio
import base64
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date


@dataclass
class ImapServer:
    """Mails by number; `uid_validity` may be changed, numbers too."""

    mails: dict[int, bytes] = field(default_factory=dict)
    days: dict[int, date] = field(default_factory=dict)
    uid_validity: int = 7
    password: str = "right"
    """Or the access token that is taken now."""
    idle: bool = True
    hang_up_at: int = 0
    """A mail at whose sending the connection breaks, once."""
    fetched: list[int] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    port: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def add(self, raw: bytes, uid: int | None = None) -> int:
        """A mail comes; who idles is told."""
        number = uid or max(self.mails, default=0) + 1
        self.mails[number] = raw
        return number

    def restart(self) -> None:
        """Every connection is lost."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            self._writers.append(writer)
            writer.write(b"* OK ready\r\n")
            while line := (await reader.readline()).decode().strip():
                tag, _, rest = line.partition(" ")
                self.commands.append(rest.partition(" ")[0].upper())
                if not await self._answer(tag, rest, reader, writer):
                    break
                await writer.drain()
        writer.close()

    async def _answer(
        self, tag: str, rest: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        name = rest.partition(" ")[0].upper()
        out: list[bytes] = []
        ok = "OK done"
        if name == "CAPABILITY":
            out.append(b"* CAPABILITY IMAP4rev1" + (b" IDLE" if self.idle else b""))
        elif name == "LOGIN":
            ok = "OK in" if f'"{self.password}"' in rest else "NO wrong password"
        elif rest.upper() == "AUTHENTICATE XOAUTH2":
            ok = await self._token(reader, writer)
        elif name in ("SELECT", "EXAMINE"):
            out += [
                b"* %d EXISTS" % len(self.mails),
                b"* OK [UIDVALIDITY %d] valid" % self.uid_validity,
                b"* OK [UIDNEXT %d] next" % (max(self.mails, default=0) + 1),
            ]
        elif rest.upper().startswith("UID SEARCH"):
            out.append(("* SEARCH " + " ".join(map(str, self._found(rest)))).encode())
        elif rest.upper().startswith("UID FETCH"):
            return await self._fetch(tag, rest, writer)
        elif name == "IDLE":
            writer.write(b"+ idling\r\n")
            await self._idle(reader, writer)
        elif name == "LOGOUT":
            out.append(b"* BYE")
        for part in out:
            writer.write(part + b"\r\n")
        writer.write(f"{tag} {ok}\r\n".encode())
        return name != "LOGOUT"

    async def _token(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """As Google describes it: a refusal is a challenge first, which the client answers before it is told NO."""
        writer.write(b"+ \r\n")
        said = base64.b64decode(await reader.readline()).decode()
        if said == f"user=help\1auth=Bearer {self.password}\1\1":
            return "OK in"
        writer.write(b"+ " + base64.b64encode(b'{"status":"400"}') + b"\r\n")
        await reader.readline()
        return "NO invalid credentials"

    def _found(self, rest: str) -> list[int]:
        numbers = sorted(self.mails)
        span = re.search(r"UID (\d+):\*", rest)
        if span and numbers:
            # As the standard has it, the last mail is named even when its number is below the first one asked for.
            numbers = [n for n in numbers if n >= int(span.group(1))] or numbers[-1:]
        since = re.search(r"SINCE (\d+)-(\w+)-(\d+)", rest)
        if since:
            months = "JanFebMarAprMayJunJulAugSepOctNovDec"
            day = date(
                int(since.group(3)), months.index(since.group(2).title()) // 3 + 1, int(since.group(1))
            )
            numbers = [n for n in numbers if self.days.get(n, date.max) >= day]
        return numbers

    async def _fetch(self, tag: str, rest: str, writer: asyncio.StreamWriter) -> bool:
        uid = int(rest.split()[2])
        raw = self.mails.get(uid)
        if raw is not None and "SIZE" in rest:
            writer.write(b"* 1 FETCH (UID %d RFC822.SIZE %d)\r\n" % (uid, len(raw)))
        elif raw is not None:
            part = raw.partition(b"\n\n")[0] + b"\n\n" if "HEADER" in rest else raw
            name = b"BODY[HEADER]" if "HEADER" in rest else b"BODY[]"
            if self.hang_up_at == uid:
                self.hang_up_at = 0
                writer.write(b"* 1 FETCH (UID %d %s {%d}\r\n" % (uid, name, len(part)) + part[:20])
                await writer.drain()
                return False
            self.fetched.append(uid)
            writer.write(b"* 1 FETCH (UID %d %s {%d}\r\n" % (uid, name, len(part)) + part + b")\r\n")
        writer.write(f"{tag} OK done\r\n".encode())
        return True

    async def _idle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = asyncio.create_task(reader.readline())
        seen = len(self.mails)
        while not ended.done():
            await asyncio.wait({ended}, timeout=0.02)
            if len(self.mails) != seen:
                seen = len(self.mails)
                writer.write(b"* %d EXISTS\r\n" % seen)
                await writer.drain()


@asynccontextmanager
async def imap_server(**fields: object) -> AsyncIterator[ImapServer]:
    """A server on a port of this machine."""
    made = ImapServer(**fields)  # type: ignore[arg-type]  # fields by name
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, limit=1024 * 1024)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
