"""Files that providers keep for us are fetched: streamed into the store, within limits, by a guarded client."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from libs.storage import Blob, BlobFault, BlobStore, Database
from libs.telemetry import get_logger
from libs.web import GuardedClient, OutgoingFailed, OutgoingRefused
from services.ingest.accounts import Accounts
from services.ingest.adapters.channels.media import MOST_STEPS, describes, first_call, next_call
from services.ingest.adapters.channels.port import Credentials
from services.ingest.adapters.providing import Reveal
from services.ingest.adapters.signals import Signals
from services.ingest.adapters.tables import ATTACHMENTS
from services.ingest.domain.attachments import safe_name, sniff
from services.ingest.domain.deliveries import backoff_ms
from services.ingest.domain.files import Attachment
from services.ingest.ports import SendRefused, SendUnavailable
from services.ingest.workers.leased import LeasedWork

_AT_ONCE: Final = 4
_ATTEMPTS: Final = 8
_FIRST_PAUSE_MS: Final = 5_000
_LEASE_MS: Final = 180_000
_DEADLINE_S: Final = 120.0
_POLL_S: Final = 2.0
_HEAD_BYTES: Final = 4096
_DESCRIPTION_BYTES: Final = 65_536
_log = get_logger("ingest")


class MediaFetcher:
    """Fetches what waits. Claims by a lease: a file that was fetched when the process died is fetched again, and is the
    same file."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        accounts: Accounts,
        client: GuardedClient,
        reveal: Reveal,
        signals: Signals,
        most_bytes: int,
    ) -> None:
        self._database = database
        self._waiting = LeasedWork(
            database, ATTACHMENTS, "attachment_id", lease_ms=_LEASE_MS, at_once=_AT_ONCE, poll_seconds=_POLL_S
        )
        self._blobs = blobs
        self._accounts = accounts
        self._client = client
        self._reveal = reveal
        self._signals = signals
        self._most_bytes = most_bytes

    async def run(self, stop: asyncio.Event) -> None:
        """Fetches until stopped."""
        await self._waiting.run(stop, self._signals.watch_files, self._fetch)

    async def _fetch(self, file: Attachment) -> Attachment:
        account = self._accounts.find(file.channel, file.account)
        try:
            if account is None:
                raise SendRefused(
                    f"account {file.account!r} of channel {file.channel} is not configured any more"
                )
            return await self._download(file, account.provider, self._reveal(account))
        except (SendRefused, OutgoingRefused, BlobFault) as error:
            return file.failed(str(error))
        except (SendUnavailable, OutgoingFailed, OSError) as error:
            if file.attempts >= _ATTEMPTS:
                return file.failed(str(error))
            pause = backoff_ms(file.attempts, _FIRST_PAUSE_MS, random.random())
            return file.put_off(str(error), self._database.clock.now_ms() + pause)
        except Exception as error:  # noqa: BLE001 - one file's fault must not undo those beside it
            _log.exception("file_not_fetched", attachment=file.attachment_id)
            return file.failed(f"{type(error).__name__}")

    async def _download(self, file: Attachment, kind: str, credentials: Credentials) -> Attachment:
        call = first_call(kind, file.source, credentials)
        for step in range(MOST_STEPS):
            async with self._client.download(
                call.url, headers=call.headers, deadline_s=_DEADLINE_S
            ) as answer:
                told = await _all_of(answer.pieces) if describes(kind, step) else b""
                following = next_call(kind, step, call, answer.status, answer.headers, told, credentials)
                if following is None:
                    head, blob = await self._keep(answer.pieces, answer.headers)
                    declared = answer.headers.get("content-type", "").partition(";")[0].strip().lower()[:200]
                    media_type = sniff(head, declared)
                    name = safe_name(_named(answer.headers, call.url), media_type)
                    return file.stored(blob.key, blob.size, media_type, name)
            call = following
        raise SendRefused(f"the file is not reached in {MOST_STEPS} requests")

    async def _keep(self, pieces: AsyncIterator[bytes], headers: Mapping[str, str]) -> tuple[bytes, Blob]:
        """(the first bytes, the file as it is kept)."""
        length = headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length[:20]) > self._most_bytes:
            raise SendRefused(f"the file has {length[:20]} bytes; at most {self._most_bytes} are taken")
        head = bytearray()

        async def noted() -> AsyncIterator[bytes]:
            async for piece in pieces:
                if len(head) < _HEAD_BYTES:
                    head.extend(piece[:_HEAD_BYTES])
                yield piece

        blob = await self._blobs.put(noted(), self._most_bytes)
        return bytes(head), blob


async def _all_of(pieces: AsyncIterator[bytes]) -> bytes:
    found = bytearray()
    async for piece in pieces:
        found += piece
        if len(found) > _DESCRIPTION_BYTES:
            raise SendRefused("the provider's answer about the file is too long")
    return bytes(found)


def _named(headers: Mapping[str, str], url: str) -> str:
    """The name the provider gives, or the last part of its address."""
    _, found, name = headers.get("content-disposition", "").partition("filename=")
    if found:
        return name.partition(";")[0].strip().strip('"')
    last = unquote(urlsplit(url).path.rpartition("/")[2])
    return last if "." in last else ""
