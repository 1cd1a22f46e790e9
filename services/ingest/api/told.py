"""The route that says what became of a webhook, by the provider's own id: for who asks whether it ever arrived."""

import hashlib
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from libs.storage import fetch_one
from libs.web import NotFound, Principal, require_role
from services.ingest.api.accepting import Accepting
from services.ingest.api.schemas import MessageState

_FIND: Final = """
SELECT id FROM ingest.raw_messages WHERE scope = $1 AND provider_id = ANY($2::text[])
ORDER BY received_at_ms LIMIT 1
"""
_KINDS: Final = ("message:", "update:", "")
_LONGEST: Final = 255


def told_router(accepting: Accepting) -> APIRouter:
    """GET the message that a provider told under an id."""
    router = APIRouter(prefix="/v1/hooks", tags=["hooks"])

    @router.get(
        "/{provider}/{account}/messages/{id_:path}",
        response_model=MessageState,
        summary="Where a message is that a provider told, by the provider's id",
    )
    async def get_told(
        provider: str,
        account: str,
        id_: str,
        _: Annotated[Principal, Depends(require_role("supervisor", "admin", "service"))],
    ) -> Response:
        keys = [_kept(kind + id_) for kind in _KINDS]
        async with accepting.database.read() as connection:
            row = await fetch_one(connection, _FIND, f"{provider}/{account}", keys)
        if row is None:
            raise NotFound("This account has been told no message under that id.", slug="unknown-message")
        state = await accepting.state(row[0])
        return Response(state.model_dump_json(exclude_none=True), media_type="application/json")

    return router


def _kept(key: str) -> str:
    """As it stands in the row."""
    return key if len(key) <= _LONGEST else "long:" + hashlib.sha256(key.encode()).hexdigest()
