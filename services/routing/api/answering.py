"""How a command is answered: its result, or 202 with an address to ask at."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from libs.web import NotFound
from services.routing.adapters.rows import ResultRow
from services.routing.api.schemas import Accepted, Assignment
from services.routing.api.shapes import PathId, Reader, refusal, shown
from services.routing.operations import Desk

RESPONSES: dict[int | str, dict[str, Any]] = {
    202: {"model": Accepted, "description": "On its way: ask at the Location"},
}


def answered(
    command_id: str, result: ResultRow | None, show: Callable[[ResultRow], BaseModel]
) -> BaseModel | Response:
    """The answer of a command; a refused one is raised as a problem."""
    if result is None:
        return on_its_way(command_id)
    if not result.ok:
        raise refusal(result.slug, result.body)
    return show(result)


def assignment(result: ResultRow) -> Assignment:
    """The answer of a command about a conversation: where it is now."""
    return Assignment.model_validate({k: v for k, v in shown(result.body).items() if k != "expires_at"})


def on_its_way(command_id: str) -> Response:
    """202 with the address to ask at."""
    location = f"/routing/v1/commands/{command_id}"
    body = Accepted(command_id=command_id, location=location)
    headers = {"Location": location, "Retry-After": "1"}
    return JSONResponse(body.model_dump(), 202, headers)


def commands(desk: Desk) -> APIRouter:
    """The route that a 202 points to."""
    router = APIRouter(prefix="/v1")

    @router.get("/commands/{command_id}", response_model=None, responses=RESPONSES)
    async def get_command(command_id: PathId, me: Reader) -> Any:
        """What became of a command of the caller's: its answer, its refusal, or 202 while it is on its way."""
        caller = await desk.asked_by(command_id)
        if caller is None or (caller != me.subject and not me.may_act_as("supervisor")):
            raise NotFound("You sent no command with this id, or its answer is forgotten.")
        result = await desk.answer(command_id)
        if result is None:
            return on_its_way(command_id)
        if not result.ok:
            raise refusal(result.slug, result.body)
        return shown(result.body)

    return router
