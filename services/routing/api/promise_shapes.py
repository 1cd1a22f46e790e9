"""The promises of a queue and the calendars they are counted in, as people write them."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from services.routing.adapters.public_holidays import check_region, public_holidays
from services.routing.api.shapes import Body, Id, Text
from services.routing.domain.calendars import ALWAYS, Calendar, Hours
from services.routing.domain.sla_policy import BREACH_REROUTES, MOST_PERCENT, Action, LadderStep, SlaPolicy

_YEAR_MS = 366 * 86_400_000
_Target = Annotated[int, Field(gt=0, le=_YEAR_MS)]
_OptionalTarget = Annotated[_Target | None, Field(description="Open time; left out = no such promise")]
_Minute = Field(ge=0, le=48 * 60)
_Region = Annotated[str, Field(max_length=20), AfterValidator(check_region)]


class LadderStepShape(Body):
    """What is done, once for each clock, at a percentage of its target or at an offset from its due instant."""

    action: Action
    percent: int = Field(default=0, ge=0, le=MOST_PERCENT)
    offset_ms: int = Field(default=0, ge=-_YEAR_MS, le=_YEAR_MS)
    metrics: list[Id] = Field(default=[], max_length=6)
    boost_ms: int = Field(default=0, ge=0, le=_YEAR_MS)
    person: Id | None = None
    around_the_clock: bool = False


class SlaShape(Body):
    """Targets in open time of the calendar. Without `ladder` a breach looks for somebody else."""

    first_response_ms: _OptionalTarget = None
    next_response_ms: _OptionalTarget = None
    update_ms: _OptionalTarget = None
    resolution_ms: _OptionalTarget = None
    agent_work_ms: _OptionalTarget = None
    total_resolution_ms: _OptionalTarget = None
    calendar: Id = ALWAYS.calendar_id
    by_urgency: dict[Id, dict[Id, _Target]] = Field(default={})
    update_in_pending: bool = False
    automatic_counts: bool = False
    warn_percent: int = Field(default=75, ge=1, le=100)
    ladder: list[LadderStepShape] | None = Field(default=None, max_length=20)


class HoursShape(Body):
    """Minutes after local midnight; the end may lie in the next day. `weekday` 0 is Monday, and says nothing in specials."""

    weekday: int = Field(default=0, ge=0, le=6)
    start_minute: int = _Minute
    end_minute: int = _Minute


class CalendarShape(Body):
    """Opening hours in local time. `specials` are days with hours of their own, none = closed; they win over the rest."""

    id: Id
    zone: Text = "UTC"
    weekly: list[HoursShape] = Field(default=[], max_length=200)
    holidays: list[Id] = Field(default=[], max_length=2000)
    specials: dict[Id, list[HoursShape]] = Field(default={})
    regions: list[_Region] = Field(default=[], max_length=20)
    """Whose public holidays are closed days too, such as DE or DE-BY; looked up when the directory is edited."""


def sla_of(shape: SlaShape) -> SlaPolicy:
    """The domain's policy."""
    return SlaPolicy(
        first_response_ms=shape.first_response_ms or 0,
        resolution_ms=shape.resolution_ms or 0,
        calendar_id=shape.calendar,
        next_response_ms=shape.next_response_ms or 0,
        update_ms=shape.update_ms or 0,
        agent_work_ms=shape.agent_work_ms or 0,
        total_resolution_ms=shape.total_resolution_ms or 0,
        by_urgency=tuple(sorted((u, tuple(sorted(own.items()))) for u, own in shape.by_urgency.items())),
        update_in_pending=shape.update_in_pending,
        automatic_counts=shape.automatic_counts,
        warn_percent=shape.warn_percent,
        ladder=BREACH_REROUTES if shape.ladder is None else tuple(_step_of(s) for s in shape.ladder),
    )


def sla_facts(policy: SlaPolicy) -> dict[str, Any]:
    """The members of SlaShape."""
    return {
        "first_response_ms": policy.first_response_ms or None,
        "next_response_ms": policy.next_response_ms or None,
        "update_ms": policy.update_ms or None,
        "resolution_ms": policy.resolution_ms or None,
        "agent_work_ms": policy.agent_work_ms or None,
        "total_resolution_ms": policy.total_resolution_ms or None,
        "calendar": policy.calendar_id,
        "by_urgency": {urgency: dict(own) for urgency, own in policy.by_urgency},
        "update_in_pending": policy.update_in_pending,
        "automatic_counts": policy.automatic_counts,
        "warn_percent": policy.warn_percent,
        "ladder": None
        if policy.ladder == BREACH_REROUTES
        else [
            {
                "action": s.action,
                "percent": s.percent,
                "offset_ms": s.offset_ms,
                "metrics": list(s.metrics),
                "boost_ms": s.boost_ms,
                "person": s.person or None,
                "around_the_clock": s.around_the_clock,
            }
            for s in policy.ladder
        ],
    }


def calendar_of(shape: CalendarShape) -> Calendar:
    """The domain's calendar, with the public holidays of its regions as they are known now."""
    specials = tuple(sorted((day, _hours_of(found)) for day, found in shape.specials.items()))
    public = frozenset[str]().union(*(public_holidays(region) for region in shape.regions))
    regions = tuple(sorted(set(shape.regions)))
    return Calendar(
        shape.id, shape.zone, _hours_of(shape.weekly), frozenset(shape.holidays), specials, regions, public
    )


def calendar_facts(calendar: Calendar) -> dict[str, Any]:
    """The members of CalendarShape."""
    return {
        "id": calendar.calendar_id,
        "zone": calendar.zone,
        "weekly": [_hours_facts(h) for h in calendar.weekly],
        "holidays": sorted(calendar.holidays),
        "specials": {day: [_hours_facts(h) for h in hours] for day, hours in calendar.specials},
        "regions": list(calendar.regions),
    }


def _step_of(shape: LadderStepShape) -> LadderStep:
    return LadderStep(
        shape.action,
        shape.percent,
        shape.offset_ms,
        tuple(shape.metrics),
        shape.boost_ms,
        shape.person or "",
        shape.around_the_clock,
    )


def _hours_of(shapes: list[HoursShape]) -> tuple[Hours, ...]:
    return tuple(Hours(h.weekday, h.start_minute, h.end_minute) for h in shapes)


def _hours_facts(h: Hours) -> dict[str, int]:
    return {"weekday": h.weekday, "start_minute": h.start_minute, "end_minute": h.end_minute}
