"""Routes of erasures: order one, see how far it has come, and all that were ordered."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.storage import fetch_all
from libs.web import NotFound, Page, PageParams, Principal, make_page, require_role
from services.ingest.adapters.people import ERASURE_REQUESTS
from services.ingest.api.customer_schemas import Reason
from services.ingest.api.schemas import Id, shown_time
from services.ingest.domain import erasing as domain
from services.ingest.operations.erasing import SERVICES, Erasing

_KIND: Final = "erasures-newest"
_LIST: Final = (
    f"SELECT {ERASURE_REQUESTS.columns} FROM ingest.erasure_requests"
    " WHERE (requested_at_ms, request_id) < ($1, $2) ORDER BY requested_at_ms DESC, request_id DESC LIMIT $3"
)
_ONE: Final = f"SELECT {ERASURE_REQUESTS.columns} FROM ingest.erasure_requests WHERE request_id = $1"
Admin = Annotated[Principal, Depends(require_role("admin"))]


class ErasureIn(BaseModel):
    """Who is to be forgotten, with all customers who are the same person."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer_id: Id
    reason: Reason = Field(description="On whose wish, by which case; it is kept")


class ErasureOut(BaseModel):
    """An erasure and how far it has come."""

    erasure_id: str
    customer_ids: list[str]
    actor: str
    reason: str
    requested_at: str
    state: str = Field(description="running, or done: every service has reported")
    missing: list[str] = Field(description="Services whose report is not in")
    reports: dict[str, dict[str, int]] = Field(description="Rows deleted or blanked, by service and table")
    done_at: str | None


def erasures_router(erasing: Erasing) -> APIRouter:
    """POST an erasure, GET one, and the list of all."""
    router = APIRouter(prefix="/v1/erasures", tags=["erasures"])

    @router.post("", status_code=202, summary="Forget a customer everywhere; ordered twice it is one erasure")
    async def erase_customer(body: ErasureIn, response: Response, me: Admin) -> ErasureOut:
        made = await erasing.request(body.customer_id, me.subject, body.reason)
        if made is None:
            raise NotFound(f"There is no customer {body.customer_id}.", slug="unknown-customer")
        response.headers["Location"] = f"/ingest/v1/erasures/{made.request_id}"
        return _shown(made)

    @router.get("", summary="Erasures that were ordered, the newest first: by whom, when and why")
    async def list_erasures(
        request: Request, response: Response, page: PageParams, _: Admin
    ) -> Page[ErasureOut]:
        after = page.after(_KIND, int, str) or (2**62, "")
        async with erasing.database.read() as connection:
            rows = await fetch_all(connection, _LIST, after[0], after[1], page.limit + 1)
        found = [ERASURE_REQUESTS.value_of(row) for row in rows]
        return make_page(
            request,
            response,
            page,
            found,
            kind=_KIND,
            key=lambda one: (one.requested_at_ms, one.request_id),
            show=_shown,
        )

    @router.get("/{erasure_id}", summary="How far an erasure has come")
    async def get_erasure(erasure_id: str, _: Admin) -> ErasureOut:
        async with erasing.database.read() as connection:
            rows = await fetch_all(connection, _ONE, erasure_id)
        if not rows:
            raise NotFound("There is no such erasure.", slug="unknown-erasure")
        return _shown(await erasing.with_reports(ERASURE_REQUESTS.value_of(rows[0])))

    return router


def _shown(request: domain.Request) -> ErasureOut:
    return ErasureOut(
        erasure_id=request.request_id,
        customer_ids=list(request.customer_ids),
        actor=request.actor,
        reason=request.reason,
        requested_at=shown_time(request.requested_at_ms),
        state="done" if request.done_at_ms else "running",
        missing=[one for one in SERVICES if one not in request.reports],
        reports={service: dict(counts) for service, counts in request.reports.items()},
        done_at=shown_time(request.done_at_ms) if request.done_at_ms else None,
    )
