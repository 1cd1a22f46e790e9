"""Where figures go: a table of docs/benchmarks.md for each benchmark, with the machine and the command."""

import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def machine() -> str:
    """What the figures were measured on, in a line."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{os.cpu_count()} cores ({model}), Python {platform.python_version()}, {platform.system()}"


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Median with the range of the runs."""
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def write(
    name: str, title: str, command: str, header: Sequence[str], rows: Sequence[Sequence[str]], note: str = ""
) -> None:
    """Prints the table and puts it into the page, in place of this benchmark's last one."""
    table = [
        "| " + " | ".join(header) + " |",
        "|" + "|".join(" --- " for _ in header) + "|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    lines = [begin, f"## {title}", "", f"`{command}` on {machine()}.", "", *table]
    if note:
        lines += ["", note]
    lines.append(end)
    text = (
        PAGE.read_text()
        if PAGE.exists()
        else "# Benchmarks\n\nEvery figure stands beside its peer's of the same run; only ratios travel between machines.\n"
    )
    if begin in text:
        before, _, rest = text.partition(begin)
        text = before + "\n".join(lines) + rest.partition(end)[2]
    else:
        text = text.rstrip() + "\n\n" + "\n".join(lines) + "\n"
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text)
    print("\n".join(lines[1:-1]))
