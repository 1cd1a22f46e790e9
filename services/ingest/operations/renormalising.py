"""What is kept is read again, by rules that have been mended since; what was right the first time stays as it is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from libs.contracts import PayloadAccepted
from libs.storage import BlobStore, Database, UnitOfWork, fetch_all, fetch_one
from services.ingest.adapters.channels.port import ChannelAdapter, Refused
from services.ingest.adapters.desk import Desk, Read, news_id
from services.ingest.adapters.filing import put_away, to_be_fetched
from services.ingest.adapters.hook_payloads import open_hook, raws_of, seal_hook
from services.ingest.adapters.keys import SealBroken, Sealer
from services.ingest.adapters.raw_writer import RawWriter
from services.ingest.adapters.tables import ATTACHMENTS, ENTRIES
from services.ingest.domain.channels import further

_PAGE: Final = 100
_HOOKS: Final = """
SELECT id, provider, account, key_id FROM ingest.raw_hooks
WHERE id > $1 AND received_at_ms >= $2 ORDER BY id LIMIT $3
"""
_RAWS: Final = """
SELECT r.id, r.channel, r.key_id, r.received_at_ms, r.sender_key, e.conversation_id, e.entry_seq
FROM ingest.raw_messages r
LEFT JOIN ingest.thread_entries e ON e.ref_id = r.id AND e.kind = 'customer'
WHERE r.id > $1 AND r.received_at_ms >= $2 AND r.payload IS NOT NULL ORDER BY r.id LIMIT $3
"""
# One at a time: a page of large ones would not fit into memory.
_HOOK: Final = "SELECT payload FROM ingest.raw_hooks WHERE id = $1"
_RAW: Final = "SELECT payload FROM ingest.raw_messages WHERE id = $1"
_STATUSES: Final = """
SELECT provider_id, status FROM ingest.provider_messages
WHERE channel = $1 AND account = $2 AND provider_id = ANY($3::text[])
"""
_FILES: Final = "SELECT position FROM ingest.attachments WHERE conversation_id = $1 AND message_id = $2"
_COUNT: Final = """
SELECT (SELECT count(*) FROM ingest.raw_hooks WHERE received_at_ms >= $1)
     + (SELECT count(*) FROM ingest.raw_messages WHERE received_at_ms >= $1 AND payload IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    looked_at: int = 0
    """Whole webhooks and payloads."""
    found: int = 0
    """Happenings in webhooks that had not been seen in them before."""
    again: int = 0
    """Payloads put on their way again: they had become nothing."""
    corrected: int = 0
    """Messages that read otherwise now: their line in the thread is replaced, or files are added."""
    unreadable: int = 0
    """Still: no key, no channel, no shape."""


class Renormaliser:
    """Reads again what came since a time. Any number of runs come to the same: nothing is there twice."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        adapters: Mapping[str, ChannelAdapter],
        sealer: Sealer,
        writer: RawWriter,
        blobs: BlobStore,
    ) -> None:
        self._database = database
        self._desk = desk
        self._adapters = adapters
        self._sealer = sealer
        self._writer = writer
        self._blobs = blobs
        self._outcome = Outcome()

    async def total(self, since_ms: int) -> int:
        """How many webhooks and payloads there are to look at."""
        async with self._database.read() as connection:
            [(count,)] = await fetch_all(connection, _COUNT, since_ms)
        return int(count)

    async def run(self, since_ms: int, progress: Callable[[Outcome], None] = lambda outcome: None) -> Outcome:
        """Webhooks first, then payloads, in pages; `progress` is called after each. May be stopped at any moment."""
        self._outcome = Outcome()
        await self._pages(_HOOKS, _HOOK, since_ms, self._hook, progress)
        await self._pages(_RAWS, _RAW, since_ms, self._raw, progress)
        return self._outcome

    async def _pages(
        self,
        page: str,
        payload: str,
        since_ms: int,
        work: Callable[..., Awaitable[None]],
        progress: Callable[[Outcome], None],
    ) -> None:
        after = ""
        while True:
            async with self._database.read() as connection:
                rows = await fetch_all(connection, page, after, since_ms, _PAGE)
            for row in rows:
                async with self._database.read() as connection:
                    found = await fetch_one(connection, payload, row[0])
                try:
                    # Its retention may have passed just now.
                    if found is not None and found[0] is not None:
                        await work(found[0], *row)
                except (SealBroken, Refused, ValueError):
                    self._counted(unreadable=1)
                self._counted(looked_at=1)
            progress(self._outcome)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def _counted(self, **more: int) -> None:
        values = {name: getattr(self._outcome, name) + number for name, number in more.items()}
        self._outcome = replace(self._outcome, **values)

    async def _hook(self, sealed: bytes, id_: str, provider: str, account: str, key_id: str) -> None:
        hook = open_hook(self._sealer.open(sealed, id_, key_id))
        adapter = self._adapters.get(provider)
        if adapter is None:
            raise ValueError(f"no channel is called {provider!r} any more")
        whole = seal_hook(self._sealer, provider, account, hook)
        items = adapter.split(hook)
        raws = raws_of(items, adapter.channel, provider, account, self._sealer, hook.now_ms, whole)
        for raw in raws:
            stored = await self._writer.write(raw)
            self._counted(found=not stored.repeated)

    async def _raw(
        self,
        sealed: bytes,
        id_: str,
        channel: str,
        key_id: str,
        received_at_ms: int,
        sender_key: str,
        conversation_id: str | None,
        entry_seq: int | None,
    ) -> None:
        read = self._desk.read(id_, channel, key_id, sealed, received_at_ms)
        if conversation_id is not None:
            await self._correct(read, (conversation_id, entry_seq))
        elif read.inbound is not None or await self._is_news(read, channel):
            async with self._database.begin() as uow:
                uow.emit(PayloadAccepted(raw_id=id_, sender_key=sender_key or id_))
                await uow.commit()
            self._counted(again=1)

    async def _is_news(self, read: Read, channel: str) -> bool:
        """Whether a status in it is further than what is known."""
        if not read.news:
            return False
        ids = [news_id(one) for one in read.news]
        async with self._database.read() as connection:
            rows = await fetch_all(connection, _STATUSES, channel, read.account, ids)
        known: dict[str, str] = dict((id_, status) for id_, status in rows)  # noqa: C402 - rows have no fixed length
        return any(further(known.get(news_id(one), ""), one.status) for one in read.news)

    async def _correct(self, read: Read, key: tuple[str, int | None]) -> None:
        inbound = read.inbound
        if inbound is None:
            return
        async with self._database.begin() as uow:
            entries = uow.rows(ENTRIES)
            await entries.load([key])
            entry = entries.get(key)
            assert entry is not None, "entries are not removed"
            better = replace(entry, text=inbound.text, full_text=inbound.full_text or None)
            added = await self._add_files(read, entry.conversation_id, uow)
            if better == entry and not added:
                return
            entries.put(better)
            await uow.commit()
        self._counted(corrected=1)

    async def _add_files(self, read: Read, conversation_id: str, uow: UnitOfWork) -> bool:
        inbound = read.inbound
        assert inbound is not None
        if not read.files and not inbound.media:
            return False
        rows = await fetch_all(uow.connection, _FILES, conversation_id, inbound.message_id)
        there = {position for (position,) in rows}
        if len(there) >= len(read.files) + len(inbound.media):
            return False
        files = (*await put_away(inbound, read.files, self._blobs), *to_be_fetched(inbound))
        missing = [one for one in files if one.position not in there]
        for one in missing:
            uow.rows(ATTACHMENTS).put(replace(one, conversation_id=conversation_id))
        return bool(missing)
