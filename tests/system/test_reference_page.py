"""The API reference in a real browser, at the embedded host and at the gateway: whole, searchable, and from nowhere else."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI
from playwright.async_api import Browser, Page, async_playwright, expect
from starlette.types import ASGIApp

from bench.hosts import free_port
from libs.web import WebSettings, create_app, create_host
from scripts.generate_documents import platform_apps
from services.cluster.plan import gateway_environment, members, replicas_of
from services.registry import NAMES

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
HAS_CHROMIUM = CHROMIUM.exists()
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
]
PHONE = (360, 780)
DESK = (1280, 900)
TOPICS = json.loads((ROOT / "openapi" / "asyncapi.json").read_text())["channels"]
DOCUMENTS = {name: json.loads((ROOT / "openapi" / f"{name}.json").read_text()) for name in NAMES}
OPERATIONS = {
    f"{service}_{operation['operationId']}": operation
    for service, document in DOCUMENTS.items()
    for item in document["paths"].values()
    for operation in item.values()
}
expect.set_options(timeout=20_000)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # as uvicorn declares it
        yield


@contextlib.asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    server = _Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@contextlib.asynccontextmanager
async def gateway(behind: str) -> AsyncIterator[str]:
    """The gateway with its own file, before processes that all are the one at `behind`."""
    port = free_port()
    plan = members(
        replicas_of([]),
        [int(behind.rpartition(":")[2])] * len(NAMES),
        database_url="",
        bootstrap="",
        gateway_url="",
        data=ROOT,
    )
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *("caddy", "run", "--config", str(ROOT / "deploy/caddy/Caddyfile"), "--adapter", "caddyfile"),
            env={**os.environ, **gateway_environment(plan, "127.0.0.1", port, Path(folder))},
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client, asyncio.timeout(20):
                while True:
                    with contextlib.suppress(httpx.ConnectError):
                        await client.get("/livez")
                        break
                    await asyncio.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            await process.wait()


@dataclass
class Reader:
    """Somebody with a browser."""

    address: str
    browser: Browser

    @contextlib.asynccontextmanager
    async def reads(
        self, path: str = "/docs", size: tuple[int, int] = DESK, *, dark: bool = False
    ) -> AsyncIterator[Page]:
        """The page, all loaded. Fails the test when another address is asked or an error is logged."""
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
        )
        asked: list[str] = []
        errors: list[str] = []
        page = await context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        try:
            await page.goto(self.address + path)
            await expect(page.locator("#state")).to_have_count(0)
            yield page
            assert [url for url in asked if not url.startswith((self.address, "data:"))] == []
            assert errors == []
        finally:
            await context.close()


@pytest.fixture(scope="module")
async def browser(in_ci: bool) -> AsyncIterator[Browser]:
    if not HAS_CHROMIUM:
        assert not in_ci, "Chromium is missing, which CI installs"
        pytest.skip(f"{CHROMIUM} is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
async def host() -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        apps = platform_apps(Path(folder))
        async with served(create_host(apps, title="Centralino", version="0.1.0")) as address:
            yield address


@pytest.fixture(scope="module")
async def reader(host: str, browser: Browser) -> Reader:
    return Reader(host, browser)


async def is_whole(page: Page) -> None:
    shown = await page.locator("article").evaluate_all("all => all.map(one => one.id)")
    assert set(shown) == {*OPERATIONS, *(f"topic-{key}" for key in TOPICS)}
    assert len(shown) == len(set(shown))
    linked = await page.locator("nav li a").evaluate_all(
        "all => all.map(a => a.getAttribute('href').slice(1))"
    )
    assert set(linked) == set(shown)


async def fits(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


async def keep_picture(page: Page, name: str) -> None:
    """Keeps a picture where a person asked for pictures."""
    folder = os.environ.get("CENTRALINO_PICTURES")
    if folder:
        await page.screenshot(path=f"{folder}/reference-{name}.png")


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_the_host_shows_every_operation_and_every_topic(reader: Reader, path: str) -> None:
    async with reader.reads(path) as page:
        await is_whole(page)
        await keep_picture(page, "desk")


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_so_does_the_gateway(host: str, browser: Browser, in_ci: bool, path: str) -> None:
    if shutil.which("caddy") is None:
        assert not in_ci, "Caddy is missing, which CI installs"
        pytest.skip("Caddy is not installed")
    async with gateway(host) as address:
        async with Reader(address, browser).reads(path) as page:
            await is_whole(page)
        async with httpx.AsyncClient(base_url=address) as client:
            whole = (await client.get("/openapi.json")).json()
            assert {path.split("/")[1] for path in whole["paths"]} == set(DOCUMENTS)
            assert {one["name"] for one in (await client.get("/")).json()} == set(DOCUMENTS)
            assert (await client.get("/docs/nothing.js")).status_code == 404


async def test_a_service_shows_itself_alone(reader: Reader) -> None:
    async with reader.reads("/survey/docs") as page:
        shown = await page.locator("article").evaluate_all("all => all.map(one => one.id)")
        assert set(shown) == {
            *(k for k in OPERATIONS if k.startswith("survey_")),
            "topic-survey_responses_v1",
        }


async def test_an_operation_tells_who_may_call_it_and_what_goes_in_and_out(reader: Reader) -> None:
    async with reader.reads("/docs#agent_resolve_conversation") as page:
        article = page.locator("#agent_resolve_conversation")
        await expect(article).to_be_in_viewport()
        await expect(article.locator(".call")).to_contain_text(
            "/agent/v1/conversations/{conversation_id}/resolve"
        )
        assert await article.locator(".role").all_text_contents() == ["agent"]
        names = await article.locator("tbody th code").all_text_contents()
        assert {"conversation_id", "If-Match", "through_seq", "reason"} <= set(names)
        statuses = await article.locator(".status").all_text_contents()
        assert {"200", "401", "403", "4xx 5xx"} <= set(statuses)
        await article.locator("summary", has_text="200").click()
        await expect(article.locator("details[open] table")).to_be_visible()


async def test_every_example_of_a_body_is_one_that_the_schema_takes(reader: Reader) -> None:
    async with reader.reads() as page:
        tried = 0
        for name, operation in OPERATIONS.items():
            media: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
            if "application/json" not in media:
                continue
            command = await page.locator(f"[id={name}] .example code").first.text_content()
            assert command is not None
            body = re.search(r"-d '(.*)'$", command, re.S)
            assert body, command
            schema = {
                **media["application/json"]["schema"],
                "components": DOCUMENTS[name.split("_")[0]]["components"],
            }
            jsonschema.validate(json.loads(body[1].replace("'\\''", "'")), schema)
            tried += 1
        assert tried >= 15


async def test_keys_alone_lead_to_an_operation(reader: Reader) -> None:
    async with reader.reads() as page:
        await page.keyboard.press("Tab")
        await expect(page.locator(".skip")).to_be_focused()
        await page.keyboard.press("/")
        await expect(page.locator("#words")).to_be_focused()
        await page.keyboard.type("accept offer")
        await expect(page.locator("#found")).to_contain_text(f"of {len(OPERATIONS) + len(TOPICS)}")
        await expect(page.locator("#survey_livez")).to_be_hidden()
        await page.keyboard.press("Enter")
        await expect(page.locator("#routing_accept_offer h3 a")).to_be_focused()
        await expect(page.locator("#routing_accept_offer")).to_be_in_viewport()
        await page.keyboard.press("Escape")
        await expect(page.locator("#survey_livez")).to_be_visible()
        await expect(page.locator("#found")).to_be_empty()
        first = page.locator("nav li a").first
        await first.focus()
        await page.keyboard.press("ArrowDown")
        await expect(page.locator("nav li a").nth(1)).to_be_focused()


async def test_a_search_for_an_event_finds_its_topic_and_a_search_for_nothing_says_so(reader: Reader) -> None:
    async with reader.reads() as page:
        await page.locator("#words").fill("SurveyAnswered")
        await expect(page.locator("#topic-survey_responses_v1")).to_be_visible()
        await expect(page.locator("#service-routing")).to_be_hidden()
        await page.locator("#words").fill("no such thing anywhere")
        await expect(page.locator("#found")).to_have_text(f"0 of {len(OPERATIONS) + len(TOPICS)}")


async def test_on_a_phone_it_fits_and_the_contents_open_and_close(reader: Reader) -> None:
    async with reader.reads("/docs#ingest_post_message", PHONE) as page:
        assert await fits(page)
        await keep_picture(page, "phone")
        contents = page.locator("#contents")
        await expect(contents).to_be_hidden()
        await page.locator("#menu").click()
        await expect(contents).to_be_visible()
        await expect(page.locator("#menu")).to_have_attribute("aria-expanded", "true")
        await contents.locator("a[href='#triage_classify']").click()
        await expect(contents).to_be_hidden()
        await expect(page.locator("#triage_classify")).to_be_in_viewport()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_read_from_the_right_it_is_mirrored_and_fits(reader: Reader, size: tuple[int, int]) -> None:
    async with reader.reads("/docs#triage_classify", size) as page:
        await page.evaluate("document.documentElement.dir = 'rtl'")
        assert await fits(page)
        await keep_picture(page, f"rtl-{size[0]}")
        brand = await page.locator(".brand").bounding_box()
        theme = await page.locator("#theme").bounding_box()
        assert brand is not None
        assert theme is not None
        assert brand["x"] > theme["x"]
        code = page.locator("#triage_classify .example").first
        assert await code.evaluate("one => getComputedStyle(one).direction") == "ltr"


async def test_dark_follows_the_system_until_somebody_chooses(reader: Reader) -> None:
    async def brightness(page: Page) -> float:
        colour = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3])

    async with reader.reads(dark=True) as page:
        assert await brightness(page) < 150
        await keep_picture(page, "dark")
        await page.locator("#theme").click()
        await expect(page.locator("#theme-name")).to_have_text("light")
        assert await brightness(page) > 600
        await page.reload()
        await expect(page.locator("#theme-name")).to_have_text("light")


async def test_a_document_that_cannot_be_read_leaves_the_others_and_markup_in_one_stays_text(
    browser: Browser,
) -> None:
    async def ready() -> dict[str, str]:
        return {}

    def an_app(name: str, summary: str) -> FastAPI:
        router = APIRouter()

        @router.get("/v1/things", summary=summary, description="<script>document.title = 'taken'</script>")
        async def things() -> str:
            return ""

        return create_app(name, name.title(), "1", [router], readiness=ready, settings=WebSettings())

    def broken() -> dict[str, Any]:
        raise RuntimeError("no document")

    apps = {
        "shop": an_app("shop", "<img src=x onerror=\"document.title='taken'\">"),
        "dead": an_app("dead", "x"),
    }
    apps["dead"].openapi = broken  # type: ignore[method-assign]  # the documented way to replace it
    async with served(create_host(apps, title="Two", version="1")) as address:
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(f"{address}/docs")
        await expect(page.locator("#service-dead")).to_contain_text("cannot be read at the moment")
        await expect(page.locator("#shop_things h3")).to_have_text(
            "<img src=x onerror=\"document.title='taken'\">"
        )
        assert await page.title() == "Two"
        await context.close()
