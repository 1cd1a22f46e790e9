"""Raw payloads become durable: messages that arrive while a commit runs share the next one."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from libs.contracts import PayloadAccepted
from libs.storage import Database, UnitOfWork, execute, fetch_all
from libs.telemetry import carried_trace
from libs.web import IdempotencyMismatch, Unavailable

_GROUP_BYTES: Final = 16 * 1024 * 1024
_MOST_PENDING_BYTES: Final = 512 * 1024 * 1024
_INSERT: Final = """
INSERT INTO ingest.raw_messages
    (id, scope, provider_id, body_hash, channel, key_id, payload, received_at_ms, sender_key)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::text[], $7::bytea[], $8::bigint[], $9::text[]
)
ON CONFLICT DO NOTHING RETURNING id
"""
_INSERT_HOOKS: Final = """
INSERT INTO ingest.raw_hooks (id, provider, account, key_id, payload, received_at_ms)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bigint[])
ON CONFLICT DO NOTHING
"""
# One look-up by index for each key, whatever the planner thinks of the table's size.
_EXISTING: Final = """
SELECT u.s, u.p, r.id, r.body_hash FROM unnest($1::text[], $2::text[]) AS u(s, p)
CROSS JOIN LATERAL (
    SELECT id, body_hash FROM ingest.raw_messages WHERE scope = u.s AND provider_id = u.p LIMIT 1
) AS r
"""


@dataclass(frozen=True, slots=True)
class RawHook:
    """A whole webhook as it is stored, once for all that it tells."""

    id: str
    """The same for the same bytes."""
    provider: str
    account: str
    key_id: str
    sealed: bytes
    received_at_ms: int


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A payload as it is stored."""

    id: str
    scope: str
    """Account and kind of caller: within it a provider id names one message."""
    provider_id: str | None
    body_hash: bytes
    channel: str
    key_id: str
    sealed: bytes
    received_at_ms: int
    sender_key: str
    hook: RawHook | None = None
    """The webhook it was told in."""
    traceparent: str = field(default_factory=carried_trace)
    """Of the request that brought it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the message is now."""

    id: str
    repeated: bool
    """It had been stored before, under this id."""


_Waiting = tuple[RawMessage, "asyncio.Future[Stored]"]


class RawWriter:
    """Writes raw messages, one transaction for all that wait. Use it from one event loop."""

    def __init__(self, database: Database, *, most_pending: int, group_rows: int) -> None:
        self._database = database
        self._most_pending = most_pending
        self._group_rows = group_rows
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._running: asyncio.Task[None] | None = None

    async def write(self, raw: RawMessage) -> Stored:
        """Returns once the message is durable, with the id under which it is known.

        Raises IdempotencyMismatch when the provider id came with another body, Unavailable when too many wait, and the
        database's error when it is away: then nothing is known of the message, and the caller may repeat it.
        """
        if len(self._waiting) >= self._most_pending or self._bytes > _MOST_PENDING_BYTES:
            raise Unavailable("Too many messages wait to be stored.", cause="pool", retry_after_s=1)
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._waiting.append((raw, future))
        self._bytes += len(raw.sealed)
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="ingest-raw-writer")
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._write_group(self._next_group())
        finally:
            self._running = None

    def _next_group(self) -> list[_Waiting]:
        """The oldest ones that fit in a commit: so many rows, or so many bytes, and one at least."""
        group: list[_Waiting] = []
        size = 0
        while self._waiting and len(group) < self._group_rows:
            size += len(self._waiting[0][0].sealed)
            if group and size > _GROUP_BYTES:
                break
            group.append(self._waiting.popleft())
        self._bytes -= sum(len(raw.sealed) for raw, _ in group)
        return group

    async def _write_group(self, group: Sequence[_Waiting]) -> None:
        try:
            async with self._database.begin() as uow:
                inserted, existing = await _insert([raw for raw, _ in group], uow)
                await uow.commit()
        except BaseException as error:
            for _, future in group:
                if not future.done():
                    future.set_exception(error if isinstance(error, Exception) else Unavailable("Stopping."))
            if not isinstance(error, Exception):
                raise
            return
        for raw, future in group:
            if not future.done():
                _answer(raw, future, inserted, existing)


async def _insert(
    raws: Sequence[RawMessage], uow: UnitOfWork
) -> tuple[set[str], dict[tuple[str, str], tuple[str, bytes]]]:
    # Two processes insert the keys they share in the same order, so neither waits for the other for ever.
    rowed = sorted(raws, key=lambda raw: (raw.scope, raw.provider_id or ""))
    rows = await fetch_all(
        uow.connection,
        _INSERT,
        [raw.id for raw in rowed],
        [raw.scope for raw in rowed],
        [raw.provider_id for raw in rowed],
        [raw.body_hash for raw in rowed],
        [raw.channel for raw in rowed],
        [raw.key_id for raw in rowed],
        [raw.sealed for raw in rowed],
        [raw.received_at_ms for raw in rowed],
        [raw.sender_key for raw in rowed],
    )
    inserted = {id_ for (id_,) in rows}
    for raw in raws:
        if raw.id in inserted:
            uow.traceparent = raw.traceparent
            uow.emit(PayloadAccepted(raw_id=raw.id, sender_key=raw.sender_key))
    await _insert_hooks({raw.hook.id: raw.hook for raw in raws if raw.hook and raw.id in inserted}, uow)
    refused = [(raw.scope, raw.provider_id) for raw in raws if raw.id not in inserted]
    if not refused:
        return inserted, {}
    found = await fetch_all(
        uow.connection, _EXISTING, [scope for scope, _ in refused], [provider for _, provider in refused]
    )
    return inserted, {(scope, provider): (id_, hash_) for scope, provider, id_, hash_ in found}


async def _insert_hooks(hooks: Mapping[str, RawHook], uow: UnitOfWork) -> None:
    if not hooks:
        return
    rowed = [hooks[id_] for id_ in sorted(hooks)]
    await execute(
        uow.connection,
        _INSERT_HOOKS,
        [one.id for one in rowed],
        [one.provider for one in rowed],
        [one.account for one in rowed],
        [one.key_id for one in rowed],
        [one.sealed for one in rowed],
        [one.received_at_ms for one in rowed],
    )


def _answer(
    raw: RawMessage,
    future: "asyncio.Future[Stored]",
    inserted: set[str],
    existing: dict[tuple[str, str], tuple[str, bytes]],
) -> None:
    if raw.id in inserted:
        future.set_result(Stored(raw.id, repeated=False))
        return
    found = existing.get((raw.scope, raw.provider_id or ""))
    if found is None:
        future.set_exception(Unavailable("The key was freed just now. Send it again.", retry_after_s=1))
    elif found[1] != raw.body_hash:
        future.set_exception(IdempotencyMismatch("Use a new key for a new message."))
    else:
        future.set_result(Stored(found[0], repeated=True))
