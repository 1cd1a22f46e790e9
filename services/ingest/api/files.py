"""Routes of the files that customers have sent."""

import re
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from libs.storage import BlobMissing, BlobStore, Database, fetch_all, fetch_one
from libs.web import Conflict, NotFound, Tokens
from services.ingest.adapters.tables import ATTACHMENTS
from services.ingest.api.callers import SECURITY, check_file_reader
from services.ingest.domain.attachments import serving_headers
from services.ingest.domain.files import Attachment, FileState

_MOST: Final = 1000
_NOT_HERE: Final = "file-not-here"
_OF: Final = (
    f"SELECT {ATTACHMENTS.columns} FROM ingest.attachments WHERE conversation_id = $1"
    " ORDER BY created_at_ms, message_id, position LIMIT $2"
)
_ONE: Final = f"SELECT {ATTACHMENTS.columns} FROM ingest.attachments WHERE attachment_id = $1"
_THREAD: Final = "SELECT 1 FROM ingest.threads WHERE conversation_id = $1"
_CONTENT: Final[dict[str, Any]] = {
    **SECURITY,
    "responses": {
        "200": {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
    },
}


class FileOut(BaseModel):
    """A file of a conversation."""

    model_config = ConfigDict(frozen=True)

    attachment_id: str
    message_id: str
    name: str
    media_type: str = Field(description="What its bytes show, whatever its sender said; empty while it waits")
    size: int = Field(description="Bytes")
    inline: bool = Field(description="The message shows it in its text")
    state: str = Field(description="waiting, stored, failed or expired")
    reason: str = Field(description="Why it is not here")
    location: str = Field(description="Where its content is")


class FilesOut(BaseModel):
    """The files of a conversation, the oldest first."""

    files: list[FileOut]


def files_router(database: Database, tokens: Tokens, blobs: BlobStore) -> APIRouter:
    """GET the list of a conversation, and a file."""
    router = APIRouter(prefix="/v1", tags=["files"])

    @router.get(
        "/conversations/{conversation_id}/files",
        summary="The files that came with its messages",
        openapi_extra=SECURITY,
    )
    async def list_files(conversation_id: str, request: Request) -> FilesOut:
        check_file_reader(request, tokens, conversation_id)
        async with database.read() as connection:
            rows = await fetch_all(connection, _OF, conversation_id, _MOST)
            if not rows and await fetch_one(connection, _THREAD, conversation_id) is None:
                raise NotFound("There is no such conversation.", slug="unknown-conversation")
        return FilesOut(files=[_shown(ATTACHMENTS.value_of(row)) for row in rows])

    @router.get(
        "/conversations/{conversation_id}/files/{attachment_id}",
        summary="A file, as a download unless it is a plain picture",
        response_class=Response,
        openapi_extra=_CONTENT,
    )
    async def get_file(
        conversation_id: str,
        attachment_id: str,
        request: Request,
        if_none_match: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Response:
        check_file_reader(request, tokens, conversation_id)
        async with database.read() as connection:
            row = await fetch_one(connection, _ONE, attachment_id)
        found = ATTACHMENTS.value_of(row) if row is not None else None
        if found is None or found.conversation_id != conversation_id:
            raise NotFound("There is no such file in this conversation.", slug="unknown-file")
        return await file_answer(found, blobs, if_none_match)

    return router


async def file_answer(found: Attachment, blobs: BlobStore, if_none_match: str | None) -> Response:
    """The content of a stranger's file under headers that no browser runs it by. Raises Conflict when it is not here."""
    if found.state != FileState.STORED:
        raise Conflict(
            f"The file is {found.state}{': ' + found.reason if found.reason else ''}.", slug=_NOT_HERE
        )
    headers = {**serving_headers(found.name, found.media_type), "ETag": f'"{found.blob_key}"'}
    # The edge sets it on every answer.
    del headers["X-Content-Type-Options"]
    if if_none_match is not None and headers["ETag"] in re.split(r"\s*,\s*", if_none_match):
        return Response(status_code=304, headers=headers)
    content = blobs.read(found.blob_key)
    try:
        first = await anext(content, b"")
    except BlobMissing as error:
        raise Conflict(f"The file is listed and its content is gone: {error}.", slug=_NOT_HERE) from None

    async def stream() -> Any:
        yield first
        async for piece in content:
            yield piece

    return StreamingResponse(stream(), headers={**headers, "Content-Length": str(found.size)})


def _shown(file: Attachment) -> FileOut:
    return FileOut(
        attachment_id=file.attachment_id,
        message_id=file.message_id,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        inline=file.inline,
        state=file.state,
        reason=file.reason,
        location=f"/ingest/v1/conversations/{quote(file.conversation_id)}/files/{file.attachment_id}",
    )
