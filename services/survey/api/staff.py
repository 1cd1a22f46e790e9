"""What staff and the sender ask: invitations, definitions, and the link of an invitation."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from libs.storage import Database
from libs.web import Conflict, Gone, NotFound, Page, PageParams, Principal, make_page, require_role
from services.survey.adapters import queries
from services.survey.adapters.links import LinkKeys
from services.survey.api import schemas
from services.survey.domain.definitions import LINK, Definition
from services.survey.domain.invitations import Invitation, State

Staff = Annotated[Principal, Depends(require_role("agent"))]
Sender = Annotated[Principal, Depends(require_role("service"))]
InvitationId = Annotated[str, Path(min_length=1, max_length=100)]
_Id = Annotated[str | None, Query(min_length=1, max_length=100)]
_ORDER = "invitations-due-last"


def staff(database: Database, definitions: Mapping[str, Definition]) -> APIRouter:
    """Routes for agents and supervisors. None of them shows a link."""
    router = APIRouter(prefix="/v1", tags=["surveys"])

    @router.get("/invitations", summary="Invitations, the one due last first")
    async def list_invitations(
        request: Request,
        response: Response,
        _me: Staff,
        page: PageParams,
        state: Annotated[schemas.StateName | None, Query()] = None,
        conversation_id: _Id = None,
        customer_id: _Id = None,
        channel: _Id = None,
        late: Annotated[
            bool | None, Query(description="Only those with (or without) an answer after the window")
        ] = None,
    ) -> Page[schemas.Invitation]:
        wanted: dict[str, str | bool | None] = {
            "state": state,
            "conversation_id": conversation_id,
            "customer_id": customer_id,
            "channel": channel,
            "late": late,
        }
        rows = await queries.list_invitations(database, wanted, page.after(_ORDER, int, str), page.limit + 1)
        return make_page(
            request,
            response,
            page,
            rows,
            kind=_ORDER,
            key=lambda row: (row.due_at_ms, row.invitation_id),
            show=schemas.invitation,
        )

    @router.get("/invitations/{invitation_id}", summary="An invitation with the history of its answer")
    async def get_invitation(invitation_id: InvitationId, _me: Staff) -> schemas.InvitationDetail:
        found = await _found(database, invitation_id)
        return schemas.invitation_detail(found, await queries.list_answers(database, invitation_id))

    @router.get("/definitions", summary="The surveys that are sent")
    async def list_definitions(_me: Staff) -> list[schemas.Definition]:
        return [schemas.definition(one) for one in definitions.values()]

    return router


def links(
    database: Database, keys: LinkKeys, definitions: Mapping[str, Definition], public_url: str
) -> APIRouter:
    """The route that makes links, for the service that sends them."""
    router = APIRouter(prefix="/v1", tags=["surveys"])

    @router.get(
        "/invitations/{invitation_id}/link", summary="The link of an invitation, the same at each call"
    )
    async def get_link(invitation_id: InvitationId, _me: Sender) -> schemas.Link:
        found = await _found(database, invitation_id)
        if found.state is State.SCHEDULED:
            raise Conflict("The invitation is not due yet.", slug="survey-not-due")
        if not found.open_at(database.clock.now_ms()):
            raise Gone(f"The invitation is {found.state.value}: do not send it.", slug="survey-closed")
        link = f"{public_url}/survey/v1/s/{keys.token(found.invitation_id)}"
        text = definitions[found.definition].texts[found.language].invitation.replace(LINK, link)
        return schemas.Link(link=link, text=text, language=found.language, expires_at=found.expires_at_ms)

    return router


async def _found(database: Database, invitation_id: str) -> Invitation:
    found = await queries.get_invitation(database, invitation_id)
    if found is None:
        raise NotFound("No invitation has this id.")
    return found
