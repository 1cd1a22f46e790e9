"""How a command is answered: its result, or 202 with an address to ask at."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from libs.storage import Database, fetch_one
from libs.web import NotFound
from services.routing.adapters.rows import ResultRow
from services.routing.api.schemas import Accepted
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


def on_its_way(command_id: str) -> Response:
    """202 with the address to ask at."""
    location = f"/routing/v1/commands/{command_id}"
    body = Accepted(command_id=command_id, location=location)
    headers = {"Location": location, "Retry-After": "1"}
    return JSONResponse(body.model_dump(), 202, headers)


def commands(database: Database, desk: Desk) -> APIRouter:
    """The route that a 202 points to."""
    router = APIRouter(prefix="/v1")

    @router.get("/commands/{command_id}", response_model=None, responses=RESPONSES)
    async def get_command(command_id: PathId, _me: Reader) -> Any:
        """What became of a command: its answer, its refusal, or 202 while it is on its way.

        An id that was never given out is 404 once the pool has nothing left to do.
        """
        result = await desk.answer(command_id)
        if result is not None:
            if not result.ok:
                raise refusal(result.slug, result.body)
            return shown(result.body)
        async with database.read() as connection:
            # The engine's position stands still at the log's end when nothing is on its way.
            busy = await fetch_one(
                connection,
                "SELECT 1 FROM routing.positions p JOIN log.topics t ON t.name = p.topic"
                " JOIN log.counters c ON c.topic = t.id AND c.partition = p.partition"
                " WHERE p.group_name = 'routing-engine' AND c.number > p.number LIMIT 1",
            )
        if busy is None:
            raise NotFound("No command has this id, or its answer is forgotten.")
        return on_its_way(command_id)

    return router
