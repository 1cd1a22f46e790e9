"""Domain values as JSON and back: commands on the log, values in JSONB columns."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from services.routing.domain import commands, orders
from services.routing.domain.commands import Command

V = TypeVar("V")
_SCALARS = frozenset({str, int, bool})

COMMANDS: Mapping[str, type[Command]] = {
    kind.__name__: kind
    for kind in (
        commands.TimePassed,
        commands.PutDirectory,
        commands.PutAgent,
        commands.RemoveAgent,
        commands.SetPresence,
        commands.EndLease,
        commands.Enqueue,
        commands.Reclassify,
        commands.KnowCustomer,
        commands.CustomerWrote,
        commands.HandOff,
        commands.RecordReply,
        commands.RecordStatus,
        commands.Close,
        commands.AcceptOffer,
        commands.DeclineOffer,
        commands.Release,
        commands.Transfer,
        commands.Adopt,
        orders.Move,
        orders.Escalate,
        orders.Pin,
        orders.Boost,
        orders.PassOn,
        orders.CallBack,
        orders.Drain,
        orders.CloseQueue,
        orders.PutShadow,
    )
}


class UnknownCommand(Exception):
    """The log has a command that this build cannot read; the text names it and the fault."""


def plain(value: object) -> Any:
    """A domain value as JSON values; derived fields (`init=False`) are left out."""
    names = _names(type(value))
    if names is not None:
        # A named tuple is read as a whole: every step writes several of them.
        parts = value if isinstance(value, tuple) else [getattr(value, name) for name in names]
        return {name: v if type(v) in _SCALARS else plain(v) for name, v in zip(names, parts, strict=True)}
    if isinstance(value, tuple):
        return [v if type(v) in _SCALARS else plain(v) for v in value]
    if isinstance(value, frozenset):
        return sorted(value)
    return value


def value_of(kind: type[V], data: Any) -> V:
    """The domain value of `plain`. Raises pydantic's ValidationError."""
    return _adapter(kind).validate_python(data)


def encode(command: Command) -> tuple[str, str]:
    """(name, arguments) of a command for the log."""
    arguments = plain(command)
    del arguments["command_id"]
    return type(command).__name__, json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))


def decode(command_id: str, name: str, arguments: str) -> Command:
    """The command of `encode`. Raises UnknownCommand."""
    kind = COMMANDS.get(name)
    if kind is None:
        raise UnknownCommand(f"no command is called {name!r}")
    try:
        return value_of(kind, {**json.loads(arguments), "command_id": command_id})
    except (ValueError, ValidationError) as error:
        raise UnknownCommand(f"{name} {command_id} cannot be read: {error}") from error


_NAMES: dict[type, tuple[str, ...] | None] = {}
_ADAPTERS: dict[type, TypeAdapter[Any]] = {}


def _names(kind: type) -> tuple[str, ...] | None:
    if kind not in _NAMES:
        if is_dataclass(kind):
            _NAMES[kind] = tuple(f.name for f in fields(kind) if f.init)
        else:
            _NAMES[kind] = getattr(kind, "_fields", None)
    return _NAMES[kind]


def _adapter(kind: type[V]) -> TypeAdapter[V]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
