"""What would change: two configurations, compared entity by entity and field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.routing.config.shapes import Configuration
from services.routing.config.writing import document_of

_SINGULAR = {
    "pools": "pool",
    "skills": "skill",
    "teams": "team",
    "calendars": "calendar",
    "queues": "queue",
    "capacities": "capacity",
    "agents": "agent",
}
NOTHING = "(default)"


@dataclass(frozen=True, slots=True)
class Difference:
    """`kind` is added, removed or changed; of a changed entity one field, with what it was and becomes."""

    kind: str
    entity: str
    field: str = ""
    was: str = ""
    becomes: str = ""

    def __str__(self) -> str:
        if self.kind == "changed":
            return f"~ {self.entity}: {self.field}: {self.was} -> {self.becomes}"
        return f"{'+' if self.kind == 'added' else '-'} {self.entity}"


def differences(now: Configuration, wanted: Configuration) -> list[Difference]:
    """What `now` must change to be `wanted`; empty when they are the same."""
    old, new = _written_out(now), _written_out(wanted)
    found: list[Difference] = []
    for section, singular in _SINGULAR.items():
        if section == "agents" and wanted.agents is None:
            continue
        found += _of_section(singular, _by_id(old.get(section)), _by_id(new.get(section)))
        if section == "queues":
            found += _of_order(section, old[section], new[section])
    if old["filters"] != new["filters"]:
        found += _of_filters(old["filters"], new["filters"])
    return found


def _written_out(configuration: Configuration) -> dict[str, Any]:
    """The document with every queue's promise in the queue: who makes it first is nobody's difference."""
    document = document_of(configuration)
    promises = {p["id"]: {k: v for k, v in p.items() if k != "id"} for p in document.pop("sla_policies", [])}
    for queue in document["queues"]:
        queue["sla"] = promises[queue["sla"]]
    return document


def _by_id(rows: list[dict[str, Any]] | None) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in rows or []}


def _of_section(
    singular: str, old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]
) -> Iterator[Difference]:
    for one in (*old, *(i for i in new if i not in old)):
        entity = f"{singular} {one}"
        if one not in new:
            yield Difference("removed", entity)
        elif one not in old:
            yield Difference("added", entity)
        else:
            for field in (*old[one], *(f for f in new[one] if f not in old[one])):
                was, becomes = old[one].get(field), new[one].get(field)
                if was != becomes:
                    yield Difference("changed", entity, field, _shown(was), _shown(becomes))


def _of_order(section: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[Difference]:
    """The order counts: a team's first queue takes what is transferred to the team."""
    was, becomes = [row["id"] for row in old], [row["id"] for row in new]
    if was != becomes and sorted(was) == sorted(becomes):
        yield Difference("changed", section, "order", ", ".join(was), ", ".join(becomes))


def _of_filters(old: list[Any], new: list[Any]) -> Iterator[Difference]:
    """Filters have no names: the first that matches counts, so their number is what they are called."""
    for number in range(max(len(old), len(new))):
        was = old[number] if number < len(old) else None
        becomes = new[number] if number < len(new) else None
        entity = f"filter {number + 1}"
        if was is None:
            yield Difference("added", f"{entity}: {_shown(becomes)}")
        elif becomes is None:
            yield Difference("removed", f"{entity}: {_shown(was)}")
        elif was != becomes:
            yield Difference("changed", entity, "all of it", _shown(was), _shown(becomes))


def _shown(value: Any) -> str:
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
