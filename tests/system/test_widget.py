"""The chat widget in a real browser, on a shop's page of another origin with the strictest policy, before a real host."""

import asyncio
import contextlib
import os
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from playwright.async_api import (
    Browser,
    BrowserContext,
    FilePayload,
    Locator,
    Page,
    Route,
    async_playwright,
    expect,
)

from tests.system.conftest import RunningHost
from tests.system.desk import Desk
from tests.system.shop import SHOP, SHOP_SECRET

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
PHONE = (390, 780)
DESK = (1100, 800)
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script> {{7*7}} javascript:alert(1) \u202eevil'


@dataclass
class Shop:
    """A browser, the host behind the widget, and what pages have complained of."""

    browser: Browser
    desk: Desk
    site: list[str]
    """The shop's page and its policy, as they are served."""
    faults: list[str] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def visit(
        self, size: tuple[int, int] = DESK, *, dark: bool = False, language: str = "en", **tag: str
    ) -> AsyncIterator[Page]:
        """The shop's page with the widget's one script tag. It may load that script and call its host, nothing else."""
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en-GB",
        )
        try:
            yield await self.open(context, language=language, **tag)
        finally:
            await context.close()

    async def open(self, context: BrowserContext, *, language: str = "en", **tag: str) -> Page:
        host = str(self.desk.client.base_url).rstrip("/")
        data = "".join(f' data-{name}="{value}"' for name, value in {"account": "shop", **tag}.items())
        body = (
            f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>Shop</title>'
            '<link rel="icon" href="data:,">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<h1>Lamps</h1><button id="buy">Buy</button><script src="{host}/ingest/v1/widget.js"{data} async></script>'
        )
        policy = (
            f"default-src 'none'; img-src data:; script-src {host}/ingest/v1/widget.js; connect-src {host}; base-uri 'none';"
            " require-trusted-types-for 'script'; trusted-types 'none'"
        )

        self.site[:] = [body, policy]
        page = await context.new_page()
        page.on("request", lambda one: self._note_request(one.url, host))
        page.on("console", lambda one: self._note(one.type, one.text))
        page.on("pageerror", lambda one: self.faults.append(str(one)))
        await page.goto(f"{SHOP}/")
        await expect(page.locator(".launcher")).to_be_visible()
        return page

    def _note_request(self, url: str, host: str) -> None:
        if not url.startswith((f"{SHOP}/", f"{host}/ingest/v1/widget")):
            self.faults.append(f"asked {url}")

    def _note(self, kind: str, text: str) -> None:
        if kind == "error" and not re.search(
            r"ERR_(INTERNET_DISCONNECTED|FAILED|CONNECTION)|status of 404", text
        ):
            self.faults.append(text)

    async def case_of(self, page: Page) -> str:
        """The conversation that the page is in."""
        for _ in range(200):
            kept = await page.evaluate(
                "JSON.parse(localStorage[Object.keys(localStorage)[0]] || '{}').conversation"
            )
            if kept:
                return str(kept)
            await page.wait_for_timeout(50)
        raise AssertionError("the visitor has no conversation")

    def reply(self, case: str, text: str, version: int = 0) -> None:
        self.desk.reads(case)
        answer = self.desk.act("anna", case, "replies", {"text": text, "after_seq": 1}, version)
        assert answer.status_code == 201, answer.text


@pytest.fixture(scope="module")
async def opened(in_ci: bool, littered_host: RunningHost) -> AsyncIterator[Shop]:
    if not HAS_CHROMIUM:
        assert not in_ci, "Chromium is missing, which CI installs"
        pytest.skip(f"{CHROMIUM} is not installed")
    expect.set_options(timeout=20_000)
    desk, site = Desk(littered_host.url, littered_host.data), ["", ""]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = site[0].encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
            + f"Content-Security-Policy: {site[1]}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()

    port = int(SHOP.rpartition(":")[2])
    async with await asyncio.start_server(serve, "127.0.0.1", port), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with desk.client:
            yield Shop(browser, desk, site)
        await browser.close()


@pytest.fixture
def shop(opened: Shop) -> Shop:
    opened.faults.clear()
    return opened


async def picture(page: Page, name: str) -> None:
    """Keeps a picture where a person asked for pictures."""
    if folder := os.environ.get("CENTRALINO_TEST_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def fits(page: Page) -> None:
    """Nothing sticks out of the window or the panel, and everything to press is large enough for a thumb."""
    window = page.viewport_size
    assert window is not None
    for one in await page.locator(".panel, .head, .composer, .log li p, .names strong").all():
        if (box := await one.bounding_box()) is not None:
            assert box["x"] >= 0, box
            assert box["x"] + box["width"] <= window["width"] + 0.5, box
    for one in await page.locator(".close, .send, textarea, .panel input").all():
        if (box := await one.bounding_box()) is not None:
            assert box["height"] >= 44, box


async def typed(page: Page, text: str) -> None:
    await page.get_by_label("Your message").fill(text)
    await page.keyboard.press("Enter")


def bubbles(page: Page, kind: str) -> Locator:
    return page.locator(f"li.{kind} p")


async def test_a_customer_writes_by_keyboard_alone_and_an_agents_answer_comes(shop: Shop) -> None:
    async with shop.visit() as page:
        await page.keyboard.press("Tab")
        await expect(page.locator("#buy")).to_be_focused()
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name="Open chat")).to_be_focused()
        await page.keyboard.press("Enter")
        panel = page.get_by_role("dialog", name="Alpha Shop")
        await expect(panel.get_by_label("Your message")).to_be_focused()
        await page.keyboard.type("My lamp is broken,")
        await page.keyboard.press("Shift+Enter")
        await page.keyboard.type("what now?")
        await page.keyboard.press("Enter")
        await expect(bubbles(page, "me")).to_have_text(["My lamp is broken,\nwhat now?"])
        await expect(panel).to_contain_text("Your reference: ")
        case = await shop.case_of(page)
        acts = f"/ingest/v1/conversations/{case}/activity"
        shop.desk.done("POST", acts, "agent", json={"typing": True, "read_message_seq": 1})
        await expect(page.get_by_text("Somebody is writing…").first).to_be_visible()
        await expect(page.locator("li.me small")).to_contain_text("Read")
        shop.reply(case, "Please send a photo to https://shop.example/photos.")
        await expect(bubbles(page, "them").last).to_have_text(
            "Please send a photo to https://shop.example/photos."
        )
        link = page.get_by_role("link", name="https://shop.example/photos")
        assert await link.get_attribute("rel") == "noopener noreferrer nofollow"
        await expect(page.locator(".typing")).to_be_hidden()
        await expect(page.get_by_role("status")).to_have_text(re.compile("^Alpha Shop: Please send"))
        await picture(page, "desk-light-en")
        await fits(page)
        for _ in range(8):
            await page.keyboard.press("Tab")
            assert await page.evaluate("document.activeElement.localName") == "centralino-widget", (
                "the trap holds"
            )
        await page.keyboard.press("Escape")
        await expect(panel).to_be_hidden()
        await expect(page.get_by_role("button", name="Open chat")).to_be_focused()
        shop.reply(case, "Are you there?", 1)
        await expect(page.get_by_role("button", name="Open chat. New messages: 1")).to_be_visible()
        await picture(page, "desk-light-unread")
        await page.keyboard.press("Enter")
        await expect(bubbles(page, "them").last).to_have_text("Are you there?")
        again = await shop.open(page.context)
        await again.get_by_role("button", name="Open chat").click()
        await expect(bubbles(again, "them")).to_have_count(3)
        await expect(bubbles(again, "me")).to_have_count(1)
    assert shop.faults == []


async def test_nothing_typed_is_lost_offline_and_all_of_it_is_sent_once(shop: Shop) -> None:
    async with shop.visit(PHONE) as page:
        await page.get_by_role("button", name="Open chat").click()
        await typed(page, "First, while all is well")
        case = await shop.case_of(page)
        await page.context.set_offline(True)
        await expect(page.get_by_text("You are offline.")).to_be_visible()
        await typed(page, "Second, in a tunnel")
        await typed(page, "Third, still in it")
        await page.get_by_label("Your message").fill("Half a sen")
        await expect(page.locator("li.me.waits small").last).to_contain_text("Waiting for a connection")
        await picture(page, "phone-light-offline")
        await fits(page)
        await page.context.set_offline(False)
        await expect(page.locator("li.me.waits")).to_have_count(0)
        await expect(page.get_by_text("You are offline.")).to_be_hidden()
        # A host that takes a message and dies before it has said so: the same message is sent again.
        lost: list[str] = []

        async def swallow(route: Route) -> None:
            lost.append(route.request.post_data or "")
            if len(lost) == 1:
                await route.fetch()
                await route.abort()
            else:
                await route.continue_()

        await page.route("**/messages", swallow)
        await typed(page, "Fourth, answered by silence")
        await page.get_by_label("Your message").fill("Half a sentence")
        await page.close()
        page = await shop.open(page.context)
        await page.get_by_role("button", name="Open chat").click()
        await expect(page.get_by_label("Your message")).to_have_value("Half a sentence")
        await expect(page.locator("li.me.waits")).to_have_count(0)
        said = [
            "First, while all is well",
            "Second, in a tunnel",
            "Third, still in it",
            "Fourth, answered by silence",
        ]
        await expect(bubbles(page, "me")).to_have_text(said)
    whole = shop.desk.done("GET", f"/ingest/v1/conversations/{case}/messages", "service")
    assert [one["text"] for one in whole["items"]] == said
    assert lost
    assert shop.faults == []


_PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 400_000
_GIVE = """(target, [event, name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type: "text/plain" }));
  const given = event === "paste" ? { clipboardData: data } : { dataTransfer: data };
  const kind = event === "paste" ? ClipboardEvent : DragEvent;
  target.dispatchEvent(new kind(event, { bubbles: true, cancelable: true, ...given }));
}"""


async def test_files_are_chosen_pasted_and_dropped_and_outlive_the_page_without_a_network(shop: Shop) -> None:
    async with shop.visit(PHONE) as page:
        asked = asyncio.Event()
        # Listened for well before: a dialogue that opens while the browser is still being told is seen by nobody.
        page.on("filechooser", lambda _chooser: asked.set())
        await page.get_by_role("button", name="Open chat").click()
        await expect(page.get_by_text("Up to 5 files, 10 MB each")).to_be_visible()
        picker = page.locator("input[type=file]")
        await page.get_by_role("button", name="Attach files").press("Enter")
        async with asyncio.timeout(30):
            await asked.wait()
        files: list[FilePayload] = [
            {"name": "lamp.png", "mimeType": "image/png", "buffer": _PNG},
            {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"0" * (10 * 1024 * 1024 + 1)},
            {"name": "nothing.txt", "mimeType": "text/plain", "buffer": b""},
        ]
        await picker.set_input_files(files)
        chips = page.locator(".chosen li")
        await expect(chips).to_have_count(1)
        await expect(page.get_by_role("alert")).to_have_text(
            "film.mp4 is larger than 10 MB. nothing.txt is empty."
        )
        await page.get_by_label("Your message").evaluate(_GIVE, ["paste", "pasted.txt", "from the clipboard"])
        await page.locator(".panel").evaluate(_GIVE, ["drop", "dropped.txt", "let fall"])
        await expect(chips).to_have_count(3)
        await page.get_by_role("button", name="Remove: pasted.txt").press("Enter")
        await expect(chips).to_have_count(2)
        await picture(page, "phone-light-files-chosen")
        await fits(page)
        await page.context.set_offline(True)
        await typed(page, "See the picture")
        await expect(chips).to_have_count(0)
        await expect(page.locator("li.me.waits .file")).to_have_count(2)
        await picture(page, "phone-light-files-offline")
        await page.close()
        await page.context.set_offline(False)
        page = await shop.open(page.context)
        await page.get_by_role("button", name="Open chat").click()
        await expect(page.locator("li.me.waits")).to_have_count(0)
        opening = page.get_by_role("button", name="Open: lamp.png")
        await expect(opening).to_be_visible()
        await picture(page, "phone-light-files-sent")
        await fits(page)
        async with page.expect_download() as downloading:
            await opening.press("Enter")
        download = await downloading.value
        assert download.suggested_filename == "lamp.png"
        assert (await download.path()).read_bytes() == _PNG
        case = await shop.case_of(page)
        [message] = shop.desk.reads(case)["messages"]["items"]
        assert [(a["name"], a["media_type"]) for a in message["attachments"]] == [
            ("lamp.png", "image/png"),
            ("dropped.txt", "text/plain"),
        ]
        there = shop.desk.ask("GET", message["attachments"][0]["location"], "agent")
        assert there.content == _PNG
    assert shop.faults == []


async def test_who_signs_in_goes_on_in_what_they_had_written(shop: Shop) -> None:
    claims = {"sub": "grace-of-the-browser", "exp": int(time.time()) + 600, "name": "Grace"}
    token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SHOP_SECRET), ["HS256"])
    async with shop.visit() as page:
        await page.get_by_role("button", name="Open chat").click()
        await typed(page, "Before signing in")
        case = await shop.case_of(page)
        await page.get_by_label("Your message").fill("Half a")
        await page.evaluate("token => Centralino.identify(token)", token)
        await expect(bubbles(page, "me")).to_have_text(["Before signing in"])
        await expect(page.get_by_label("Your message")).to_have_value("Half a")
        await typed(page, "After signing in")
        await expect(page.locator("li.me.waits")).to_have_count(0)
        assert await shop.case_of(page) == case
        linked = shop.desk.reads(case, 2)["customer"]
        assert (linked["name"], len(linked["linked_ids"])) == ("Grace", 1)
    assert shop.faults == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_arabic_is_read_from_the_right_on_a_phone(shop: Shop, dark: bool) -> None:
    async with shop.visit(PHONE, dark=dark, language="ar") as page:
        launcher = await page.get_by_role("button", name="فتح المحادثة").bounding_box()
        assert launcher is not None
        assert launcher["x"] < PHONE[0] / 2, "the button stands where lines end"
        await page.get_by_role("button", name="فتح المحادثة").click()
        await page.get_by_label("رسالتك").fill("أين طلبي؟ لم يصل المصباح بعد.")
        await page.get_by_role("button", name="إرسال").click()
        case = await shop.case_of(page)
        shop.reply(case, "سيصل غدًا صباحًا، ونعتذر عن التأخير.")
        await expect(bubbles(page, "them").last).to_have_text("سيصل غدًا صباحًا، ونعتذر عن التأخير.")
        mine = await bubbles(page, "me").last.bounding_box()
        theirs = await bubbles(page, "them").last.bounding_box()
        assert await page.get_by_label("رسالتك").evaluate("one => getComputedStyle(one).direction") == "rtl"
        assert mine is not None
        assert theirs is not None
        assert mine["x"] < theirs["x"], "one's own stand on the left"
        await picture(page, f"phone-{'dark' if dark else 'light'}-ar")
        await fits(page)
    assert shop.faults == []


async def test_hostile_texts_are_shown_as_what_they_are(shop: Shop) -> None:
    async with shop.visit(dark=True) as page:
        await page.get_by_role("button", name="Open chat").click()
        await typed(page, HOSTILE)
        case = await shop.case_of(page)
        shop.reply(case, HOSTILE + "x" * 300)
        await expect(bubbles(page, "me")).to_have_text([HOSTILE])
        await expect(bubbles(page, "them").last).to_have_text(HOSTILE + "x" * 300)
        assert await page.locator(".log img, .log script, .log a").count() == 0
        assert await page.title() == "Shop"
        await picture(page, "desk-dark-hostile")
        await fits(page)
    assert shop.faults == []


async def test_a_form_is_checked_by_the_browser_and_opens_a_case(shop: Shop) -> None:
    async with shop.visit(PHONE, language="it", mode="form", color="#7a2fd0") as page:
        await page.get_by_role("button", name="Apri la chat").click()
        await expect(page.get_by_label("Nome (facoltativo)")).to_be_focused()
        await picture(page, "phone-light-form-it")
        await fits(page)
        await page.get_by_label("Il tuo messaggio").fill("La lampada è rotta")
        await page.get_by_role("button", name="Invia").click()
        assert await page.locator("input:invalid").count() == 1, "the address is missing"
        await page.get_by_label("E-mail").fill("eva@x.example")
        await page.get_by_label("Oggetto (facoltativo)").fill("Lampada")
        await page.get_by_role("button", name="Invia").click()
        await expect(bubbles(page, "me")).to_have_text(["La lampada è rotta"])
        await expect(page.get_by_role("dialog")).to_contain_text("Il tuo riferimento: ")
        await picture(page, "phone-light-form-sent")
        case = await shop.case_of(page)
    made: Any = shop.desk.done("GET", f"/ingest/v1/conversations/{case}", "service")
    assert (made["channel"], made["subject"]) == ("web", "Lampada")
    assert shop.faults == []


async def test_who_signs_in_or_out_sees_their_own_conversation_alone(shop: Shop) -> None:
    def signed(id_: str) -> str:
        claims = {"sub": id_, "exp": int(time.time()) + 600, "name": id_.title()}
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SHOP_SECRET), ["HS256"])

    async with shop.visit(identity=signed("ada"), language="de") as page:
        await page.get_by_role("button", name="Chat öffnen").click()
        await page.get_by_label("Ihre Nachricht").fill("Von Ada")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog")).to_contain_text("Ihr Aktenzeichen: ")
        case = await shop.case_of(page)
        await page.get_by_label("Ihre Nachricht").fill("Adas Entwurf")
        await page.evaluate("token => Centralino.identify(token)", signed("bob"))
        await expect(bubbles(page, "me")).to_have_count(0)
        await expect(page.get_by_label("Ihre Nachricht")).to_have_value("")
        await page.evaluate("Centralino.identify()")
        kept = await page.evaluate("JSON.stringify(localStorage)")
        assert "Ada" not in kept
        assert case not in kept
        await page.evaluate("token => Centralino.identify(token)", signed("ada"))
        await expect(bubbles(page, "me")).to_have_text(["Von Ada"])
    assert shop.faults == []


@pytest.mark.parametrize(
    ("language", "mode"), [("de", "chat"), ("fr", "form"), ("ar", "form"), ("ar", "chat")]
)
async def test_the_demonstration_shows_every_language_at_every_width(
    shop: Shop, language: str, mode: str
) -> None:
    host = str(shop.desk.client.base_url).rstrip("/")
    for size, name in ((PHONE, "phone"), (DESK, "desk")):
        context = await shop.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme="dark", reduced_motion="reduce"
        )
        page = await context.new_page()
        page.on("console", lambda one: shop._note(one.type, one.text))
        await page.goto(f"{host}/ingest/v1/widget/demo?lang={language}&mode={mode}")
        await picture(page, f"{name}-dark-demo-{language}")
        await page.locator(".launcher").click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await picture(page, f"{name}-dark-{mode}-{language}")
        await fits(page)
        await context.close()
    assert shop.faults == []
