"""What the chat widget costs the page that shows it: bytes, and main-thread work beside the same page without it."""

import argparse
import asyncio
import gzip
import statistics
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from bench.hosts import platform
from bench.report import spread, write
from services.ingest.api.widget_files import SCRIPT, read_texts

CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_BODY = "<!doctype html><html lang=en><title>Shop</title><h1>Lamps</h1><p>Light for every room.</p>"
_SETTLED_S = 1.5


async def task_ms(browser: Browser, url: str, body: str, script: str, shown: str) -> float:
    """Main-thread milliseconds of a page, as the browser itself adds them up (TaskDuration), from its beginning until some
    time after `script` was run. Nothing is looked for before they are read: that would be work of the page's too.

    `shown` is a selector of what has to be there in the end.
    """
    context = await browser.new_context()
    page = await context.new_page()
    await page.route("**/shop", lambda route: route.fulfill(body=body, content_type="text/html"))
    devtools = await context.new_cdp_session(page)
    await devtools.send("Performance.enable")
    await page.goto(f"{url}/shop")
    await asyncio.sleep(_SETTLED_S)
    await devtools.send("Runtime.evaluate", {"expression": script})
    await asyncio.sleep(_SETTLED_S)
    values = (await devtools.send("Performance.getMetrics"))["metrics"]
    if not await page.locator(shown).is_visible():
        raise RuntimeError(f"{shown} is not shown: the figure would be of a page without it")
    await context.close()
    return 1000 * float(next(one["value"] for one in values if one["name"] == "TaskDuration"))


async def measure(url: str, runs: int) -> dict[str, list[float]]:
    """The three pages in turn, so that whatever else the machine does is borne by all."""
    tag = f'<script src="{url}/ingest/v1/widget.js" async></script>'
    pages = {
        "empty": (_BODY, "0", "h1"),
        "button": (_BODY + tag, "0", ".launcher"),
        "open": (_BODY + tag, "Centralino.open()", ".panel"),
    }
    found: dict[str, list[float]] = {name: [] for name in pages}
    async with async_playwright() as playwright:
        for _ in range(runs):
            for name, (body, script, shown) in pages.items():
                # A browser of its own each time: no compiled script is left from the run before.
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
                found[name].append(await task_ms(browser, url, body, script, shown))
                await browser.close()
    return found


def main(runs: int) -> None:
    with platform() as (url, _folder):
        found = asyncio.run(measure(url, runs))
    added = [one - other for one, other in zip(found["button"], found["empty"], strict=True)]
    opened = [one - other for one, other in zip(found["open"], found["empty"], strict=True)]
    texts = max(len(gzip.compress(str(own).encode())) for own in read_texts().values())
    write(
        "widget",
        "The chat widget on a cold page, headless Chromium",
        f"python -m bench.widget --runs {runs}",
        ["what", "median (range)", "goal"],
        [
            ["script, kB compressed", f"{len(SCRIPT.zipped) / 1000:.1f}", "30"],
            ["texts of the longest language, kB compressed", f"{texts / 1000:.1f}", ""],
            ["main-thread work of the page without it, ms", spread(found["empty"], 1), ""],
            ["of the page with its button, ms", spread(found["button"], 1), ""],
            ["what it adds, run by run, ms", spread(added, 1), "100"],
            ["what it adds until it has been opened too, ms", spread(opened, 1), ""],
        ],
        "A fresh browser for every page, so nothing is compiled or cached; 3 s of work as Chromium adds up the"
        " tasks of the page's main thread. The goal is for a cold page with its button;"
        f" {statistics.median(added) / 100:.2f} of it is used.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    main(parser.parse_args().runs)
