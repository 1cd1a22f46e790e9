"""Files in the database, for installations whose processes share no folder: in pieces, in two tables of the service."""

import hashlib
from collections.abc import AsyncIterator, Collection

from libs.primitives import new_id
from libs.storage.blobs import PIECE_BYTES, Blob, BlobMissing, check_key, measured
from libs.storage.engine import Database
from libs.storage.sql import execute, fetch_all, fetch_one


class DatabaseBlobs:
    """Files in two tables of the service's schema, made by its migrations.

    `blobs (key text PRIMARY KEY, content text, size bigint, put_at timestamptz)`; `blob_pieces (content text, number int,
    data bytea, PRIMARY KEY (content, number))`: `content` is new for each file that is put.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        schema = database.schema
        self._write = f"INSERT INTO {schema}.blob_pieces (content, number, data) VALUES ($1, $2, $3)"
        self._name = (
            f"INSERT INTO {schema}.blobs (key, content, size, put_at) VALUES ($1, $2, $3, now())"
            " ON CONFLICT (key) DO UPDATE SET put_at = now() RETURNING content"
        )
        self._drop = f"DELETE FROM {schema}.blob_pieces WHERE content = $1"
        self._find = f"SELECT content, size FROM {schema}.blobs WHERE key = $1"
        self._piece = f"SELECT data FROM {schema}.blob_pieces WHERE content = $1 AND number = $2"
        self._remove = f"""
            WITH gone AS (
                DELETE FROM {schema}.blobs
                WHERE key = ANY($1::text[]) AND put_at <= now() - make_interval(secs => $2) RETURNING content
            ), pieces AS (
                DELETE FROM {schema}.blob_pieces p USING gone WHERE p.content = gone.content
            )
            SELECT count(*) FROM gone
        """

    async def put(self, pieces: AsyncIterator[bytes], most_bytes: int) -> Blob:
        digest, size, number, content = hashlib.sha256(), 0, 0, new_id()
        # One transaction: nothing of a file is seen before all of it is there.
        async with self._database.begin() as uow:
            async for piece in measured(pieces, most_bytes, digest):
                for start in range(0, len(piece), PIECE_BYTES):
                    await execute(
                        uow.connection, self._write, content, number, piece[start : start + PIECE_BYTES]
                    )
                    number += 1
                size += len(piece)
            key = digest.hexdigest()
            kept = await fetch_one(uow.connection, self._name, key, content, size)
            assert kept is not None
            if kept[0] != content:
                await execute(uow.connection, self._drop, content)
            await uow.commit()
        return Blob(key, size)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        check_key(key)
        async with self._database.read() as connection:
            found = await fetch_one(connection, self._find, key)
        if found is None:
            raise BlobMissing(f"the file {key} is not in the database")
        (content, left), number = found, 0
        while left > 0:
            # A reader that is slow holds no connection.
            async with self._database.read() as connection:
                rows = await fetch_all(connection, self._piece, content, number)
            if not rows:
                raise BlobMissing(f"the file {key} was removed while it was read")
            yield rows[0][0]
            left -= len(rows[0][0])
            number += 1

    async def remove(self, keys: Collection[str], idle_s: float) -> int:
        for key in keys:
            check_key(key)
        async with self._database.begin() as uow:
            row = await fetch_one(uow.connection, self._remove, sorted(keys), float(idle_s))
            await uow.commit()
        return int(row[0]) if row else 0
