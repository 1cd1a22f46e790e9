"""Routes of the ways to a customer, before anybody writes, and of consent."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from libs.web import Principal, require_role
from services.ingest.api.schemas import shown_time
from services.ingest.domain.consents import Consent, ConsentState
from services.ingest.domain.model import ChannelName
from services.ingest.domain.ways import Way
from services.ingest.operations.reaching import Reaching, Recorded

_STAFF: Final = Depends(require_role("agent", "supervisor", "admin", "service"))
Staff = Annotated[Principal, _STAFF]


class TemplateOut(BaseModel):
    """A text that the provider has approved."""

    name: str
    language: str
    text: str
    places: list[str] = Field(description="What is filled in, in the order of the text")


class WayOut(BaseModel):
    """One channel to a customer."""

    channel: str
    account: str
    endpoint: str = Field(description="The customer's id there")
    open: bool = Field(description="Whether a free text is taken now")
    ends_at: str | None = Field(description="Until when, where the provider sets an end")
    reason: str | None = Field(description="Why it is closed, and what to do")
    consent: str = Field(
        description="answer, wrote, called or given; none or withdrawn where they may not be written to"
    )
    templates: list[TemplateOut] = Field(description="What can be sent even outside the window")


class WaysOut(BaseModel):
    """The ways to a customer, the one they last used first: an answer goes by it unless its writer chooses another."""

    ways: list[WayOut]


class ConsentIn(BaseModel):
    """What a customer has said of being written to."""

    model_config = ConfigDict(extra="forbid")

    channel: ChannelName
    account: str = Field(default="default", max_length=64)
    external_id: str = Field(min_length=1, max_length=500, description="Their number, chat or address there")
    state: Literal["given", "withdrawn"]
    evidence: str = Field(min_length=1, max_length=1000, description="In whose words, when, or by which form")


class ConsentOut(BaseModel):
    """A consent on record."""

    channel: str
    account: str
    external_id: str
    state: str
    source: str = Field(
        description="message for the customer's own word, agent or service for what was recorded"
    )
    actor: str
    evidence: str
    at: str


class ConsentsOut(BaseModel):
    """All of a customer's."""

    consents: list[ConsentOut]


def reaching_router(reaching: Reaching) -> APIRouter:
    """GET ways, GET and PUT consents."""
    router = APIRouter(prefix="/v1", tags=["reaching"])

    @router.get(
        "/conversations/{conversation_id}/ways",
        summary="The channels a customer can be written to by, until when, and why not",
    )
    async def get_ways(conversation_id: str, _: Staff) -> WaysOut:
        return WaysOut(ways=[_way(one) for one in await reaching.ways(conversation_id)])

    @router.get("/customers/{customer_id}/consents", summary="Where a customer may be written to unasked")
    async def get_consents(customer_id: str, _: Staff) -> ConsentsOut:
        return ConsentsOut(consents=[_consent(one) for one in await reaching.consents(customer_id)])

    @router.put("/customers/{customer_id}/consents", summary="Record what a customer has said of it")
    async def put_consent(customer_id: str, body: ConsentIn, me: Staff) -> ConsentOut:
        recorded = Recorded(
            body.channel,
            body.account,
            body.external_id,
            ConsentState(body.state),
            "service" if me.role == "service" else "agent",
            me.subject,
            body.evidence,
        )
        return _consent(await reaching.record(customer_id, recorded))

    return router


def _way(way: Way) -> WayOut:
    return WayOut(
        channel=way.channel,
        account=way.account,
        endpoint=way.endpoint,
        open=not way.closed,
        ends_at=shown_time(way.ends_at_ms) if way.ends_at_ms else None,
        reason=way.closed or None,
        consent=way.consent,
        templates=[
            TemplateOut(name=one.name, language=one.language, text=one.text, places=list(one.places))
            for one in way.templates
        ],
    )


def _consent(consent: Consent) -> ConsentOut:
    return ConsentOut(
        channel=consent.channel,
        account=consent.account,
        external_id=consent.external_id,
        state=consent.state,
        source=consent.source,
        actor=consent.actor,
        evidence=consent.evidence,
        at=shown_time(consent.at_ms),
    )
