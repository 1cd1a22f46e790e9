"""When an outcome is published again, and why."""

from __future__ import annotations

from services.analytics.domain.outcome import Outcome


def revision_cause(before: Outcome | None, now: Outcome) -> str | None:
    """What makes the next revision; None when the content is as published, or was final: only an erasure changes that.

    `before` is the newest published outcome of the episode. Where several things changed at once, the first of
    answered, expired, cancelled, reopened, final is named; anything else is `corrected`: a late fact.
    """
    if before is None:
        return "resolved"
    if before.customer_id and not now.customer_id:
        return "erased"
    if before.final or before == now:
        return None
    if now.survey != before.survey or now.csat_score != before.csat_score:
        return now.survey if now.survey != "pending" else "corrected"
    if now.reopened and not before.reopened:
        return "reopened"
    return "final" if now.final else "corrected"
