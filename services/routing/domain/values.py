"""Frozen values that cost little: `quick` beside `@dataclass(frozen=True, slots=True)`, and `changed` to alter a copy.

A frozen `__init__` sets each field by a call of its own; a decision makes a dozen values of up to thirty fields. Here
the fields are set while the object is of an open twin class with the same slots, by plain assignment, which the
interpreter does several times faster; then it becomes the frozen value. Nobody else ever sees the twin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, TypeVar

V = TypeVar("V")

if TYPE_CHECKING:
    from dataclasses import replace as changed
else:
    _COPIES: dict[type, Callable[[Any], Any]] = {}

    def changed(value: V, /, **changes: Any) -> V:
        """`dataclasses.replace` for a slotted frozen value of this package. No `__post_init__` runs."""
        kind = type(value)
        copy = _COPIES.get(kind)
        if copy is None:
            copy = _COPIES[kind] = _copier(kind, _twin(kind))
        made = copy(value)
        for name, field in changes.items():
            setattr(made, name, field)
        made.__class__ = kind
        return made


def quick(kind: type[V]) -> type[V]:
    """Give a slotted frozen dataclass the faster `__init__`: same parameters, same defaults, no factories."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # every V here is a dataclass
    defaults = {
        f"_default_{field.name}": field.default
        for field in fields(kind)  # type: ignore[arg-type]  # every V here is a dataclass
        if field.default is not MISSING
    }
    shown = [f"{n}=_default_{n}" if f"_default_{n}" in defaults else n for n in names]
    source = [
        f"def __init__({', '.join(['self', *shown])}):",
        "    _become(self, '__class__', _twin)",
        *(f"    self.{name} = {name}" for name in names),
        "    self.__class__ = _kind",
    ]
    scope = {"_become": object.__setattr__, "_twin": _twin(kind), "_kind": kind, **defaults}
    setattr(kind, "__init__", _compiled("__init__", source, scope))  # noqa: B010  # mypy forbids to assign it
    return kind


def _twin(kind: type) -> type:
    """A class with the layout of `kind` that lets its fields be assigned."""
    inside = {"__slots__": kind.__dict__["__slots__"], "__setattr__": object.__setattr__}
    return type(kind.__name__, kind.__bases__, inside)


def _copier(kind: type, twin: type) -> Any:
    source = ["def copy(value):", "    made = new(twin)"]
    source += [f"    made.{field.name} = value.{field.name}" for field in fields(kind)]
    return _compiled("copy", [*source, "    return made"], {"new": object.__new__, "twin": twin})


def _compiled(name: str, source: list[str], scope: dict[str, Any]) -> Any:
    exec("\n".join(source), scope)  # from the names of fields, as dataclasses itself does it
    return scope[name]


__all__ = ["changed", "quick"]
