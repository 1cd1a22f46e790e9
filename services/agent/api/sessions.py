"""Sign-in: a name and a password for a token; and who one is."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from libs.storage import Database, fetch_one
from libs.web import Principal, Role, Tokens, Unauthorized, require_role, verify_password
from services.agent.adapters import queries
from services.agent.api.schemas import Named
from services.agent.api.shapes import Body, Instant

Anybody = Annotated[Principal, Depends(require_role())]


class Credentials(Body):
    """Who signs in."""

    username: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=1024)


class Session(BaseModel):
    """A token for the header `Authorization: Bearer`."""

    token: str
    token_type: str
    expires_at: Instant
    subject: str
    role: str
    name: str


class Me(BaseModel):
    """Whom a token stands for."""

    subject: str
    role: str
    name: str
    languages: list[str]
    teams: list[Named]
    expires_at: Instant


def sessions(database: Database, tokens: Tokens, session_hours: int) -> APIRouter:
    """The routes of sign-in."""
    router = APIRouter(prefix="/v1")

    @router.post("/sessions", status_code=201, response_model=Session)
    async def sign_in(body: Credentials) -> Response:
        """Gives a token for a name and a password. A wrong name takes as long as a wrong password."""
        async with database.read() as connection:
            row = await fetch_one(
                connection,
                "SELECT password_hash, role, name FROM agent.accounts WHERE username = $1",
                body.username,
            )
        stored, role, name = row if row is not None else (None, "", "")
        if not await verify_password(stored, body.password):
            raise Unauthorized("The name or the password is wrong.", slug="sign-in-failed")
        seconds = session_hours * 3600
        token = tokens.issue(body.username, cast(Role, role), seconds, {"name": name})
        session = Session(
            token=token,
            token_type="Bearer",
            expires_at=int(tokens.now() + seconds) * 1000,
            subject=body.username,
            role=role,
            name=name,
        )
        headers = {"Cache-Control": "no-store"}
        return Response(session.model_dump_json(), 201, headers, "application/json")

    @router.get("/me", response_model=Me)
    async def get_me(me: Anybody) -> Me:
        """Whom the token stands for, with the teams that routing's directory gives them."""
        async with database.read() as connection:
            label, languages, teams = await queries.labels(connection, me.subject)
        return Me(
            subject=me.subject,
            role=me.role,
            name=label or str(me.claims.get("name", "")),
            languages=languages,
            teams=[Named(id=team_id, name=name) for team_id, name in teams],
            expires_at=me.expires_at_s * 1000,
        )

    return router
