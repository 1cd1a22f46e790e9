"""A configuration file, read: every fault with its file, line and reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from services.routing.adapters.located_yaml import BadFile, Place, read
from services.routing.api.agent_shapes import profile_of
from services.routing.api.directory_shapes import directory_of
from services.routing.config.easing import plain
from services.routing.config.shapes import Configuration, FileShape, configuration_of
from services.routing.domain.capacity import group_key
from services.routing.domain.configuration import agent_problems
from services.routing.domain.directory import AgentProfile, Directory
from services.routing.domain.reserve import is_guard

_SECTIONS = {
    "team": "teams",
    "queue": "queues",
    "capacity": "capacities",
    "calendar": "calendars",
    "skill": "skills",
    "agent": "agents",
}
_ENTITY = re.compile(r"(?:[a-z ]*\b)?(team|queue|capacity|calendar|skill|agent) '([^']*)'")
_RING = re.compile(r"\bring (\d+)")
_CHANNEL = re.compile(r"\bchannel '([^']*)'")
_FIELDS = ("parallel_offers", "fair_share", "max_open_offers", "ramp", "holiday", "special")


def load(path: Path) -> Configuration:
    """The configuration of a file. Raises BadFile with all its faults: first those of single values, and when there
    are none, those of how the values go together."""
    located, faults = plain(read(path))
    try:
        file = located.parse(FileShape)
    except BadFile as bad:
        raise BadFile(_in_order([*faults, *bad.faults])) from None
    if faults:
        raise BadFile(_in_order(faults))
    configuration = configuration_of(file)
    faults = [located.fault(place, why) for place, why in _faults(file, configuration)]
    if faults:
        raise BadFile(_in_order(faults))
    return configuration


def _faults(file: FileShape, configuration: Configuration) -> Iterator[tuple[Place, str]]:
    directory = directory_of(configuration.directory, version=0)
    for problem in directory.problems():
        yield _place_of(problem, file), problem
    for section in ("agents", "sla_policies"):
        ids = [one.id for one in getattr(file, section) or ()]
        for number, one in enumerate(ids):
            if one in ids[:number]:
                yield (section, number), f"{one!r} is there twice"
    people = configuration.agents or {}
    profiles = [profile_of(agent.id, people[agent.id]) for agent in file.agents or ()]
    for number, profile in enumerate(profiles):
        for problem in agent_problems(directory, profile):
            yield ("agents", number), problem
    yield from _out_of_reach(directory, profiles)
    yield from _nobody_to_keep(directory, profiles)


def _nobody_to_keep(directory: Directory, profiles: list[AgentProfile]) -> Iterator[tuple[Place, str]]:
    """A reserve for which nobody of the file could be kept."""
    if not profiles or not directory.reserve.queues:
        return
    guards = [p for p in profiles if is_guard(directory, group_key(p))]
    named = ", ".join(directory.reserve.queues)
    others = [q for q in directory.queues if q.queue_id not in directory.reserve.queues]
    if not guards:
        yield (
            ("pools", 0, "reserve"),
            f"reserve: no agent can serve all of {named}: nobody could be kept free",
        )
    elif not any(q.team_id in p.teams for p in guards for q in others):
        why = f"reserve: nobody who can serve all of {named} is in the team of another queue"
        yield ("pools", 0, "reserve"), f"{why}: they are free for it anyway"


def _out_of_reach(directory: Directory, profiles: list[AgentProfile]) -> Iterator[tuple[Place, str]]:
    """Queues that ask for what nobody of the file has, if there is anybody in it."""
    for number, queue in enumerate(directory.queues if profiles else ()):
        teams = {queue.team_id, *(team for ring in queue.ring_plan for team in ring.teams)}
        able = [p for p in profiles if teams & set(p.teams)]
        if not able:
            yield ("queues", number), f"queue {queue.queue_id!r}: no agent is in {', '.join(sorted(teams))}"
            continue
        lacking = [
            f"{skill} {level}"
            for skill, level in queue.skills
            if all(dict(p.skills).get(skill, 0) < level for p in able)
        ]
        if lacking:
            why = f"queue {queue.queue_id!r} asks for {', '.join(lacking)}: no agent of its teams has that"
            yield ("queues", number, "skills"), why
        if not any(ring.drop_seniority for ring in queue.ring_plan):
            most = max(p.seniority for p in able)
            for name, care in (*queue.tiers, ("in_debt", queue.in_debt)):
                if care.seniority > most:
                    why = f"queue {queue.queue_id!r} asks for seniority {care.seniority} for {name!r}"
                    field = ("in_debt",) if care is queue.in_debt else ("tiers", name)
                    yield ("queues", number, *field), f"{why}: the most senior agent of its teams has {most}"
        if lacking or not able:
            continue
        if not any(all(dict(p.skills).get(s, 0) >= n for s, n in queue.skills) for p in able):
            wanted = ", ".join(f"{skill} {level}" for skill, level in queue.skills)
            why = f"queue {queue.queue_id!r} asks for {wanted}: no agent of its teams has all of it"
            yield ("queues", number, "skills"), why


def _place_of(problem: str, file: FileShape) -> Place:
    """Where the thing is that a problem of the directory begins with; the directory itself knows no lines."""
    if problem.startswith("a filter"):
        named = problem.rpartition("unknown queue ")[2].strip("'\"")
        return next((("filters", n) for n, f in enumerate(file.filters) if f.queue == named), ("filters",))
    if problem.startswith("the last filter"):
        return ("filters", len(file.filters) - 1) if file.filters else ("filters",)
    if problem.startswith("reserve"):
        return ("pools", 0, "reserve")
    if problem.startswith("there must be at least one capacity"):
        return ("capacities",)
    found = _ENTITY.match(problem)
    if found is None:
        return ()
    section = _SECTIONS[found[1]]
    rows = getattr(file, section) or ()
    ids = [one.id for one in rows]
    numbers = [number for number, one in enumerate(ids) if one == found[2]]
    if not numbers:
        return (section,)
    # Of two with one id the second is the slip.
    number = numbers[-1] if "is there twice" in problem else numbers[0]
    return _inside((section, number), problem, rows[number])


def _inside(entity: Place, problem: str, shape: object) -> Place:
    """The field of an entity that a problem is about, where its words say so; else the entity."""
    for field in ("overflow", "hours", "follow", "escalates_to"):
        if f": {field}" in problem or f"its {field}" in problem:
            return (*entity, "relief", field)
    if ring := _RING.search(problem):
        return (*entity, "rings", int(ring[1]) - 1)
    channels = [c.channel for c in getattr(shape, "channels", ())]
    if (channel := _CHANNEL.search(problem)) and channel[1] in channels:
        return (*entity, "channels", channels.index(channel[1]))
    if "unknown team" in problem:
        return (*entity, "team")
    if "unknown calendar" in problem:
        return (*entity, "sla", "calendar")
    if "unknown zone" in problem:
        return (*entity, "zone")
    if "boost" in problem:
        return (*entity, "boosts")
    for field in _FIELDS:
        if field in problem:
            return (*entity, field)
    return entity


def _in_order(faults: list[str]) -> list[str]:
    """By line, each once."""

    def line(fault: str) -> int:
        number = re.search(r":(\d+): ", fault)
        return int(number[1]) if number else 0

    return sorted(dict.fromkeys(faults), key=line)
