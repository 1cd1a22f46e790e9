"""`Idempotency-Key`: the answer to a creating POST is kept in the transaction of its work.

The row of a key is inserted first, so a second request with the same key waits for the first one's
transaction and then reads its answer; when the first rolled back, the second does the work. An answer is
kept only if it was stored and committed: a refusal (4xx, 5xx) frees the key.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from asyncpg.exceptions import LockNotAvailableError
from fastapi import Request
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from libs.web.problems import BadRequest, IdempotencyMismatch, IdempotencyRunning

IDEMPOTENCY_HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_LOCK_STATE: Final = LockNotAvailableError.sqlstate


def idempotency_table(metadata: MetaData, schema: str) -> Table:
    """The table `idempotency_keys` of one service, for its metadata and its first migration."""
    return Table(
        "idempotency_keys",
        metadata,
        Column("caller", Text, primary_key=True),
        Column("route", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("body_hash", LargeBinary, nullable=False),
        Column("created_at_ms", BigInteger, nullable=False, index=True),
        Column("status", Integer),
        Column("body", LargeBinary),
        Column("headers", JSONB),
        schema=schema,
    )


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """One request with a key: who sent it, to which address, and the SHA-256 of what it said."""

    caller: str
    route: str
    key: str
    body_hash: bytes


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The answer that was given the first time."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The same answer again, marked with `Idempotency-Replayed: true`."""
        headers = {"Content-Type": "application/json", **self.headers, "Idempotency-Replayed": "true"}
        return Response(self.body, self.status, headers)


async def keyed_request(request: Request, caller: str, *, required: bool) -> KeyedRequest | None:
    """The request's key, or None without one.

    `caller` keeps the keys of different callers apart: a principal's subject, a channel account; never a
    constant. BadRequest `idempotency-key-required` when it is `required` (role service) and missing,
    `bad-idempotency-key` unless it is 1 to 255 visible ASCII characters (quotes around them do not count).
    """
    given = request.headers.get(IDEMPOTENCY_HEADER)
    if given is None:
        if required:
            raise BadRequest("Send an Idempotency-Key with this request.", slug="idempotency-key-required")
        return None
    key = given[1:-1] if len(given) > 2 and given[0] == given[-1] == '"' else given
    if _KEY.fullmatch(key) is None:
        raise BadRequest(
            "An Idempotency-Key is 1 to 255 visible ASCII characters.", slug="bad-idempotency-key"
        )
    digest = hashlib.sha256(await request.body()).digest()
    return KeyedRequest(caller, f"{request.method} {request.scope['path']}", key, digest)


class Idempotency:
    """The keys of one service, in its table. Every method works on the caller's open transaction.

    `wait_s` bounds the wait for another transaction that holds the same key.
    """

    def __init__(self, table: Table, *, wait_s: float = 5.0) -> None:
        name = table.fullname
        where = "WHERE caller = :caller AND route = :route AND key = :key"
        # The wait for another transaction's row is bounded in the statement itself: one round trip.
        self._insert = text(
            f"WITH bound AS (SELECT set_config('lock_timeout', '{int(wait_s * 1000)}ms', true)) "
            f"INSERT INTO {name} (caller, route, key, body_hash, created_at_ms) "
            "SELECT CAST(:caller AS text), CAST(:route AS text), CAST(:key AS text), "
            "CAST(:body_hash AS bytea), CAST(:now_ms AS bigint) FROM bound ON CONFLICT DO NOTHING RETURNING 1"
        )
        self._select = text(f"SELECT body_hash, status, body, headers FROM {name} {where}")
        self._update = text(
            f"UPDATE {name} SET status = :status, body = :body, headers = CAST(:headers AS jsonb) {where}"
        ).bindparams(bindparam("body", type_=LargeBinary))
        self._prune = text(f"DELETE FROM {name} WHERE created_at_ms < :older_than_ms")

    async def begin(
        self, connection: AsyncConnection, keyed: KeyedRequest, now_ms: int
    ) -> StoredResponse | None:
        """Claim the key, first in the transaction. The answer of the first time, or None: do the work.

        May wait up to `wait_s` for another transaction with the same key (and leaves that lock_timeout on for the
        rest of this one); then IdempotencyRunning. IdempotencyMismatch when the key came with another body.
        """
        values = {"caller": keyed.caller, "route": keyed.route, "key": keyed.key}
        try:
            mine = await connection.execute(
                self._insert, {**values, "body_hash": keyed.body_hash, "now_ms": now_ms}
            )
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _LOCK_STATE:
                raise IdempotencyRunning(
                    "Ask again in a moment with the same key.", headers={"Retry-After": "2"}
                ) from error
            raise
        if mine.first() is not None:
            return None
        row = (await connection.execute(self._select, values)).first()
        if row is None or row.status is None:
            raise IdempotencyRunning("Ask again in a moment with the same key.", headers={"Retry-After": "2"})
        if bytes(row.body_hash) != keyed.body_hash:
            raise IdempotencyMismatch("Use a new key for a new request.")
        return StoredResponse(row.status, bytes(row.body), row.headers)

    async def store(
        self,
        connection: AsyncConnection,
        keyed: KeyedRequest,
        status: int,
        body: bytes,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep the answer; call it last, before the commit of the work."""
        values = {"caller": keyed.caller, "route": keyed.route, "key": keyed.key}
        kept = json.dumps(dict(headers or {}))
        await connection.execute(self._update, {**values, "status": status, "body": body, "headers": kept})

    async def prune(self, connection: AsyncConnection, older_than_ms: int) -> int:
        """Forget keys first seen before `older_than_ms` (48 hours is usual); how many that were."""
        result = await connection.execute(self._prune, {"older_than_ms": older_than_ms})
        return int(result.rowcount)
