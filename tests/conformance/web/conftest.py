"""A small service with a route for each promise of `libs.web`, behind a host, as it runs in one process."""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from libs.storage import async_url
from libs.web import (
    STAFF,
    Conflict,
    Host,
    IfMatch,
    Page,
    PageParams,
    Principal,
    TokenKeys,
    Tokens,
    WebSettings,
    body_limit,
    check_if_match,
    create_app,
    create_host,
    etag_of,
    make_page,
    optional_principal,
    require_media_type,
    require_role,
    require_visitor,
)
from tests.support.postgres import create_database, drop_database


class ManualSeconds:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


class Thing(BaseModel):
    """What the test routes take and give."""

    model_config = ConfigDict(extra="forbid")

    text: str
    count: int = 0
    extra: dict[str, Any] | None = None


class Checks:
    """What /readyz is told."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {"database": "ok"}
        self.error: Exception | None = None

    async def __call__(self) -> Mapping[str, str]:
        if self.error:
            raise self.error
        return self.states


def things_router() -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.post("/things", status_code=201)
    async def create_thing(thing: Thing) -> Thing:
        return thing

    @router.post("/forms")
    async def send_form(name: Annotated[str, Form()]) -> str:
        return name

    @router.post("/mails")
    @body_limit(4_000_000)
    async def take_mail(request: Request) -> int:
        require_media_type(request.headers.get("content-type"), "message/rfc822")
        return len(await request.body())

    @router.post("/small")
    @body_limit(100)
    async def take_little(thing: Thing) -> str:
        return thing.text

    @router.get("/bug")
    async def bug() -> str:
        raise RuntimeError("the customer wrote: my card is 4111")

    @router.get("/refused")
    async def refused() -> str:
        raise Conflict("The offer has gone.", slug="offer-gone", extensions={"offer_id": "o1"})

    @router.get("/things")
    async def list_things(request: Request, response: Response, page: PageParams) -> Page[Thing]:
        after = page.after("things", int)
        first = 0 if after is None else after[0] + 1
        rows = list(range(first, min(first + page.limit + 1, 25)))
        return make_page(
            request, response, page, rows, kind="things", key=lambda row: (row,),
            show=lambda row: Thing(text=f"thing {row}", count=row),
        )  # fmt: skip

    @router.put("/things/{thing_id}")
    async def change_thing(thing_id: str, response: Response, if_match: IfMatch = None) -> str:
        check_if_match(if_match, 7)
        response.headers["ETag"] = etag_of(8)
        return thing_id

    @router.get("/staff")
    async def for_staff(me: Annotated[Principal, Depends(require_role(*STAFF))]) -> str:
        return f"{me.subject} {me.role}"

    @router.get("/admin")
    async def for_admin(me: Annotated[Principal, Depends(require_role("admin"))]) -> str:
        return me.subject

    @router.get("/visit")
    async def for_visitor(me: Annotated[Principal, Depends(require_visitor(ticket=True))]) -> str:
        return str(me.claims["conversation_id"])

    @router.get("/stream")
    async def for_stream(me: Annotated[Principal, Depends(require_role("agent", ticket=True))]) -> str:
        return me.subject

    @router.post("/tickets")
    async def buy_ticket(request: Request, me: Annotated[Principal, Depends(require_role())]) -> str:
        ticket: str = request.app.state.tokens.issue_ticket(me)
        return ticket

    @router.get("/open")
    async def open_to_all(me: Annotated[Principal | None, Depends(optional_principal)]) -> str:
        return me.subject if me else "nobody"

    return router


@pytest.fixture
def seconds() -> ManualSeconds:
    return ManualSeconds()


@pytest.fixture
def tokens(seconds: ManualSeconds) -> Tokens:
    return Tokens(TokenKeys.generate(), now=seconds)


@pytest.fixture
def checks() -> Checks:
    return Checks()


@pytest.fixture
def host(tokens: Tokens, checks: Checks) -> Host:
    app = create_app(
        "shop", "Shop", "1.0", [things_router()], readiness=checks, settings=WebSettings(), tokens=tokens
    )
    return create_host({"shop": app}, title="All", version="1.0")


@pytest.fixture
async def client(host: Host) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(host), base_url="http://platform") as made:
        yield made


@pytest.fixture(scope="session")
async def postgres_url() -> AsyncIterator[str]:
    url = await create_database()
    yield url
    await drop_database(url)


@pytest.fixture
async def engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine(async_url(postgres_url), pool_size=5, max_overflow=0, hide_parameters=True)
    yield made
    await made.dispose()
