"""An erasure as it was ordered, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """Who ordered that a person is forgotten, when and why, and what came of it. It names nobody: ids alone."""

    request_id: str
    customer_ids: tuple[str, ...]
    actor: str
    reason: str
    requested_at_ms: int
    reports: Mapping[str, Mapping[str, int]]
    """Rows deleted or blanked, by service and table."""
    done_at_ms: int
    """When all reports were in; 0 before."""
