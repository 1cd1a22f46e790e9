"""Routes of the rules of outreach, and of what came of them."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.storage import Database
from libs.web import (
    IfMatch,
    Page,
    PageParams,
    PreconditionFailed,
    Principal,
    Unprocessable,
    body_limit,
    check_if_match,
    etag_of,
    make_page,
    require_role,
)
from services.ingest.adapters.outreach_book import Kept, OutreachBook, StaleBook
from services.ingest.adapters.outreach_reader import RuleFaults, read_book
from services.ingest.adapters.outreach_rows import page as page_of
from services.ingest.api.schemas import shown_time
from services.ingest.domain.outreach import Outreach
from services.ingest.domain.outreach import OutreachState as State

_LARGEST_BODY: Final = 512 * 1024
_KIND: Final = "outreach-newest"
_NEWEST: Final = (2**62, "")
Reader = Annotated[Principal, Depends(require_role("agent", "supervisor", "admin", "service"))]
Writer = Annotated[Principal, Depends(require_role("supervisor", "admin"))]


class RulesIn(BaseModel):
    """All rules, as in the YAML file."""

    model_config = ConfigDict(extra="forbid")

    book: dict[str, Any] = Field(
        description="`rules`, and `cap` and `quiet` that hold for all of them together"
    )
    note: str = Field(default="", max_length=1000, description="Why")


class RulesOut(BaseModel):
    """The rules in force."""

    version: int
    book: dict[str, Any]
    author: str
    note: str
    put_at: str | None


class OutreachOut(BaseModel):
    """What a rule made of an event."""

    outreach_id: str
    event_id: str
    event_type: str
    rule: str
    customer_id: str
    state: str = Field(description="waiting, sent or skipped")
    reason: str
    channel: str
    conversation_id: str = Field(
        description="Where the customer's answer goes; a conversation once they answer"
    )
    due_at: str
    sent_at: str | None
    delivery: str = Field(description="State of its delivery, empty before there is one")
    delivery_reason: str


def outreach_router(database: Database, book: OutreachBook) -> APIRouter:
    """GET and PUT rules, GET what came of them."""
    router = APIRouter(prefix="/v1/outreach", tags=["outreach"])

    @router.get("/rules", summary="The rules in force; the ETag is their version")
    async def get_rules(response: Response, _: Reader) -> RulesOut:
        kept = await book.newest()
        response.headers["ETag"] = etag_of(kept.version)
        return _rules(kept)

    @router.put("/rules", summary="Replace all rules")
    @body_limit(_LARGEST_BODY)
    async def put_rules(body: RulesIn, response: Response, me: Writer, if_match: IfMatch = None) -> RulesOut:
        """422 names every rule and field that cannot be used; 412 when other rules have been put since they were read."""
        in_force = await book.newest()
        check_if_match(if_match, in_force.version)
        try:
            read_book(body.book, 0)
        except RuleFaults as error:
            faults = [
                {"rule": rule, "field": field, "reason": reason} for rule, field, reason in error.faults[:50]
            ]
            raise Unprocessable(str(error), slug="invalid-rules", extensions={"faults": faults}) from None
        try:
            kept = await book.put(body.book, in_force.version, me.subject, body.note)
        except StaleBook:
            raise PreconditionFailed("Read the rules again: others have been put meanwhile.") from None
        response.headers["ETag"] = etag_of(kept.version)
        return _rules(kept)

    @router.get(
        "", summary="What rules made of events, the newest first, with the reason of what was not sent"
    )
    async def list_outreach(
        request: Request,
        response: Response,
        page: PageParams,
        _: Reader,
        state: Annotated[State | None, Query(description="Only these")] = None,
    ) -> Page[OutreachOut]:
        before = page.after(_KIND, int, str) or _NEWEST
        async with database.read() as connection:
            found = await page_of(connection, state or "", before, page.limit + 1)
        return make_page(
            request,
            response,
            page,
            found,
            kind=_KIND,
            key=lambda row: (row[0].created_at_ms, row[0].outreach_id),
            show=lambda row: _shown(*row),
        )

    return router


def _rules(kept: Kept) -> RulesOut:
    return RulesOut(
        version=kept.version,
        book=kept.document,
        author=kept.author,
        note=kept.note,
        put_at=shown_time(kept.put_at_ms) if kept.put_at_ms else None,
    )


def _shown(one: Outreach, delivery: str, delivery_reason: str) -> OutreachOut:
    return OutreachOut(
        outreach_id=one.outreach_id,
        event_id=one.event_id,
        event_type=one.event_type,
        rule=one.rule,
        customer_id=one.customer_id,
        state=one.state,
        reason=one.reason,
        channel=one.channel,
        conversation_id=one.conversation_id,
        due_at=shown_time(one.due_at_ms),
        sent_at=shown_time(one.sent_at_ms) if one.sent_at_ms else None,
        delivery=delivery,
        delivery_reason=delivery_reason,
    )
