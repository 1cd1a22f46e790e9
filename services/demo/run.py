"""One run of the demo: platform, letter box, record, the day, the account."""

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from libs.web import TokenKeys, Tokens
from services.demo.access import Access
from services.demo.account import Account, settle
from services.demo.arrivals import Day, compressed_day, seconds_for
from services.demo.books import read_books
from services.demo.cast import cast
from services.demo.collect import collect
from services.demo.display import show_progress
from services.demo.figures import Gauges, summary
from services.demo.host import DemoHost, demo_settings
from services.demo.messengers import Messengers, spread
from services.demo.post import LetterBox
from services.demo.record import Record, read_record
from services.demo.scene import Scene
from services.demo.simulation import Simulation
from services.demo.stories import Skipped, Story
from services.demo.together import Together

SURVEY_DELAY_S: Final = 2.5
_SURVEY_WINDOW_S: Final = 600.0
_HANDLING_S: Final = 9.0
"""A conversation keeps an agent busy for about so long."""
_ABREAST: Final = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play and where. `rate` conversations a second on average, else `seconds`; `url` of a running platform."""

    stories: list[Story]
    skipped: list[Skipped] = field(default_factory=list)
    seed: int = 1
    rate: float | None = None
    seconds: float | None = None
    url: str = ""
    data: Path | None = None
    alone: bool = False
    """With `url`: nobody else uses that platform, so whatever is on it must be in the record."""
    keep: bool = False
    folder: Path | None = None
    """Where the record goes; a temporary folder when None."""

    def day(self) -> Day:
        """The compressed day."""
        count = len(self.stories)
        seconds = self.seconds if self.seconds else seconds_for(count, self.rate or 7.0)
        return compressed_day(count, seconds, self.seed)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it."""

    account: Account
    by_team: dict[str, Any]
    by_topic: dict[str, Any]
    counts: dict[str, int]
    trouble: dict[str, int]
    """Failures after which a request was asked again."""
    surprises: list[str]
    """Answers nobody expected."""
    seconds: float
    day: Day
    record: Path


async def run(plan: Plan, console: Console, say: Callable[[str], None]) -> Report:
    """Plays the plan. HostFailed, PlatformGone, Refused when it cannot be played to the end."""
    folder = plan.folder or Path(tempfile.mkdtemp(prefix="centralino-record-"))
    begun, since = time.monotonic(), datetime.now(UTC).isoformat(timespec="milliseconds")
    day = plan.day()
    async with (
        LetterBox() as letters,
        Messengers(plan.seed) as messengers,
        _platform(plan, letters, messengers, say) as (access, host),
        Record(folder / "record.jsonl") as record,
        Together() as together,
    ):
        alone = plan.alone or host is not None
        scene = Scene(
            access,
            record,
            together,
            os.urandom(3).hex(),
            plan.seed,
            letters=letters if host else None,
            messengers=messengers if host else None,
        )
        stories = _named_apart(spread(plan.stories) if host else plan.stories)
        people = cast(_hands(plan, day), plan.seed)
        say(
            f"{len(plan.stories)} stories in a day of {day.seconds:.0f} s (compression {day.compression:.0f}), "
            f"{len(people)} agents. The record: {record.path}"
        )
        simulation = Simulation(scene, stories, day, people, still_s=SURVEY_DELAY_S + 3, alone=alone)
        watching = asyncio.create_task(show_progress(simulation, Gauges(access), console))
        try:
            await simulation.play()
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
        played_s = time.monotonic() - begun
        say("Comparing the platform with the record.")
        known = {customer.conversation_id for customer in simulation.customers if customer.conversation_id}
        books = read_books(read_record(record.path))
        account = settle(books, await collect(access, known, alone=alone))
        return Report(
            account=account,
            by_team=await summary(access, "team", since),
            by_topic=await summary(access, "topic", since),
            counts=dict(scene.counts),
            trouble=dict(access.trouble),
            surprises=scene.troubles,
            seconds=played_s,
            day=day,
            record=record.path,
        )


@asynccontextmanager
async def _platform(
    plan: Plan, letters: LetterBox, messengers: Messengers, say: Callable[[str], None]
) -> AsyncIterator[tuple[Access, DemoHost | None]]:
    """The platform named, or one of our own."""
    if plan.url:
        assert plan.data is not None
        tokens = Tokens(TokenKeys.load_or_create(plan.data / "token-keys.json"))
        async with Access(plan.url, tokens) as access:
            yield access, None
        return
    say("Starting a platform of its own.")
    settings = demo_settings(letters.port, SURVEY_DELAY_S, _SURVEY_WINDOW_S) | messengers.settings()
    async with DemoHost(settings, keep=plan.keep) as host:
        tokens = Tokens(TokenKeys.load_or_create(host.folder / "token-keys.json"))
        messengers.connect(host.address)
        async with Access(host.address, tokens) as access:
            yield access, host
        if plan.keep:
            say(f"The platform's data and log stay in {host.folder}")


def _hands(plan: Plan, day: Day) -> int:
    """How many agents it takes."""
    return round(len(plan.stories) / day.seconds * _HANDLING_S * 2.5 / _ABREAST)


def _named_apart(stories: list[Story]) -> list[Story]:
    """Stories with ids that differ and fit into a key: visible ASCII."""
    used: set[str] = set()
    named = []
    for number, story in enumerate(stories):
        plain = "".join(sign if "!" <= sign <= "~" else "-" for sign in story.story_id)[-60:]
        if plain in used:
            plain = f"{plain}.{number}"
        used.add(plain)
        named.append(replace(story, story_id=plain))
    return named
