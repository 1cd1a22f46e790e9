"""Answers to commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.routing.domain.model import Result
from services.routing.domain.state import Pool

SLUGS = {
    "ok": "done",
    "not-found": "there is no such thing in this pool",
    "not-yours": "the offer was made to somebody else",
    "not-assigned": "the conversation is not assigned to the caller",
    "offer-gone": "the offer is over; the body says how it ended",
    "wrong-state": "the conversation cannot do that now; the body says what it is",
    "agent-unavailable": "the agent cannot take it now; the body says why",
    "invalid-directory": "the directory is not usable; the body lists every problem",
    "invalid-agent": "the agent's entry is not usable; the body lists every problem",
    "stale-version": "it changed since it was read",
    "invalid-boost": "the boost is not usable; the body says why",
    "queue-closed": "the queue is closed: nothing new comes into it",
    "no-call-back": "the queue calls nobody back",
    "too-many-hops": "the conversation was handed over too often, and its queue escalates to nobody",
}
"""Every slug a result can carry, with its meaning. Stable: callers match on them."""


def done(pool: Pool, command_id: str, body: Mapping[str, Any]) -> Result:
    return Result(command_id, True, "ok", body, pool.at_ms)


def refused(pool: Pool, command_id: str, slug: str, body: Mapping[str, Any]) -> Result:
    return Result(command_id, False, slug, body, pool.at_ms)
