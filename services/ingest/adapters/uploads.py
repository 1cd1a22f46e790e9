"""Files that a visitor sends before the message they belong to: kept for a day, known by the visitor and the widget's id."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from libs.storage import BlobStore, Database, fetch_all, fetch_one
from libs.web import Unprocessable
from services.ingest.domain.attachments import safe_name, sniff
from services.ingest.domain.files import KeptFile
from services.ingest.domain.texts import storable
from services.ingest.domain.visitors import Visitor

_HEAD_BYTES: Final = 4096
_KEPT_MS: Final = 86_400_000
_NAMES: Final = "name, declared, media_type, size, blob_key"
_FIND: Final = (
    f"SELECT upload_id, {_NAMES} FROM ingest.uploads WHERE scope = $1 AND upload_id = ANY($2::text[])"
)
_INSERT: Final = f"""
INSERT INTO ingest.uploads (scope, upload_id, {_NAMES}, created_at_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING 1
"""
_OLD: Final = "DELETE FROM ingest.uploads WHERE created_at_ms < $1 RETURNING blob_key"
_UNUSED: Final = """
SELECT k FROM unnest($1::text[]) AS k WHERE NOT EXISTS (
    SELECT 1 FROM ingest.attachments a WHERE a.blob_key = k AND a.state <> 'expired'
) AND NOT EXISTS (SELECT 1 FROM ingest.uploads u WHERE u.blob_key = k)
"""


@dataclass(frozen=True, slots=True)
class Uploads:
    """Takes files, finds them again, and removes those that no message came to name."""

    database: Database
    blobs: BlobStore
    most_bytes: int

    async def find(self, visitor: Visitor, upload_id: str) -> KeptFile | None:
        """A file of the visitor's, or None."""
        return (await self._found(visitor, [upload_id])).get(upload_id)

    async def named(self, visitor: Visitor, upload_ids: Sequence[str]) -> list[KeptFile]:
        """The files of a message, in its order. Raises Unprocessable for one that is not here."""
        found = await self._found(visitor, upload_ids) if upload_ids else {}
        for index, one in enumerate(upload_ids):
            if one not in found:
                raise Unprocessable(
                    f"There is no file {one!r} of this visitor: send it first; it is kept for a day.",
                    slug="unknown-file",
                    extensions={"errors": [{"pointer": f"#/files/{index}", "detail": "not here"}]},
                )
        return [found[one] for one in upload_ids]

    async def keep(
        self, visitor: Visitor, upload_id: str, name: str, declared: str, pieces: AsyncIterator[bytes]
    ) -> KeptFile:
        """Stores a file. Raises BlobTooLarge, and what `pieces` raise; then nothing stays."""
        head = bytearray()

        async def watched() -> AsyncIterator[bytes]:
            async for piece in pieces:
                if len(head) < _HEAD_BYTES:
                    head.extend(piece[:_HEAD_BYTES])
                yield piece

        blob = await self.blobs.put(watched(), self.most_bytes)
        kind = sniff(bytes(head), declared)
        file = KeptFile(safe_name(storable(name), kind), storable(declared[:200]), kind, blob.size, blob.key)
        async with self.database.begin() as uow:
            values = (file.name, file.declared, file.media_type, file.size, file.blob_key)
            await fetch_one(uow.connection, _INSERT, storable(visitor.scope), upload_id, *values, uow.now_ms)
            await uow.commit()
        return file

    async def sweep(self, idle_s: float) -> int:
        """Removes what is older than a day, and its content where no message has it. Returns how many contents."""
        async with self.database.begin() as uow:
            rows = await fetch_all(uow.connection, _OLD, uow.now_ms - _KEPT_MS)
            keys = sorted({str(key) for (key,) in rows})
            unused = [str(key) for (key,) in await fetch_all(uow.connection, _UNUSED, keys)] if keys else []
            await uow.commit()
        return await self.blobs.remove(unused, idle_s) if unused else 0

    async def _found(self, visitor: Visitor, upload_ids: Sequence[str]) -> dict[str, KeptFile]:
        async with self.database.read() as connection:
            rows = await fetch_all(connection, _FIND, storable(visitor.scope), list(upload_ids))
        return {str(row[0]): KeptFile(*row[1:]) for row in rows}
