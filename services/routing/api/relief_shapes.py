"""What a queue does when it cannot serve, as people write it."""

from pydantic import Field

from services.routing.api.shapes import Body, Id
from services.routing.domain.relief import Relief

_Milliseconds = Field(default=0, ge=0, le=366 * 86_400_000)


class ReliefShape(Body):
    """Queues by id, left out = nowhere; `hours` is a calendar, left out = always."""

    overflow: Id | None = None
    overflow_after_ms: int = _Milliseconds
    overflow_expected_ms: int = _Milliseconds
    hours: Id | None = None
    follow: Id | None = None
    escalates_to: Id | None = None
    escalation_boost_ms: int = _Milliseconds
    call_back: bool = False


def relief_of(shape: ReliefShape) -> Relief:
    """The domain's relief."""
    return Relief(
        shape.overflow or "",
        shape.overflow_after_ms,
        shape.overflow_expected_ms,
        shape.hours or "",
        shape.follow or "",
        shape.escalates_to or "",
        shape.escalation_boost_ms,
        shape.call_back,
    )


def relief_facts(relief: Relief) -> dict[str, str | int | bool | None]:
    """The members of `ReliefShape`."""
    return {
        "overflow": relief.overflow or None,
        "overflow_after_ms": relief.overflow_after_ms,
        "overflow_expected_ms": relief.overflow_expected_ms,
        "hours": relief.hours or None,
        "follow": relief.follow or None,
        "escalates_to": relief.escalates_to or None,
        "escalation_boost_ms": relief.escalation_boost_ms,
        "call_back": relief.call_back,
    }
