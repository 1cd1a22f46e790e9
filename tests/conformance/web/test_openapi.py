import httpx
import pytest
from fastapi import APIRouter

from libs.web import WebSettings, create_app


async def ready() -> dict[str, str]:
    return {}


async def test_every_operation_tells_of_problems_and_has_a_stable_id(client: httpx.AsyncClient) -> None:
    document = (await client.get("/shop/openapi.json")).json()
    assert document["servers"] == [
        {"url": "/shop", "description": "this service, on any address of the platform"}
    ]
    operations = {
        operation["operationId"]: operation
        for item in document["paths"].values()
        for operation in item.values()
    }
    assert {"create_thing", "livez", "readyz"} <= operations.keys()
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for operation in operations.values():
        assert operation["responses"]["default"]["content"] == {"application/problem+json": reference}
        for status, answer in operation["responses"].items():
            if status[0] in "45":
                assert list(answer["content"]) == ["application/problem+json"]
    assert {"401", "403"} <= operations["for_staff"]["responses"].keys()
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert "bearer" in document["components"]["securitySchemes"]
    assert operations["for_visitor"]["security"] == [{"visitor": []}]


async def test_one_document_holds_all_services_without_clashes(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert "/shop/v1/things" in document["paths"]
    assert document["paths"]["/shop/v1/things"]["post"]["operationId"] == "shop_create_thing"
    schemas = document["components"]["schemas"]
    assert "ShopThing" in schemas
    assert "Thing" not in schemas

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for inner in value.values() for found in references(inner)]
        if isinstance(value, list):
            return [found for inner in value for found in references(inner)]
        return []

    found = references(document)
    assert found
    assert all(one.removeprefix("#/components/schemas/") in schemas for one in found)


@pytest.mark.filterwarnings("ignore:Duplicate Operation ID")
def test_two_routes_of_one_name_are_refused() -> None:
    router = APIRouter()
    for path in ("/v1/a", "/v1/b"):

        @router.get(path)
        async def same() -> str:
            return ""

    app = create_app("x", "X", "1", [router], readiness=ready, settings=WebSettings())
    with pytest.raises(ValueError, match="same"):
        app.openapi()


async def test_the_api_page_loads_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    for path in ("/docs", "/shop/docs"):
        page = await client.get(path)
        assert "http" not in page.text
        assert "<script>" not in page.text
        for file in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js"):
            assert f"{path}/{file}" in page.text
            assert (await client.get(f"{path}/{file}")).status_code == 200
    assert (await client.get("/shop/docs/other.js")).status_code == 404
    assert "/shop/openapi.json" in (await client.get("/shop/docs/start.js")).text


async def test_docs_can_be_switched_off_and_pages_of_allowed_origins_may_call() -> None:
    settings = WebSettings(docs=False, cors_origins=("https://desk.example",))
    app = create_app("x", "X", "1", [], readiness=ready, settings=settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        assert (await client.get("/docs")).status_code == 404
        allowed = await client.get("/livez", headers={"Origin": "https://desk.example"})
        assert allowed.headers["access-control-allow-origin"] == "https://desk.example"
        refused = await client.get("/livez", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in refused.headers
