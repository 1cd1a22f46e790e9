"""The comparison as a picture: share inside SLA by class, a group of bars for each load, with intervals."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

_COLOURS = ("#1f6feb", "#bc4c00", "#1a7f37", "#8250df", "#bf3989", "#57606a", "#0b7285", "#a16207")
_BAR, _GAP, _HEIGHT, _LEFT, _TOP = 14, 18, 200, 60, 56


def svg(report: dict[str, Any]) -> str:
    """The report of `command.play` as SVG text."""
    names = list(report["results"][0]["policies"])
    classes = list(report["results"][0]["policies"][names[0]]["classes"])
    group = len(names) * _BAR + _GAP
    width = max(_LEFT + len(classes) * group + 20, _LEFT + 130 * len(names) + 20)
    panel = _HEIGHT + 70
    height = _TOP + panel * len(report["results"])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{_LEFT}" y="20" font-size="15">{escape(report["scenario"])}: share inside SLA</text>',
    ]
    for number, name in enumerate(names):
        x = _LEFT + number * 130
        parts.append(
            f'<rect x="{x}" y="30" width="12" height="12" fill="{_COLOURS[number % len(_COLOURS)]}"/>'
        )
        parts.append(f'<text x="{x + 16}" y="40">{escape(name)}</text>')
    for row, result in enumerate(report["results"]):
        top = _TOP + row * panel
        base = top + 20 + _HEIGHT
        label = "as recorded" if result["load"] is None else f"load {result['load']}"
        parts.append(f'<text x="{_LEFT}" y="{top + 12}" font-weight="bold">{label}</text>')
        for tick in range(0, 11, 2):
            y = base - _HEIGHT * tick / 10
            parts.append(f'<line x1="{_LEFT}" x2="{width - 10}" y1="{y}" y2="{y}" stroke="#d0d7de"/>')
            parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{tick / 10:.1f}</text>')
        for place, class_id in enumerate(classes):
            left = _LEFT + _GAP / 2 + place * group
            parts.append(
                f'<text x="{left + len(names) * _BAR / 2}" y="{base + 18}" text-anchor="middle">'
                f"{escape(class_id)}</text>"
            )
            for number, name in enumerate(names):
                share = result["policies"][name]["classes"][class_id]["in_sla"]
                parts += _bar(left + number * _BAR, base, share, _COLOURS[number % len(_COLOURS)])
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _bar(x: float, base: float, share: dict[str, float | None], colour: str) -> list[str]:
    mean, half = share["mean"], share["half_width"]
    if mean is None:
        return []
    tall = _HEIGHT * mean
    found = [f'<rect x="{x}" y="{base - tall:.1f}" width="{_BAR - 2}" height="{tall:.1f}" fill="{colour}"/>']
    if half:
        middle = x + _BAR / 2 - 1
        low, high = (base - _HEIGHT * max(0.0, min(1.0, mean + s * half)) for s in (-1, 1))
        found.append(f'<line x1="{middle}" x2="{middle}" y1="{low:.1f}" y2="{high:.1f}" stroke="#24292f"/>')
    return found
