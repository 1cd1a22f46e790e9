"""What a person sees: progress while the day runs, tables and the account at the end."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

from services.demo.account import Account
from services.demo.figures import Gauges
from services.demo.simulation import Simulation

_LINE_S: Final = 5.0
_FRAME_S: Final = 0.5
_SHOWN_DIFFERENCES: Final = 40


def progress(simulation: Simulation, gauges: Gauges) -> dict[str, int]:
    """The figures of the moment, in the order in which a conversation meets them."""
    counts = simulation.scene.counts
    return {
        "customers": len(simulation.customers),
        "received": counts["messages"],
        "triaged": gauges.counter("centralino_triage_decisions_total"),
        "waiting": gauges.waiting,
        "assigned": counts["accepted"],
        "resolved": counts["resolved"],
        "surveyed": counts["surveys"],
        "outcomes": gauges.counter("centralino_outcomes_total"),
        "lag": gauges.gauge("centralino_stream_lag_events")
        + gauges.gauge("centralino_ingest_backlog_messages"),
    }


async def show_progress(simulation: Simulation, gauges: Gauges, console: Console) -> None:
    """Until cancelled: a live table on a terminal, a line every few seconds elsewhere."""
    begun = time.monotonic()
    await gauges.read()
    if not console.is_terminal:
        while True:
            await asyncio.sleep(_LINE_S)
            await gauges.read()
            figures = " ".join(f"{name} {value}" for name, value in progress(simulation, gauges).items())
            when = f"{time.monotonic() - begun:5.0f} s  {simulation.clock_time()}, {simulation.phase}"
            console.print(f"{when}  {figures}", highlight=False, soft_wrap=True, markup=False)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            await gauges.read()
            table = Table(title=f"{simulation.clock_time()}, {simulation.phase}", title_justify="left")
            row = progress(simulation, gauges)
            for name in row:
                table.add_column(name, justify="right")
            table.add_row(*(f"{value:,}" for value in row.values()))
            live.update(table, refresh=True)
            await asyncio.sleep(_FRAME_S)


def show_summary(console: Console, title: str, figures: Mapping[str, Any]) -> None:
    """One table: volume, and median / 90th percentile of wait, first response and resolution, satisfaction with its n."""
    table = Table(
        title=f"{title} (seconds: median / 90 %)", title_justify="left", box=SIMPLE_HEAD, pad_edge=False
    )
    table.add_column(figures["by"], no_wrap=True)
    for name in ("volume", "wait", "first reply", "resolution", "CSAT", "95 %", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for group in (*figures["groups"], figures["total"]):
        table.add_row(
            group["name"],
            str(group["volume"]["n"]),
            *(_spread(group[clock]) for clock in ("wait", "first_response", "resolution")),
            *_csat(group["csat"]),
            end_section=bool(figures["groups"]) and group is figures["groups"][-1],
        )
    console.print(table)


def _spread(times: Mapping[str, Any]) -> str:
    if times["median_ms"] is None:
        return "-"
    return f"{times['median_ms'] / 1000:.1f} / {times['p90_ms'] / 1000:.1f}"


def _csat(csat: Mapping[str, Any]) -> tuple[str, str, str]:
    if csat["top2"] is None:
        return "-", "-", str(csat["n"])
    return f"{csat['top2']:.0%}", f"{csat['low']:.0%}-{csat['high']:.0%}", str(csat["n"])


def show_account(say: Callable[[str], None], account: Account) -> None:
    """The account, and every difference."""
    if account.trailing:
        listed = ", ".join(f"{number} {cause}" for cause, number in sorted(account.trailing.items()))
        say(f"Messages that open nothing: {sum(account.trailing.values())} ({listed}).")
    say(
        f"Compared: {account.messages} messages, {account.replies} replies, {account.surveys} survey answers."
    )
    for one in account.differences[:_SHOWN_DIFFERENCES]:
        say(f"{one.kind}: {one.what}")
    if len(account.differences) > _SHOWN_DIFFERENCES:
        say(f"... and {len(account.differences) - _SHOWN_DIFFERENCES} more; all are in the report.")
    say(account.line())
