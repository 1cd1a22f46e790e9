"""A second policy that looks on: put it, see what it is, read where it would have decided otherwise."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from libs.storage import Database
from libs.web import NotFound, Page, PageParams, make_page
from services.routing.adapters import queries
from services.routing.adapters.rows import DifferenceRow
from services.routing.api import schemas
from services.routing.api.answering import RESPONSES, answered
from services.routing.api.directory_shapes import DirectoryShape, directory_of, shape_of
from services.routing.api.shapes import Body, Id, PoolId, Supervisor, Text, instant, refusal
from services.routing.domain.orders import PutShadow
from services.routing.operations import Desk
from services.routing.settings import RoutingSettings

_DIFFERENCES = "shadow-differences-newest"


class ShadowShape(Body):
    """A directory under a name of its own. People and their capacity are the live ones."""

    name: Id
    directory: DirectoryShape
    reason: Text = ""


class ShadowView(BaseModel):
    """The policy that looks on."""

    pool: str
    name: str
    since_at: str | None
    by: str | None
    directory: DirectoryShape


class Difference(BaseModel):
    """One decision. `kind` queue: where a conversation goes in; agent: who is asked for it; conversation: which one a
    free agent (`agent_id`) is given. null = nobody, nothing: it would have waited, or he would."""

    at: str | None
    policy: str
    kind: str
    conversation_id: str
    agent_id: str | None
    live: str | None
    shadow: str | None
    decision_id: str | None


def shadow(database: Database, desk: Desk, settings: RoutingSettings) -> APIRouter:
    """The routes of supervisors."""
    router = APIRouter(prefix="/v1/shadow")

    @router.get("", response_model=ShadowView)
    async def get_shadow(_me: Supervisor, pool: PoolId = None) -> ShadowView:
        """The second policy, if there is one."""
        async with database.read() as connection:
            row = await queries.shadow(connection, pool or settings.pool)
        if row is None or row.policy.directory is None:
            raise NotFound("No second policy looks on; PUT one here.")
        return ShadowView(
            pool=row.pool_id,
            name=row.policy.name,
            since_at=instant(row.policy.since_ms),
            by=row.policy.by or None,
            directory=shape_of(row.policy.directory),
        )

    @router.put("", response_model=schemas.ShadowSet, responses=RESPONSES)
    async def put_shadow(
        body: ShadowShape, request: Request, response: Response, me: Supervisor, pool: PoolId = None
    ) -> Any:
        """Lets the policy decide beside the live one from now on, in place of an earlier one. It never acts."""
        directory = directory_of(body.directory, version=1)
        if directory.problems():
            raise refusal("invalid-directory", {"problems": list(directory.problems())[:50]})
        ask = await desk.begin(request, me)
        command = PutShadow(
            command_id=ask.command_id,
            by=me.subject,
            reason=body.reason,
            name=body.name,
            directory=directory,
        )
        result = await desk.ask(ask, command, pool=pool)
        return answered(ask.command_id, result, lambda r: schemas.ShadowSet.model_validate(dict(r.body)))

    @router.delete("", response_model=schemas.ShadowSet, responses=RESPONSES)
    async def end_shadow(request: Request, response: Response, me: Supervisor, pool: PoolId = None) -> Any:
        """Nothing looks on any more; what was noted stays. Sending it again changes nothing."""
        ask = await desk.begin(request, me)
        command = PutShadow(command_id=ask.command_id, by=me.subject)
        result = await desk.ask(ask, command, pool=pool)
        return answered(ask.command_id, result, lambda r: schemas.ShadowSet.model_validate(dict(r.body)))

    @router.get("/differences", response_model=Page[Difference])
    async def list_differences(
        request: Request,
        response: Response,
        _me: Supervisor,
        page: PageParams,
        pool: PoolId = None,
        policy: Annotated[Text, Query(description="The name of a policy; left out = of any")] = "",
    ) -> Page[Difference]:
        """What the second policy would have decided otherwise, newest first. How many decisions were compared is the
        metric `centralino_routing_shadow_decisions_total`."""
        after = page.after(_DIFFERENCES, int, str)
        async with database.read() as connection:
            rows = await queries.differences(
                connection,
                pool or settings.pool,
                policy,
                (after[0], after[1]) if after else None,
                page.limit + 1,
            )
        return make_page(
            request,
            response,
            page,
            rows,
            kind=_DIFFERENCES,
            key=lambda row: (row.at_ms, row.difference_id),
            show=_difference,
        )

    return router


def _difference(row: DifferenceRow) -> Difference:
    return Difference(
        at=instant(row.at_ms),
        policy=row.policy,
        kind=row.kind,
        conversation_id=row.conversation_id,
        agent_id=row.agent_id or None,
        live=row.live or None,
        shadow=row.shadow or None,
        decision_id=row.decision_id or None,
    )
