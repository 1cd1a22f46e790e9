"""Routes of what goes out: what failed and why, sending again, and the ways to a customer before anybody writes."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from libs.storage import Database
from libs.web import NotFound, Page, PageParams, Principal, make_page, require_role
from services.ingest.adapters.signals import Signals
from services.ingest.adapters.tables import CUSTOMERS, IDENTITIES, THREADS
from services.ingest.api.schemas import DeliveryOut, WayOut, WaysOut, shown_time
from services.ingest.domain.deliveries import Delivery, DeliveryState
from services.ingest.domain.model import ChannelName
from services.ingest.domain.ways import endpoints, way_of
from services.ingest.operations.resending import deliveries_of, resend

_KIND: Final = "deliveries"
_STAFF: Final = Depends(require_role("agent", "supervisor", "admin", "service"))


def deliveries_router(database: Database, signals: Signals) -> APIRouter:
    """GET deliveries, POST resend, GET ways."""
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

    @router.get(
        "/conversations/{conversation_id}/ways",
        summary="The channels a customer can be written to by, and until when",
    )
    async def get_ways(conversation_id: str, _: Annotated[Principal, _STAFF]) -> WaysOut:
        return WaysOut(ways=await _ways(database, conversation_id))

    return router


async def _ways(database: Database, conversation_id: str) -> list[WayOut]:
    async with database.begin() as uow:
        threads, customers, identities = (uow.rows(one) for one in (THREADS, CUSTOMERS, IDENTITIES))
        await threads.load([conversation_id])
        thread: Any = threads.get(conversation_id)
        if thread is None:
            raise NotFound("There is no such conversation.", slug="unknown-conversation")
        await customers.load([thread.customer_id])
        known = endpoints(thread, customers.get(thread.customer_id))
        await identities.load(known)
        ways = [
            way_of(
                ChannelName(channel),
                account,
                endpoint,
                identities.get((channel, account, endpoint)),
                uow.now_ms,
            )
            for channel, account, endpoint in known
        ]
    return [
        WayOut(
            channel=way.channel,
            account=way.account,
            endpoint=way.endpoint,
            open=not way.closed,
            ends_at=shown_time(way.ends_at_ms) if way.ends_at_ms else None,
            reason=way.closed or None,
        )
        for way in ways
    ]


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
