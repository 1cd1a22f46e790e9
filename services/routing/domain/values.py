"""`changed(value, field=...)`: `dataclasses.replace` for the slotted frozen values of this package.

Copying the slots costs half of running the frozen `__init__` again, and a decision changes several values of thirty
fields. To the type checker it is `dataclasses.replace`. No `__post_init__` runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

V = TypeVar("V")

if TYPE_CHECKING:
    from dataclasses import replace as changed
else:
    _PLANS: dict[type, tuple[Callable[[Any], tuple[Any, ...]], tuple[Any, ...], dict[str, Any]]] = {}

    def changed(value: V, /, **changes: Any) -> V:
        kind = type(value)
        plan = _PLANS.get(kind)
        if plan is None:
            names = [field.name for field in fields(kind)]
            setters = {name: getattr(kind, name).__set__ for name in names}
            plan = _PLANS[kind] = (attrgetter(*names), tuple(setters.values()), setters)
        read, write, by_name = plan
        copy = object.__new__(kind)
        for set_slot, field in zip(write, read(value), strict=True):
            set_slot(copy, field)
        for name, field in changes.items():
            by_name[name](copy, field)
        return copy


__all__ = ["changed"]
