"""A recording: what a pool was, the commands it was given, the decisions it made. JSON lines, `docs/routing.md`.

The first line has the pool (`snapshot`), each other line a `command` or a `decision`. Decisions stand after the command
that they belong to; a recording without decisions can be replayed too, there is only nothing to compare.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.routing.adapters.codec import UnknownCommand, decode, encode, plain, value_of
from services.routing.adapters.located_yaml import BadFile
from services.routing.domain.calendars import NoOpenTime
from services.routing.domain.commands import Command
from services.routing.domain.engine import Engine
from services.routing.domain.rebuilding import Rows

_MOST_LINE = 50_000_000


@dataclass(frozen=True, slots=True)
class Given:
    """A command as the pool was given it."""

    at_ms: int
    command: Command


@dataclass(frozen=True, slots=True)
class Recording:
    snapshot: Rows
    given: tuple[Given, ...]
    decisions: tuple[str, ...] | None
    """As `canonical` text, in order; None when there are none in the file."""


def canonical(record: Any) -> str:
    """The one text of a record."""
    return json.dumps(record, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def lines(snapshot: Rows, given: Iterable[Given], decisions: Iterable[Any]) -> Iterator[str]:
    """The lines of a recording, without line ends."""
    yield canonical({"snapshot": plain(snapshot)})
    for one in given:
        name, arguments = encode(one.command)
        told = {"at_ms": one.at_ms, "id": one.command.command_id, "name": name}
        yield canonical({"command": {**told, "arguments": json.loads(arguments)}})
    for record in decisions:
        yield canonical({"decision": record})


def read(path: Path) -> Recording:
    """The recording of a file. Raises BadFile with file, line and reason."""
    snapshot: Rows | None = None
    given: list[Given] = []
    decisions: list[str] = []
    for number, line in _lines(path):
        try:
            one = json.loads(line)
            [(kind, value)] = one.items()
            if kind == "snapshot" and snapshot is None and not given:
                snapshot = value_of(Rows, value)
                Engine.restore(snapshot)
            elif kind == "command" and snapshot is not None:
                given.append(_given(value))
            elif kind == "decision" and snapshot is not None:
                decisions.append(canonical(value))
            else:
                why = "the first line has the snapshot, each other line a command or a decision"
                raise BadFile([f"{path}:{number}: {why}; got {kind!r}"])
        except (UnknownCommand, ValidationError, NoOpenTime) as error:
            raise BadFile([f"{path}:{number}: {error}"]) from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadFile([f"{path}:{number}: not a line of a recording: {error}"]) from None
    if snapshot is None:
        raise BadFile([f"{path}:1: empty: the first line has the snapshot"])
    return Recording(snapshot, tuple(given), tuple(decisions) or None)


def _given(value: Any) -> Given:
    at_ms = value["at_ms"]
    if not isinstance(at_ms, int) or isinstance(at_ms, bool) or at_ms < 0:
        raise ValueError(f"at_ms: expected milliseconds since the epoch, got {at_ms!r}")
    arguments = json.dumps(value["arguments"], ensure_ascii=False)
    return Given(at_ms, decode(str(value["id"]), str(value["name"]), arguments))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if len(line) > _MOST_LINE:
                    raise BadFile([f"{path}:{number}: the line is longer than {_MOST_LINE:,} characters"])
                if line.strip():
                    yield number, line
    except FileNotFoundError:
        raise BadFile([f"{path}: there is no such file"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile([f"{path}: cannot be read as UTF-8 text: {error}"]) from None
