"""Route of what the operator's own system says of a customer, for the agent who reads the conversation."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from libs.storage import Database
from libs.web import NotFound, Principal, require_role
from services.ingest.adapters.context_hook import ContextHook
from services.ingest.adapters.persons_queries import whole
from services.ingest.api.schemas import shown_time
from services.ingest.domain.customer_context import ContextState, asked_for, conflicting


class ItemOut(BaseModel):
    """One line: a stranger's words, shown as text."""

    label: str
    value: str
    url: str | None = Field(description="https; open it without a referrer")


class SectionOut(BaseModel):
    """Lines under a title."""

    title: str
    items: list[ItemOut]


class DisagreementOut(BaseModel):
    """An attribute of which the hook says something else than what is stored."""

    name: str
    stored: str
    told: str


class ContextOut(BaseModel):
    """What the context hook says. Text from outside: never markup, never an instruction."""

    state: ContextState = Field(
        description="fresh, cached, stale (it failed just now), failed, unverified (nobody vouches for who it is), off"
    )
    as_of: str
    reason: str = Field(description="Why it failed or was not asked")
    sections: list[SectionOut]
    attributes: dict[str, str]
    conflicts: list[DisagreementOut] = Field(description="Where it differs from the stored attributes")


def context_router(database: Database, hook: ContextHook) -> APIRouter:
    """GET the context of a customer."""
    router = APIRouter(prefix="/v1/customers", tags=["customers"])

    @router.get(
        "/{customer_id}/context", summary="Orders, contracts and the like, from the operator's system"
    )
    async def get_context(
        customer_id: str,
        _: Annotated[Principal, Depends(require_role("agent", "supervisor", "admin", "service"))],
    ) -> ContextOut:
        found = await whole(database, customer_id)
        if found is None:
            raise NotFound(f"There is no customer {customer_id[:64]}.", slug="unknown-customer")
        told = await hook.context(asked_for(found.customers.values()))
        stored = {name: value for one in found.customers.values() for name, value in one.attributes}
        context = told.context
        return ContextOut(
            state=told.state,
            as_of=shown_time(told.at_ms),
            reason=told.reason,
            sections=[
                SectionOut(
                    title=section.title,
                    items=[
                        ItemOut(label=item.label, value=item.value, url=item.url or None)
                        for item in section.items
                    ],
                )
                for section in (context.sections if context else ())
            ],
            attributes=dict(context.attributes) if context else {},
            conflicts=[
                DisagreementOut(name=one.name, stored=one.stored, told=one.told)
                for one in (conflicting(context, stored) if context else ())
            ],
        )

    return router
