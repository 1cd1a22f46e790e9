"""The skills there are: a name that nobody has declared is a slip of the pen, and its conversations would wait for ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

SkillKind = Literal["topic", "language", "product", "certification"]
LEVELS = (1, 5)


@dataclass(frozen=True, slots=True)
class Skill:
    skill_id: str
    kind: SkillKind = "topic"
    name: str = ""


def skill_problems(
    where: str, wanted: tuple[tuple[str, int], ...], known: tuple[Skill, ...]
) -> Iterator[str]:
    """What is impossible about the skills that an entry names. Without declared skills every name is good."""
    ids = {s.skill_id for s in known}
    for skill, level in wanted:
        if ids and skill not in ids:
            yield f"{where} names the unknown skill {skill!r}"
        if not LEVELS[0] <= level <= LEVELS[1]:
            yield f"{where} names {skill!r} at level {level}; levels are {LEVELS[0]} to {LEVELS[1]}"
