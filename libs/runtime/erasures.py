"""What every service serves of its erasures: the report on one customer."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from libs.storage import Database
from libs.streams import report_of
from libs.web import NotFound, Principal, require_role


class ErasureReport(BaseModel):
    """What this service did to forget a customer."""

    customer_id: str
    counts: dict[str, int] = Field(description="Rows deleted or blanked, by table; log rows as `log`")
    done: bool = Field(description="False while rows of the log wait to be blanked")
    erased_at_ms: int


def erasures_router(database: Database) -> APIRouter:
    """GET the report on one customer."""
    router = APIRouter(prefix="/v1/erasure-reports", tags=["erasures"])

    @router.get("/{customer_id}", summary="What this service did to forget a customer")
    async def get_erasure_report(
        customer_id: str, _: Annotated[Principal, Depends(require_role("admin", "service"))]
    ) -> ErasureReport:
        found = await report_of(database, customer_id)
        if found is None:
            raise NotFound("Nothing was erased here of such a customer.", slug="not-erased")
        return ErasureReport(
            customer_id=customer_id,
            counts=dict(found.counts),
            done=found.done_at_ms > 0,
            erased_at_ms=found.erased_at_ms,
        )

    return router
