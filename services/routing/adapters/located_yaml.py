"""YAML whose faults are told with file, line and reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)
Place = tuple[str | int, ...]
_MOST_NODES = 500_000


class BadFile(Exception):
    """A file that cannot be used; one sentence a fault, each with file and line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Located:
    """The values of a file, and the line on which each of them stands."""

    path: Path
    data: Any
    lines: dict[Place, int]

    def line(self, place: Place) -> int:
        """The line of a value, or of the nearest thing around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def fault(self, place: Place, why: str) -> str:
        """The fault as a sentence: file:line: where: why."""
        where = ".".join(str(part) for part in place)
        return f"{self.path}:{self.line(place)}: {where + ': ' if where else ''}{why}"

    def parse(self, model: type[M]) -> M:
        """The values as a model. Raises BadFile with every fault."""
        if not isinstance(self.data, dict):
            raise BadFile([self.fault((), f"expected names with values, got {_name(self.data)}")])
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            faults = [self.fault(tuple(e["loc"]), _why(e)) for e in error.errors(include_url=False)]
            raise BadFile(faults) from error


def read(path: Path) -> Located:
    """The file's values. Raises BadFile for a file that is not there, not text, or not YAML, and for a name twice."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadFile([f"{path}: there is no such file"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile([f"{path}: cannot be read as UTF-8 text: {error}"]) from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadFile([f"{path}:{line}: not YAML: {error.problem}"]) from None
    except yaml.YAMLError as error:
        raise BadFile([f"{path}:1: not YAML: {error}"]) from None
    lines: dict[Place, int] = {}
    faults: list[str] = []
    if node is not None:
        _walk(node, (), lines, faults, path)
    if faults:
        raise BadFile(faults)
    try:
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadFile([f"{path}:{line}: {error.problem}"]) from None
    except (ValueError, yaml.YAMLError) as error:
        raise BadFile([f"{path}:1: {error}"]) from None
    return Located(path, data, lines)


def _walk(node: yaml.Node, place: Place, lines: dict[Place, int], faults: list[str], path: Path) -> None:
    lines[place] = node.start_mark.line + 1
    if len(lines) > _MOST_NODES:
        raise BadFile([f"{path}: more than {_MOST_NODES:,} values"])
    if isinstance(node, yaml.MappingNode):
        seen: dict[Any, int] = {}
        for key, value in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name in seen and name != "<<":
                faults.append(f"{path}:{line}: {name!r} is there twice, first on line {seen[name]}")
            seen[name] = line
            _walk(value, (*place, name), lines, faults, path)
            lines[(*place, name)] = line
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _walk(value, (*place, number), lines, faults, path)


def _why(error: Any) -> str:
    text = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        return "is missing"
    if error["type"] == "extra_forbidden":
        return "is not a known name"
    seen = error.get("input")
    if isinstance(seen, str | int | float | bool) or seen is None:
        return f"{text[0].lower()}{text[1:]}, got {seen!r}"
    return f"{text[0].lower()}{text[1:]}"


def _name(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
