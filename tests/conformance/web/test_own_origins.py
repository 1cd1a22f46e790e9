"""Routes that say themselves which origins may call them, beside the installation's origins."""

import httpx
from fastapi import APIRouter, Request

from libs.web import OK, NotFound, WebSettings, add_answer_headers, create_app

DESK, SHOP = "https://desk.example", "https://shop.example"


async def _ready() -> dict[str, str]:
    return {"test": OK}


def _client() -> httpx.AsyncClient:
    router = APIRouter(prefix="/v1")

    @router.get("/own/{what}")
    async def own(what: str, request: Request) -> str:
        add_answer_headers(request, {"Access-Control-Allow-Origin": request.headers["origin"]})
        if what == "broken":
            raise RuntimeError(what)
        if what == "missing":
            raise NotFound("There is none.")
        return what

    @router.get("/common")
    async def common() -> str:
        return "here"

    settings = WebSettings(docs=False, cors_origins=(DESK,))
    app = create_app(
        "test", "Test", "0", [router], readiness=_ready, settings=settings, own_origins=["/v1/own/"]
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://service.test"
    )


async def test_every_answer_of_such_a_route_has_its_own_origin_once() -> None:
    async with _client() as client:
        for origin in (SHOP, DESK):
            for what, status in (("there", 200), ("missing", 404), ("broken", 500)):
                answer = await client.get(f"/v1/own/{what}", headers={"Origin": origin})
                assert answer.status_code == status
                assert answer.headers.get_list("access-control-allow-origin") == [origin]


async def test_the_installations_origins_are_for_all_other_routes() -> None:
    async with _client() as client:
        for origin, allowed in ((SHOP, []), (DESK, [DESK])):
            answer = await client.get("/v1/common", headers={"Origin": origin})
            assert answer.headers.get_list("access-control-allow-origin") == allowed
