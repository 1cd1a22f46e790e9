"""The figures as they are shown: each with its n, the clock it is read by and the cohort it speaks of."""

from pydantic import BaseModel, Field

from services.analytics.adapters.figures import Counts, Figures, Key, Spread
from services.analytics.adapters.records import rfc3339
from services.analytics.domain.durations import RELATIVE_ERROR
from services.analytics.domain.intervals import share


class Volume(BaseModel):
    """How many episodes."""

    n: int = Field(description="Resolved in the period")
    opened: int = Field(description="Opened in the period")
    customers: int = Field(description="Different people among those resolved; linked customers are one")
    cohort: str = "resolved in the period; opened in the period beside it"


class Backlog(BaseModel):
    """Not resolved now, so that a fast median of what was resolved can be read beside it."""

    n: int
    unanswered: int = Field(description="Of them without a human reply")
    oldest_opened_at: str | None
    cohort: str = "open now"


class Duration(BaseModel):
    """A time that passed."""

    n: int
    median_ms: int | None
    p90_ms: int | None
    mean_ms: float | None = Field(description="Sum by count")
    sum_ms: int
    method: str = Field(description="`exact`, or `histogram` with the relative error beside it")
    relative_error: float
    clock: str = Field(description="What counts as time")
    cohort: str


class Csat(BaseModel):
    """Satisfaction: the share of 4 and 5 among all answers of a 5-point scale, with its 95 % Wilson interval."""

    n: int = Field(description="Answers")
    hidden: bool = Field(description="n is below the least shown; ask with `min_n`")
    top2: float | None
    low: float | None
    high: float | None
    mean_score: float | None = Field(description="Apart from CSAT, never instead of it")
    cohort: str = "answered in the period"


class Rate(BaseModel):
    """A share with its 95 % Wilson interval."""

    n: int
    part: int
    rate: float | None
    low: float | None
    high: float | None
    cohort: str
    immature: bool = Field(default=False, description="The window of some of them is still open")


class Group(BaseModel):
    """The figures of a team, topic, channel or language, or of all together."""

    key: str
    name: str
    volume: Volume
    backlog: Backlog
    wait: Duration
    first_response: Duration
    resolution: Duration
    csat: Csat
    response_rate: Rate
    sla_first_response: Rate
    sla_resolution: Rate
    reopen: Rate


class Summary(BaseModel):
    """The figures of [from, to). An episode counts for the team that had it last."""

    by: str
    period_from: str = Field(serialization_alias="from")
    period_to: str = Field(serialization_alias="to")
    as_of: str
    min_n: int
    reopen_window_days: float
    groups: list[Group]
    total: Group


def group_of(figures: Figures, key: Key, min_n: int, immature: bool) -> Group:
    """The figures of one group; key None is all together."""
    counts = figures.counted(key)
    name = "all" if key is None else figures.names.get(key, key)
    return Group(
        key=key or "",
        name=name,
        volume=Volume(n=counts.resolved, opened=counts.opened, customers=counts.customers),
        backlog=Backlog(
            n=counts.backlog,
            unanswered=counts.unanswered,
            oldest_opened_at=rfc3339(counts.oldest_ms or 0),
        ),
        wait=_duration(
            figures.wait.get(key),
            "calendar, opening message to first assignment of a person",
            "first assigned in the period",
        ),
        first_response=_duration(
            figures.first_response.get(key),
            "calendar, opening message to first human reply",
            "first replied to in the period; unanswered ones are in the backlog",
        ),
        resolution=_duration(
            figures.resolution.get(key),
            "calendar, opening message to resolution of the episode",
            "resolved in the period",
        ),
        csat=_csat(counts, min_n),
        response_rate=_rate(
            counts.responded,
            counts.delivered,
            "answered of surveys delivered, episodes resolved in the period",
        ),
        sla_first_response=_rate(
            counts.first_response_met,
            counts.first_response_met + counts.first_response_breached,
            "met of met and breached, due in the period",
        ),
        sla_resolution=_rate(
            counts.resolution_met,
            counts.resolution_met + counts.resolution_breached,
            "met of met and breached, due in the period",
        ),
        reopen=_rate(
            counts.reopened,
            counts.resolved,
            "reopened within the window of those resolved in the period",
            immature,
        ),
    )


def _duration(spread: Spread | None, clock: str, cohort: str) -> Duration:
    known = spread or Spread()
    return Duration(
        n=known.n,
        median_ms=known.median_ms,
        p90_ms=known.p90_ms,
        mean_ms=known.sum_ms / known.n if known.n else None,
        sum_ms=known.sum_ms,
        method="exact" if known.exact else "histogram",
        relative_error=0.0 if known.exact else round(RELATIVE_ERROR, 4),
        clock=clock,
        cohort=cohort,
    )


def _csat(counts: Counts, min_n: int) -> Csat:
    if counts.answers < min_n:
        return Csat(
            n=counts.answers, hidden=counts.answers > 0, top2=None, low=None, high=None, mean_score=None
        )
    good = share(counts.good, counts.answers)
    mean = counts.score_sum / counts.answers if counts.answers else None
    return Csat(n=counts.answers, hidden=False, top2=good.rate, low=good.low, high=good.high, mean_score=mean)


def _rate(part: int, n: int, cohort: str, immature: bool = False) -> Rate:
    known = share(part, n)
    return Rate(
        n=n, part=part, rate=known.rate, low=known.low, high=known.high, cohort=cohort, immature=immature
    )
