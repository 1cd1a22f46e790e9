"""The route that takes raw mail from a mail server."""

import hmac
import re
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request, Response

from libs.web import (
    Unauthorized,
    Unprocessable,
    body_limit,
    require_media_type,
)
from services.ingest.accounts import ChannelAccount
from services.ingest.api.accepting import Accepting
from services.ingest.api.callers import OPEN_SECURITY, idempotency_key, is_service
from services.ingest.api.messages import HEADERS, shown
from services.ingest.api.schemas import MessageState

MOST_MAIL_BYTES: Final = 25 * 1024 * 1024
"""What the other doors for mail take too."""
_FIELD: Final = re.compile(rb"[A-Za-z][A-Za-z0-9._-]{0,76}")
_MEDIA_TYPES: Final = ("message/rfc822", "application/octet-stream")


def mail_router(accepting: Accepting) -> APIRouter:
    """POST mail."""
    router = APIRouter(prefix="/v1", tags=["mail"])

    @router.post(
        "/mail",
        status_code=202,
        response_model=MessageState,
        summary="A raw mail (RFC 5322), as a mail server hands it on",
        openapi_extra={
            **OPEN_SECURITY,
            "parameters": list(HEADERS),
            "requestBody": {
                "required": True,
                "content": {
                    media: {"schema": {"type": "string", "format": "binary"}} for media in _MEDIA_TYPES
                },
            },
        },
    )
    @body_limit(MOST_MAIL_BYTES)
    async def post_mail(
        request: Request,
        account: Annotated[
            str, Query(max_length=64, description="The mail account it has come to")
        ] = "default",
        content_type: Annotated[str | None, Header(include_in_schema=False)] = None,
        secret: Annotated[
            str | None,
            Header(
                alias="X-Account-Secret", max_length=500, description="Of the account, in place of a token"
            ),
        ] = None,
    ) -> Response:
        found = accepting.accounts.find("mail", account)
        _check_sender(request, accepting, found, secret)
        if found is None:
            raise Unprocessable(f"There is no mail account {account!r}.", slug="unknown-account")
        require_media_type(content_type, *_MEDIA_TYPES)
        raw = await request.body()
        if not is_mail(raw):
            raise Unprocessable(
                "The body does not begin with mail headers such as From, Date or Subject.", slug="not-a-mail"
            )
        key = idempotency_key(request, required=False)
        return shown(await accepting.mail(account, raw, key, accepting.wait_s(request)))

    return router


def _check_sender(
    request: Request, accepting: Accepting, account: ChannelAccount | None, secret: str | None
) -> None:
    if secret is None:
        if not is_service(request, accepting.tokens):
            raise Unauthorized("Send a token of role service, or X-Account-Secret.")
        return
    expected = account.secret.get_secret_value() if account else ""
    if not expected or not hmac.compare_digest(secret.encode(), expected.encode()):
        raise Unauthorized("The secret is not this account's.", slug="bad-account-secret")


def is_mail(raw: bytes) -> bool:
    """Whether the bytes begin like a mail: one header field at least, after an mbox line or empty lines perhaps."""
    for line in raw[:4096].lstrip(b"\r\n").split(b"\n")[:3]:
        name, colon, _ = line.partition(b":")
        if colon and _FIELD.fullmatch(name):
            return True
        if not line.startswith((b"From ", b">From ")):
            return False
    return False
