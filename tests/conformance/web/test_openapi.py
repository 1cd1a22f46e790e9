import httpx
import pytest
from fastapi import APIRouter

from libs.contracts import TOPICS
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
    assert operations["for_staff"]["security"] == [{"bearer": ["agent", "supervisor", "admin"]}]
    assert set(document["components"]["securitySchemes"]) == {"bearer", "visitor"}


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
    for root in ("", "/shop"):
        page = await client.get(f"{root}/docs")
        assert "://" not in page.text
        assert "<script>" not in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'self'; img-src")
        for file in ("reference.js", "reference.css"):
            assert f'"{root}/docs/{file}"' in page.text
        for file in ("reference.js", "parts.js", "schemas.js", "moving.js", "reference.css"):
            answer = await client.get(f"{root}/docs/{file}")
            assert answer.status_code == 200
            assert "://" not in answer.text
    for other in ("other.js", "index.html", "..%2Fdocs.py"):
        assert (await client.get(f"/shop/docs/{other}")).status_code == 404


async def test_a_browser_at_the_root_gets_the_page_and_a_program_the_list(client: httpx.AsyncClient) -> None:
    assert [one["name"] for one in (await client.get("/")).json()] == ["shop"]
    page = await client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    assert 'data-service=""' in page.text
    assert 'data-service="shop"' in (await client.get("/shop/docs")).text


async def test_every_address_tells_of_the_topics_of_all_services(client: httpx.AsyncClient) -> None:
    for root in ("", "/shop"):
        document = (await client.get(f"{root}/asyncapi.json")).json()
        assert document["channels"].keys() == {n.replace(".", "_") for n, t in TOPICS.items() if not t.local}


async def test_docs_can_be_switched_off_and_pages_of_allowed_origins_may_call() -> None:
    settings = WebSettings(docs=False, cors_origins=("https://desk.example",))
    app = create_app("x", "X", "1", [], readiness=ready, settings=settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        assert (await client.get("/docs")).status_code == 404
        allowed = await client.get("/livez", headers={"Origin": "https://desk.example"})
        assert allowed.headers["access-control-allow-origin"] == "https://desk.example"
        refused = await client.get("/livez", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in refused.headers
