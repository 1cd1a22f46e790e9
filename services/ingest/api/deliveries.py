"""Routes of what goes out: what failed and why, and sending again."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from libs.storage import Database
from libs.web import Page, PageParams, Principal, make_page, require_role
from services.ingest.adapters.signals import Signals
from services.ingest.api.schemas import DeliveryOut, shown_time
from services.ingest.domain.deliveries import Delivery, DeliveryState
from services.ingest.operations.resending import deliveries_of, resend

_KIND: Final = "deliveries"


def deliveries_router(database: Database, signals: Signals) -> APIRouter:
    """GET deliveries, POST resend."""
    router = APIRouter(prefix="/v1", tags=["deliveries"])

    @router.get("/deliveries", summary="Deliveries by state, with the reason of those that failed")
    async def list_deliveries(
        request: Request,
        response: Response,
        page: PageParams,
        _: Annotated[Principal, Depends(require_role("supervisor", "admin", "service"))],
        state: Annotated[DeliveryState, Query(description="failed, waiting, ...")] = DeliveryState.FAILED,
    ) -> Page[DeliveryOut]:
        after = page.after(_KIND, str) or ("",)
        found = await deliveries_of(database, state, after[0], page.limit + 1)
        return make_page(
            request, response, page, found, kind=_KIND, key=lambda one: (one.delivery_id,), show=_shown
        )

    @router.post("/deliveries/{delivery_id}/resend", status_code=202, summary="Send a failed delivery again")
    async def post_resend(
        delivery_id: str,
        _: Annotated[Principal, Depends(require_role("supervisor", "admin", "service"))],
    ) -> DeliveryOut:
        return _shown(await resend(database, delivery_id, signals))

    return router


def _shown(delivery: Delivery) -> DeliveryOut:
    return DeliveryOut(
        delivery_id=delivery.delivery_id,
        conversation_id=delivery.conversation_id,
        kind=delivery.kind,
        channel=delivery.channel,
        account=delivery.account,
        state=delivery.state,
        status=delivery.status or None,
        attempts=delivery.attempts,
        reason=delivery.reason,
        created_at=shown_time(delivery.created_at_ms),
    )
