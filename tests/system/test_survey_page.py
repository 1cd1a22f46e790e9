"""The survey page in a real browser, served by a real server: keyboard, scripts off, right to left, phone width."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from libs.web import create_host
from services.survey.service import definition
from services.survey.settings import SurveySettings
from tests.service.survey.steps import invited
from tests.support.harness import ServiceUnderTest, running

pytestmark = pytest.mark.browser

CHROMIUM = Path("/usr/bin/chromium")
HAS_CHROMIUM = CHROMIUM.exists()
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A machine that runs other suites too may need longer than the usual five seconds.
expect.set_options(timeout=20_000)
PHONE = (360, 780)
DESK = (1100, 900)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # as uvicorn declares it
        yield


def _note(errors: list[str], message: ConsoleMessage) -> None:
    if message.type == "error" and "status of 404" not in message.text:
        errors.append(message.text)


@dataclass
class Site:
    """The service on an address of its own, and a browser."""

    service: ServiceUnderTest
    address: str
    browser: Browser

    @contextlib.asynccontextmanager
    async def page(
        self, size: tuple[int, int] = DESK, *, dark: bool = False, scripts: bool = False
    ) -> AsyncIterator[Page]:
        """A page that fails the test when it asks any other address, or logs an error."""
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            locale="en-GB",
        )
        asked: list[str] = []
        errors: list[str] = []
        page = await context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: _note(errors, message))
        try:
            yield page
            assert [url for url in asked if not url.startswith((self.address, "data:"))] == []
            assert errors == []
        finally:
            await context.close()

    async def answers(self) -> list[tuple[int, str, int]]:
        """What the log holds: score, comment, revision."""
        return [(e.score, e.comment, e.revision) for e in await self.service.events("SurveyAnswered")]


@pytest.fixture
async def site(in_ci: bool) -> AsyncIterator[Site]:
    if not HAS_CHROMIUM:
        assert not in_ci, "Chromium is missing, which CI installs"
        pytest.skip(f"{CHROMIUM} is not installed")
    async with running(definition, SurveySettings(delay_seconds=0, cap_days=0)) as service:
        host = create_host({"survey": service.assembled.app}, title="Centralino", version="0")
        server = _Server(uvicorn.Config(host, port=0, lifespan="off", log_config=None, access_log=False))
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
                yield Site(service, f"http://127.0.0.1:{port}", browser)
                await browser.close()
        finally:
            server.should_exit = True
            await serving


async def _keep_picture(page: Page, name: str) -> None:
    """Keeps a picture where a person asked for pictures."""
    if folder := os.environ.get("CENTRALINO_TEST_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


async def _fits(page: Page) -> None:
    """Nothing sticks out of the window, and everything to press is large enough for a thumb."""
    for one in await page.locator("main, nav, h1, .tile, textarea, button, .words").all():
        box = await one.bounding_box()
        assert box is not None
        assert page.viewport_size is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= page.viewport_size["width"] + 0.5, box
    for one in await page.locator(".tile, button").all():
        box = await one.bounding_box()
        assert box is not None
        assert box["height"] >= 44


async def test_a_customer_answers_by_keyboard_and_changes_their_mind(site: Site) -> None:
    path = await invited(site.service)
    async with site.page() as page:
        await page.goto(f"{site.address}/survey{path}")
        await _keep_picture(page, "light-desk-en")
        await _fits(page)
        await expect(
            page.get_by_role("group", name="How satisfied are you with the help you got?")
        ).to_be_visible()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        for _ in range(3):
            await page.keyboard.press("ArrowRight")
        await expect(page.get_by_role("radio", name="Satisfied", exact=True)).to_be_checked()
        await page.keyboard.press("Tab")
        await page.keyboard.type("Quick and friendly")
        await page.keyboard.press("Tab")
        await _keep_picture(page, "light-desk-en-chosen")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("Thank you, we have your answer.")
        assert await site.answers() == [(4, "Quick and friendly", 1)]
        await _keep_picture(page, "light-desk-en-thanks")
        await page.get_by_role("radio", name="Neutral").focus()
        await page.keyboard.press("Space")
        await page.get_by_role("button", name="Change answer").press("Enter")
        await expect(page.get_by_role("radio", name="Neutral")).to_be_checked()
        assert (await site.answers())[1:] == [(3, "Quick and friendly", 2)]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_arabic_is_read_from_the_right_on_a_phone(site: Site, dark: bool) -> None:
    path = await invited(site.service, language="ar")
    async with site.page(PHONE, dark=dark) as page:
        await page.goto(f"{site.address}/survey{path}?score=2")
        await _keep_picture(page, f"{'dark' if dark else 'light'}-phone-ar")
        await _fits(page)
        assert await page.locator("html").get_attribute("dir") == "rtl"
        number = await page.locator(".number").first.bounding_box()
        words = await page.locator(".words").first.bounding_box()
        assert number is not None
        assert words is not None
        assert number["x"] > words["x"] + words["width"], "numbers stand on the right of their words"
        await expect(page.get_by_role("radio", name="غير راضٍ", exact=True)).to_be_checked()
        assert await site.answers() == []
        await page.get_by_role("radio", name="راضٍ جدًا").focus()
        await page.keyboard.press("Space")
        await page.get_by_role("textbox").fill("شكرًا جزيلًا")
        await page.get_by_role("button", name="إرسال الإجابة").press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("شكرًا لك، وصلتنا إجابتك.")
        await _keep_picture(page, f"{'dark' if dark else 'light'}-phone-ar-thanks")
        await _fits(page)
        assert await site.answers() == [(5, "شكرًا جزيلًا", 1)]


@pytest.mark.parametrize("language", ["en", "it", "ro", "fr", "pt", "es", "de"])
async def test_every_language_fits_a_phone_and_a_desk(site: Site, language: str) -> None:
    path = await invited(site.service, language=language)
    for size, name in ((PHONE, "phone"), (DESK, "desk")):
        async with site.page(size, dark=True) as page:
            await page.goto(f"{site.address}/survey{path}")
            await _keep_picture(page, f"dark-{name}-{language}")
            await _fits(page)


async def test_the_browser_asks_for_a_score_before_it_sends(site: Site) -> None:
    path = await invited(site.service)
    async with site.page(PHONE) as page:
        await page.goto(f"{site.address}/survey{path}")
        await page.get_by_role("button", name="Send answer").click()
        assert await page.locator("input[type=radio]:invalid").count() == 5
        assert await site.answers() == []


async def test_a_link_that_opens_nothing_says_so_kindly(site: Site) -> None:
    async with site.page(PHONE, dark=True) as page:
        answer = await page.goto(f"{site.address}/survey/v1/s/nothing")
        assert answer is not None
        assert answer.status == 404
        await _keep_picture(page, "dark-phone-gone")
        await expect(page.get_by_role("heading")).to_have_text("This survey is not open")
