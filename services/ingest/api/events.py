"""The route by which the operator's site and systems say that something has happened to a customer."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from libs.storage import Database
from libs.web import Idempotency, Principal, body_limit, keyed_request, require_role
from services.ingest.account_parts import known_zone
from services.ingest.adapters.outreach_reader import Attribute, EventType, Language, plain
from services.ingest.adapters.outreach_rows import KEYS, Person
from services.ingest.api.schemas import shown_time
from services.ingest.domain.texts import storable
from services.ingest.operations.outreach import Happening, OutreachDesk

_LARGEST_BODY: Final = 64 * 1024
_Scalar = Annotated[str, StringConstraints(max_length=1000)] | bool | int | float
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class CustomerIn(BaseModel):
    """Whom it is about: one of these at least, the first that is known counts."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Line | None = Field(default=None, description="The platform's id of the customer")
    external_id: Line | None = Field(default=None, description="The customer's id in your system")
    phone: Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{6,14}$")] | None = Field(
        default=None, description="E.164, such as +393330000001"
    )
    email: (
        Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s<>\"',;]+@[^@\s<>\"',;]+$")] | None
    ) = None

    @model_validator(mode="after")
    def _somebody(self) -> "CustomerIn":
        if not any((self.id, self.external_id, self.phone, self.email)):
            raise ValueError("name the customer by id, external_id, phone or email")
        return self


class EventIn(BaseModel):
    """Something that has happened."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    type: EventType = Field(description="As the rules call it, such as order.delayed")
    customer: CustomerIn
    attributes: dict[Attribute, _Scalar] = Field(
        default={}, max_length=100, description="What rules ask for, and what texts put in their places"
    )
    zone: Annotated[str, AfterValidator(known_zone)] | None = Field(
        default=None, description="The customer's time zone, such as Europe/Rome"
    )
    language: Language | None = None


class OutreachState(BaseModel):
    """What a rule makes of the event."""

    outreach_id: str
    rule: str
    state: str = Field(description="waiting or skipped")
    reason: str = Field(description="Why it is skipped, or waits; empty when it goes at once")
    due_at: str | None


class EventOut(BaseModel):
    """The event was taken."""

    event_id: str
    outreach: list[OutreachState]


def events_router(database: Database, desk: OutreachDesk) -> APIRouter:
    """POST events."""
    router, keys = APIRouter(prefix="/v1", tags=["outreach"]), Idempotency(KEYS)

    @router.post(
        "/events",
        status_code=202,
        response_model=EventOut,
        summary="An event of your site or systems, on which rules may write to the customer",
    )
    @body_limit(_LARGEST_BODY)
    async def post_event(
        body: EventIn, request: Request, me: Annotated[Principal, Depends(require_role("service"))]
    ) -> Response:
        """Needs an Idempotency-Key: the same event again is answered as the first time, and nothing is sent twice."""
        keyed = await keyed_request(request, me.subject, required=True)
        assert keyed is not None
        who = body.customer
        happening = Happening(
            body.type,
            Person(who.id or "", who.external_id or "", who.phone or "", who.email or ""),
            {name: storable(plain(value)) for name, value in body.attributes.items()},
            body.zone or "",
            body.language or "",
        )
        async with database.begin() as uow:
            before = await keys.begin(uow.connection, keyed, uow.now_ms)
            if before is not None:
                return before.response()
            event_id, made = await desk.take(uow, happening)
            answer = EventOut(
                event_id=event_id,
                outreach=[
                    OutreachState(
                        outreach_id=one.outreach_id,
                        rule=one.rule,
                        state=one.state,
                        reason=one.reason,
                        due_at=shown_time(one.due_at_ms) if one.state == "waiting" else None,
                    )
                    for one in made
                ],
            )
            content = answer.model_dump_json().encode()
            await keys.store(uow.connection, keyed, 202, content)
            await uow.commit()
        return Response(content, 202, media_type="application/json")

    return router
