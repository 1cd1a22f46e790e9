"""`centralino demo`."""

import asyncio
import dataclasses
import functools
import json
import signal
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from services.demo.access import PlatformGone, Refused
from services.demo.display import show_account, show_summary
from services.demo.host import HostFailed
from services.demo.inputs import read_input
from services.demo.run import Plan, Report, run
from services.demo.stories import Skipped, Story, UnreadableInput, own_stories

_errors = Console(stderr=True)
_SHOWN_SKIPPED = 20
_WIDE = 110


def demo(
    input_: Annotated[
        Path | None,
        typer.Option(
            "--input",
            help="CSV of messages, JSONL of dialogues (both also .gz), mbox, .eml or a folder of mails.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed draws the same day.")] = 1,
    rate: Annotated[
        float | None, typer.Option(min=0.01, max=1000, help="Conversations a second, on average.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="Length of the compressed day, instead of --rate.")
    ] = None,
    conversations: Annotated[
        int | None, typer.Option(min=1, help="So many; the own stories come again if need be.")
    ] = None,
    url: Annotated[
        str, typer.Option(help="A platform that runs, instead of one of the demo's own; needs --data too.")
    ] = "",
    data: Annotated[
        Path | None,
        typer.Option(envvar="CENTRALINO_DATA", help="With --url: its data folder, to sign tokens."),
    ] = None,
    alone: Annotated[
        bool,
        typer.Option(
            "--alone",
            help="With --url: the platform is empty and nobody else uses it. What nobody wrote is an error.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document at the end.")] = False,
    keep: Annotated[bool, typer.Option(help="Leave the data of the demo's own platform.")] = False,
) -> None:
    """Plays a day of customers and agents over HTTP, and accounts for every message, episode and outcome.

    Ends with code 1 when anything differs from the record that customers and agents kept themselves.
    """
    if url and data is None:
        raise typer.BadParameter("--url needs --data (or CENTRALINO_DATA): tokens are signed with its key")
    if rate and seconds:
        raise typer.BadParameter("give --rate or --seconds, not both")
    say = _errors.print if as_json else Console().print
    try:
        plan = _plan(input_, seed, conversations)
        plan = dataclasses.replace(
            plan, rate=rate, seconds=seconds, url=url, data=data, alone=alone, keep=keep
        )
        _say_skipped(plan.skipped)
        tell = functools.partial(say, markup=False, highlight=False, soft_wrap=True)
        report = asyncio.run(_until_told(run(plan, _errors, tell)))
    except UnreadableInput as error:
        raise typer.BadParameter(str(error)) from None
    except (HostFailed, PlatformGone, Refused) as error:
        _errors.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        _errors.print("Stopped before the end: nothing was compared.")
        raise typer.Exit(130) from None
    if as_json:
        typer.echo(json.dumps(document(report, plan.skipped), indent=2, ensure_ascii=False))
    else:
        _show(report)
    if report.account.differences:
        raise typer.Exit(1)


async def _until_told(playing: Coroutine[Any, Any, Report]) -> Report:
    """SIGTERM ends a run as Ctrl-C does: the platform of its own is stopped too."""
    task = asyncio.ensure_future(playing)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def _plan(input_: Path | None, seed: int, conversations: int | None) -> Plan:
    if input_ is None:
        return Plan(_so_many(own_stories(), conversations), seed=seed)
    played = read_input(input_, seed)
    return Plan(played.stories[:conversations], played.skipped, seed=seed)


def _so_many(stories: list[Story], count: int | None) -> list[Story]:
    """The first so many; more than there are begin again, told by other people."""
    if count is None or count <= len(stories):
        return stories[:count]
    rounds = (
        dataclasses.replace(story, story_id=f"{story.story_id}-{n // len(stories) + 1}")
        for n, story in ((n, stories[n % len(stories)]) for n in range(len(stories), count))
    )
    return [*stories, *rounds]


def _say_skipped(skipped: list[Skipped]) -> None:
    for one in skipped[:_SHOWN_SKIPPED]:
        _errors.print(f"skipped {one.source}, {one.line}: {one.reason}", markup=False, highlight=False)
    if len(skipped) > _SHOWN_SKIPPED:
        _errors.print(f"... and {len(skipped) - _SHOWN_SKIPPED} more rows skipped", highlight=False)


def _show(report: Report) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _WIDE
    for title, figures in (("By team", report.by_team), ("By topic", report.by_topic)):
        show_summary(console, title, figures)
    for kind, number in sorted(report.trouble.items()):
        console.print(f"Asked again after {kind}: {number} times.", highlight=False)
    for what, number in Counter(report.surprises).most_common(20):
        console.print(f"Unexpected, {number} times: {what}", markup=False, highlight=False)
    console.print(
        f"Played in {report.seconds:.0f} s, compression {report.day.compression:.0f}.", highlight=False
    )
    show_account(lambda text: console.print(text, markup=False, highlight=False), report.account)


def document(report: Report, skipped: list[Skipped]) -> dict[str, Any]:
    """The report for programs."""
    account = report.account
    return {
        "conversations": account.conversations,
        "episodes": account.episodes,
        "outcomes": account.outcomes,
        "lost": account.count("lost"),
        "doubled": account.count("doubled"),
        "wrong": account.count("wrong"),
        "messages": account.messages,
        "replies": account.replies,
        "survey_answers": account.surveys,
        "trailing": dict(account.trailing),
        "differences": [dataclasses.asdict(one) for one in account.differences],
        "seconds": round(report.seconds, 1),
        "day_seconds": round(report.day.seconds, 1),
        "compression": round(report.day.compression, 1),
        "counts": report.counts,
        "asked_again": report.trouble,
        "surprises": report.surprises,
        "skipped": [dataclasses.asdict(one) for one in skipped],
        "by_team": report.by_team,
        "by_topic": report.by_topic,
        "record": str(report.record),
    }
