"""Routes that take messages and say where they are."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Request, Response

from libs.telemetry import metrics
from libs.web import (
    Forbidden,
    Principal,
    Problem,
    TooLarge,
    Unauthorized,
    Unprocessable,
    body_limit,
    require_role,
)
from services.ingest.api.accepting import Accepting
from services.ingest.api.bodies import described, header, read_body
from services.ingest.api.callers import (
    OPEN_SECURITY,
    SERVICE,
    Caller,
    idempotency_key,
    is_service,
    who_posts,
)
from services.ingest.api.schemas import BatchIn, BatchOut, BatchResult, MessageIn, MessageState
from services.ingest.domain.model import MOST_TEXT_BYTES
from services.ingest.domain.texts import cut_to_bytes

_MOST_MESSAGE_BYTES: Final = 512 * 1024
HEADERS: Final = (
    header("Prefer", "`wait=N`: answer once it has its conversation, after N seconds at most", 1000),
    header("Idempotency-Key", "The message's id at its provider; role service has to send one", 257),
)


def shown(state: MessageState) -> Response:
    """202 with the message's address."""
    return Response(
        state.model_dump_json(exclude_none=True),
        202,
        {"Location": state.location},
        "application/json",
    )


def messages_router(accepting: Accepting) -> APIRouter:
    """POST messages, one or many, and GET one."""
    router = APIRouter(prefix="/v1", tags=["messages"])

    @router.post(
        "/messages",
        status_code=202,
        response_model=MessageState,
        summary="A customer's message from a form, a chat or an integration",
        openapi_extra={**OPEN_SECURITY, **described(MessageIn, *HEADERS)},
    )
    @body_limit(_MOST_MESSAGE_BYTES)
    async def post_message(request: Request) -> Response:
        message = await read_body(request, MessageIn)
        try:
            caller = who_posts(request, accepting.tokens)
            check(message, caller, accepting)
            key = idempotency_key(request, required=caller.trusted)
            return shown(await accepting.message(message, caller, key, accepting.wait_s(request)))
        except Problem as problem:
            metrics.ingest_refused.labels(message.channel, problem.slug).inc()
            raise

    @router.post(
        "/messages/batch",
        status_code=202,
        response_model_exclude_none=True,
        summary="Up to 500 messages, each with its own result",
    )
    async def post_messages(
        batch: BatchIn, _: Annotated[Principal, Depends(require_role("service"))]
    ) -> BatchOut:
        return BatchOut(results=await take_batch(batch, accepting))

    @router.get(
        "/messages/{message_id}",
        response_model=MessageState,
        summary="Where a message is",
        openapi_extra=OPEN_SECURITY,
    )
    async def get_message(
        message_id: str,
        request: Request,
        receipt: Annotated[
            str | None, Header(alias="X-Receipt", max_length=100, description="As the post answered it")
        ] = None,
    ) -> Response:
        if receipt is None:
            if not is_service(request, accepting.tokens):
                raise Unauthorized("Send X-Receipt, or a token of role service.")
        elif not accepting.signer.is_receipt(receipt, message_id):
            raise Forbidden("The receipt is for another message.", slug="bad-receipt")
        state = await accepting.state(message_id)
        return Response(state.model_dump_json(exclude_none=True), media_type="application/json")

    return router


def check(message: MessageIn, caller: Caller, accepting: Accepting) -> None:
    """What a schema cannot say. Raises the problem."""
    if not caller.trusted:
        if message.channel == "api":
            slug = "channel-needs-service"
            if caller.conversation_id:
                raise Forbidden("Channel api needs a token of role service.", slug=slug)
            raise Unauthorized("Channel api needs a token of role service.", slug=slug)
        if message.conversation_id not in (None, caller.conversation_id):
            raise Forbidden("A conversation is named by role service, or by a visitor's own token.")
    if accepting.accounts.find(message.channel, message.account) is None:
        raise Unprocessable(
            f"There is no account {message.account!r} of channel {message.channel}.", slug="unknown-account"
        )
    if not message.text.strip():
        raise Unprocessable(
            "The text is empty.",
            slug="empty-text",
            extensions={"errors": [{"pointer": "#/text", "detail": "only white space"}]},
        )
    if cut_to_bytes(message.text, MOST_TEXT_BYTES)[1]:
        raise TooLarge(
            f"A text has at most {MOST_TEXT_BYTES} bytes.", extensions={"limit_bytes": MOST_TEXT_BYTES}
        )


async def take_batch(batch: BatchIn, accepting: Accepting) -> list[BatchResult]:
    """Takes the messages in one shared commit; a refusal concerns its own message only."""

    async def take(index: int) -> BatchResult:
        item = batch.messages[index]
        try:
            check(item, SERVICE, accepting)
            state = await accepting.message(item, SERVICE, item.idempotency_key, 0)
        except Problem as problem:
            metrics.ingest_refused.labels(item.channel, problem.slug).inc()
            document: dict[str, Any] = problem.document()
            return BatchResult(status=problem.status, problem=document)
        return BatchResult(status=202, message=state)

    return list(await asyncio.gather(*[take(index) for index in range(len(batch.messages))]))
