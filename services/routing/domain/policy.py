"""The second policy of a pool, as it is kept."""

from __future__ import annotations

from dataclasses import dataclass

from services.routing.domain.directory import Directory


@dataclass(frozen=True, slots=True)
class ShadowPolicy:
    """`directory` None = it has ended."""

    name: str
    since_ms: int
    by: str
    directory: Directory | None
