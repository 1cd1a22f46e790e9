"""The normaliser's desk: payloads of a batch, read and made ready before its transaction begins."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from libs.contracts import PayloadAccepted
from libs.runtime import new_id
from libs.storage import BlobStore, Database, fetch_all, fetch_one
from libs.streams import Received
from services.ingest.accounts import Accounts
from services.ingest.adapters.case_numbers import CaseNumbers
from services.ingest.adapters.channels.port import ChannelAdapter
from services.ingest.adapters.filing import kept_before, put_away, to_be_fetched
from services.ingest.adapters.hook_payloads import HOOK, read_item
from services.ingest.adapters.keys import SealBroken, Sealer, Signer
from services.ingest.adapters.mail_parts import MailAttachment
from services.ingest.adapters.payloads import read_inbound, unpack_payload
from services.ingest.domain.channels import StatusNews
from services.ingest.domain.files import Attachment
from services.ingest.domain.model import Inbound

_IN_THREAD_BYTES: Final = 4096
_LARGE_BYTES: Final = 1024 * 1024
# Large ones are read one after the other: a batch of them would not fit into memory.
_RAWS: Final = f"""
SELECT r.id, r.channel, r.key_id, CASE WHEN octet_length(r.payload) <= {_LARGE_BYTES} THEN r.payload END,
    r.received_at_ms, r.payload IS NOT NULL,
    EXISTS (SELECT 1 FROM ingest.thread_entries e WHERE e.ref_id = r.id AND e.kind = 'customer')
FROM ingest.raw_messages r WHERE r.id = ANY($1::text[])
"""
_LARGE: Final = "SELECT payload FROM ingest.raw_messages WHERE id = $1"
_CASES: Final = "SELECT case_reference, address, conversation_id FROM ingest.threads WHERE case_reference = ANY($1::text[])"

NOTE_PROVIDER_IDS: Final = """
INSERT INTO ingest.provider_messages (channel, account, provider_id, delivery_id, status, reason, at_ms)
SELECT c, a, p, '', '', '', 0 FROM unnest($1::text[], $2::text[], $3::text[]) AS u(c, a, p) ORDER BY c, a, p
ON CONFLICT DO NOTHING RETURNING provider_id
"""
"""Rows of provider ids that are not there yet."""


def news_id(news: StatusNews) -> str:
    """Under which row a status is kept: the message's, or for all up to a time the person's."""
    return news.provider_id or f"through:{news.status}:{news.recipient}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A payload ready for its transaction, with the ids it will use if it opens something."""

    inbound: Inbound | None
    conversation_id: str
    customer_id: str
    case_reference: str
    account_language: str = ""
    fault: str = ""
    """Why there is no inbound message."""
    channel: str = ""
    account: str = ""
    news: tuple[StatusNews, ...] = ()
    """What became of messages of ours, in place of a message."""
    files: tuple[Attachment, ...] = ()
    done: bool = False
    """It has become a message before: a repeat changes nothing."""


@dataclass(frozen=True, slots=True)
class Read:
    """A payload, opened: a message, or news of ours, or neither."""

    account: str
    inbound: Inbound | None
    news: tuple[StatusNews, ...]
    files: tuple[MailAttachment, ...] = ()


class Desk:
    """Prepares batches. `items` holds what the batch at hand needs, by raw id."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        signer: Signer,
        accounts: Accounts,
        adapters: Mapping[str, ChannelAdapter],
        blobs: BlobStore,
    ) -> None:
        self._blobs = blobs
        self._adapters = adapters
        self._database = database
        self._sealer = sealer
        self._signer = signer
        self._accounts = accounts
        self._cases = CaseNumbers()
        self.items: dict[str, Prepared] = {}

    async def prepare(self, batch: Sequence[Received[PayloadAccepted]]) -> list[Prepared]:
        """Reads, decrypts and parses the payloads; mails in a thread, since they take milliseconds."""
        ids = [received.event.raw_id for received in batch]
        async with self._database.begin_stream() as uow:
            rows = await fetch_all(uow.connection, _RAWS, ids)
            await self._cases.have(len(ids), uow.connection)
        found = {row[0]: row for row in rows}
        prepared = [await self._prepare(id_, found.get(id_)) for id_ in ids]
        prepared = await self._with_cases(prepared)
        await self._note_news(prepared)
        self.items = dict(zip(ids, prepared, strict=True))
        return prepared

    async def _prepare(self, id_: str, row: tuple[Any, ...] | None) -> Prepared:
        case_reference = self._cases.take()
        inbound, language, fault, account_id, channel = None, "", "", "", ""
        news: tuple[StatusNews, ...] = ()
        files: tuple[Attachment, ...] = ()
        done = row is not None and bool(row[6])
        if done:
            pass
        elif row is None or not row[5]:
            fault = f"raw payload {id_} is not stored, or its retention has passed"
        else:
            _, channel, key_id, sealed, received_at_ms, _, _ = row
            try:
                if sealed is None:
                    sealed = await self._large(id_)
                arguments = (id_, channel, key_id, sealed, received_at_ms)
                if len(sealed) > _IN_THREAD_BYTES or channel == "mail":
                    read = await asyncio.to_thread(self.read, *arguments)
                else:
                    read = self.read(*arguments)
                account_id, inbound, news = read.account, read.inbound, read.news
                if inbound is not None:
                    files = (
                        *await put_away(inbound, read.files, self._blobs),
                        *kept_before(inbound),
                        *to_be_fetched(inbound),
                    )
                account = self._accounts.find(channel, account_id)
                language = account.language if account else ""
            except (SealBroken, ValueError) as error:
                fault = f"raw payload {id_} cannot be read: {error}"
        return Prepared(
            inbound,
            new_id(),
            new_id(),
            case_reference,
            language,
            fault,
            channel,
            account_id,
            news,
            files,
            done,
        )

    async def _large(self, id_: str) -> bytes:
        async with self._database.begin_stream() as uow:
            row = await fetch_one(uow.connection, _LARGE, id_)
        return row[0] if row and row[0] is not None else b""

    def read(self, id_: str, channel: str, key_id: str, sealed: bytes, received_at_ms: int) -> Read:
        """What is in a sealed payload. Raises SealBroken, ValueError."""
        payload = self._sealer.open(sealed, id_, key_id)
        origin, body = unpack_payload(payload)
        if not origin.kind.startswith(HOOK):
            inbound, files = read_inbound(payload, id_, channel, received_at_ms, self._signer)
            return Read(origin.account, inbound, (), files)
        adapter = self._adapters.get(origin.kind.removeprefix(HOOK))
        if adapter is None:
            raise ValueError(f"no channel is called {origin.kind.removeprefix(HOOK)!r} any more")
        return Read(origin.account, *read_item(adapter, origin.account, body, id_, received_at_ms))

    async def _note_news(self, prepared: Sequence[Prepared]) -> None:
        """Makes the rows that statuses change, so that they and the sender, who may be late, change one row in turn."""
        keys = sorted({(p.channel, p.account, news_id(news)) for p in prepared for news in p.news})
        if not keys:
            return
        async with self._database.begin_stream() as uow:
            await fetch_all(uow.connection, NOTE_PROVIDER_IDS, *map(list, zip(*keys, strict=True)))
            await uow.commit()

    async def _with_cases(self, prepared: list[Prepared]) -> list[Prepared]:
        """Turns case references in mail subjects into threads of the same sender."""
        wanted = {
            reference
            for item in prepared
            if item.inbound is not None
            for reference in item.inbound.case_references
        }
        if not wanted:
            return prepared
        async with self._database.begin_stream() as uow:
            rows = await fetch_all(uow.connection, _CASES, sorted(wanted))
        threads = {(reference, address): conversation for reference, address, conversation in rows}
        return [
            item if item.inbound is None else replace(item, inbound=_in_cases(item.inbound, threads))
            for item in prepared
        ]


def _in_cases(inbound: Inbound, threads: dict[tuple[str, str], str]) -> Inbound:
    named = [
        threads[reference, inbound.address]
        for reference in inbound.case_references
        if inbound.address and (reference, inbound.address) in threads
    ]
    return replace(inbound, threads=tuple(dict.fromkeys([*inbound.threads, *named])))
