"""Revisions: what is due becomes a row of the feed and an event, in the same transaction."""

from collections.abc import Iterator
from dataclasses import replace

from google.protobuf.message import Message

from libs.storage import Want
from libs.streams import Due
from libs.telemetry import metrics
from services.analytics.adapters import records, values
from services.analytics.context import PUBLISH, AnalyticsContext, with_open_episode
from services.analytics.domain.outcome import (
    Outcome,
    awaits_routing,
    ended_episodes,
    final_at,
    outcome_of,
    survey_delivered,
)
from services.analytics.domain.revisions import revision_cause


def wanted(due: Due, ctx: AnalyticsContext) -> list[Want]:
    """The conversation and, locked until the commit, the counter of the feed."""
    return [ctx.conversations.want(due.key), ctx.counter.want(values.FEED)]


def wanted_episodes(due: Due, ctx: AnalyticsContext) -> list[Want]:
    """The rows of its ended episodes."""
    row = ctx.conversations.get(due.key)
    return [ctx.episodes.want((due.key, episode)) for episode in ended_episodes(row.facts)] if row else []


def publish(due: Due, ctx: AnalyticsContext) -> list[Message]:
    """Publishes what differs from the newest revision, and sets the timer for what is awaited later.

    The timer's payload counts how often a first outcome was put off.
    """
    row = ctx.conversations.get(due.key)
    if row is None:
        return []
    waited = int.from_bytes(due.payload, "big")
    events: list[Message] = []
    awaited: list[int] = []
    ended = ended_episodes(row.facts)
    all_final = bool(ended)
    put_off = False
    for episode in ended:
        if _put_off(ctx, row, episode, waited):
            put_off, all_final = True, False
            continue
        events += _revise(ctx, row, episode, due.now_ms)
        row = replace(row, published=max(row.published, episode))
        final_at_ms = final_at(row.facts, episode, ctx.settings.reopen_window_ms)
        if final_at_ms is None or final_at_ms > due.now_ms:
            all_final = False
            awaited += [] if final_at_ms is None else [final_at_ms]
    if put_off:
        awaited.append(due.now_ms + ctx.settings.settle_ms)
    next_ms = min(awaited, default=0)
    if next_ms:
        payload = (waited + 1).to_bytes(2, "big") if put_off else b""
        ctx.uow.set_timer(PUBLISH, due.key, next_ms, payload)
    row = with_open_episode(replace(row, due_at_ms=next_ms))
    idle = all_final and not row.open_since_ms
    ctx.conversations.put(replace(row, idle_from_ms=due.now_ms if idle else 0))
    if events:
        ctx.uow.after_commit(lambda: ctx.feed_bell.notify(values.FEED))
    return events


def _put_off(ctx: AnalyticsContext, row: values.Conversation, episode: int, waited: int) -> bool:
    """Whether the first outcome of an episode is worth a little more patience; it has its revisions anyway."""
    return (
        waited < ctx.settings.settle_patience
        and ctx.episodes.get((row.conversation_id, episode)) is None
        and awaits_routing(row.facts, episode)
    )


def _revise(ctx: AnalyticsContext, row: values.Conversation, episode: int, now_ms: int) -> Iterator[Message]:
    outcome = outcome_of(row.conversation_id, row.facts, episode, now_ms, ctx.settings.reopen_window_ms)
    delivered = survey_delivered(row.facts, episode)
    before = ctx.episodes.get((row.conversation_id, episode))
    cause = revision_cause(before.outcome if before else None, outcome)
    if cause is None:
        if before is not None and before.survey_delivered != delivered:
            ctx.episodes.put(replace(before, survey_delivered=delivered))
        return
    yield _publish(ctx, before, outcome, delivered, cause, now_ms)


def without_customer(key: tuple[str, int], ctx: AnalyticsContext) -> Message | None:
    """The next revision of an outcome, which knows its customer no more; its row and the counter are loaded."""
    before = ctx.episodes.get(key)
    if before is None or not before.outcome.customer_id:
        return None
    outcome = replace(before.outcome, customer_id="")
    ctx.uow.after_commit(lambda: ctx.feed_bell.notify(values.FEED))
    return _publish(ctx, before, outcome, before.survey_delivered, "erased", ctx.uow.now_ms)


def _publish(
    ctx: AnalyticsContext,
    before: values.Episode | None,
    outcome: Outcome,
    delivered: bool,
    cause: str,
    now_ms: int,
) -> Message:
    revision = before.revision + 1 if before else 1
    ctx.episodes.put(
        values.Episode(outcome.conversation_id, outcome.episode, revision, now_ms, delivered, outcome)
    )
    counter = ctx.counter.get(values.FEED) or values.FeedCounter(values.FEED, 0)
    counter = replace(counter, position=counter.position + 1)
    ctx.counter.put(counter)
    record = records.record_of(outcome, revision, cause, now_ms)
    ctx.feed.put(
        values.FeedEntry(counter.position, outcome.conversation_id, outcome.episode, revision, now_ms, record)
    )
    kind = "first" if revision == 1 else "revision"
    ctx.uow.after_commit(lambda: metrics.outcomes.labels(kind).inc())
    return records.event_of(outcome, revision, cause, now_ms)
