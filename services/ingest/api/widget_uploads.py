"""Routes of files in the widget: a visitor sends one before the message that names it, and opens those of their thread."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request, Response

from libs.storage import BlobTooLarge
from libs.web import NotFound, TooLarge, Unprocessable, body_limit
from services.ingest.adapters.uploads import Uploads
from services.ingest.adapters.visitor_threads import VisitorThreads
from services.ingest.api.bodies import header
from services.ingest.api.files import file_answer
from services.ingest.api.widget_access import WidgetAccess
from services.ingest.api.widget_schemas import WidgetUpload
from services.ingest.domain.files import KeptFile

_SESSION: Final = header("X-Widget-Session", "The session, as POST sessions gave it", 4096)
_BYTES: Final[dict[str, Any]] = {
    "security": [],
    "parameters": [_SESSION],
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
}
_CONTENT: Final[dict[str, Any]] = {
    "security": [],
    "parameters": [_SESSION],
    "responses": {
        "200": {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
    },
}


def widget_uploads_router(access: WidgetAccess, threads: VisitorThreads, uploads: Uploads) -> APIRouter:
    """POST a file, GET one of the visitor's conversation."""
    router = APIRouter(prefix="/v1/widget/{channel}/{account}", tags=["widget"])

    @router.post(
        "/files",
        status_code=201,
        response_model=WidgetUpload,
        summary="A file of a message to come; sent again with its id it is the same file",
        openapi_extra=_BYTES,
    )
    @body_limit(uploads.most_bytes)
    async def post_file(
        channel: str,
        account: str,
        request: Request,
        id: Annotated[str, Query(pattern=r"^[a-z0-9-]{1,64}$", description="Made by the widget")],
        name: Annotated[str, Query(max_length=500, description="As the visitor's device calls it")] = "",
        kind: Annotated[str, Query(max_length=200, description="The media type the device says")] = "",
    ) -> Response:
        access.allow_origin(request, channel, account)
        visitor = access.visitor(request, access.account(request, channel, account))
        known = await uploads.find(visitor, id)
        if known is None:
            access.rates.check("files/" + visitor.scope, access.settings.visitor_files_per_minute)
            try:
                known = await uploads.keep(visitor, id, name, kind, _pieces(request))
            except BlobTooLarge:
                raise TooLarge(
                    f"A file has at most {uploads.most_bytes} bytes.",
                    extensions={"limit_bytes": uploads.most_bytes},
                ) from None
        return Response(_shown(id, known).model_dump_json(), 201, media_type="application/json")

    @router.get(
        "/file",
        summary="A file of the visitor's conversation, as a download unless it is a plain picture",
        response_class=Response,
        openapi_extra=_CONTENT,
    )
    async def get_visitor_file(
        channel: str,
        account: str,
        request: Request,
        id: Annotated[str, Query(max_length=64)],
        if_none_match: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Response:
        access.allow_origin(request, channel, account)
        visitor = access.visitor(request, access.account(request, channel, account))
        state = await threads.newest(visitor)
        found = await threads.file(state.conversation_id, id) if state else None
        if found is None:
            raise NotFound("There is no such file in this conversation.", slug="unknown-file")
        answer = await file_answer(found, uploads.blobs, if_none_match)
        # Who may read it was said above: a site of the account's, by a session.
        del answer.headers["Cross-Origin-Resource-Policy"]
        return answer

    return router


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    empty = True
    async for piece in request.stream():
        if piece:
            empty = False
            yield piece
    if empty:
        raise Unprocessable("The file is empty.", slug="empty-file")


def _shown(id_: str, file: KeptFile) -> WidgetUpload:
    return WidgetUpload(id=id_, name=file.name, media_type=file.media_type, size=file.size)
