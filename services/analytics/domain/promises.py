"""What became of each promise: one instance of a clock, as routing tells it.

Attainment = met / (met + breached) over the instances due in a period, the open ones that are past due included as
breached; never over those fulfilled in it, which would hide the backlog.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Promise:
    """One instance. `due_ms` is None while it stands still and when it is not due at all."""

    conversation_id: str
    metric: str
    instance: int
    episode: int = 0
    team_id: str = ""
    queue_id: str = ""
    urgency: str = ""
    due_ms: int | None = None
    state: str = "running"
    """running, met, breached or cancelled."""


def placed(promise: Promise, episode: int, team_id: str, queue_id: str, urgency: str) -> Promise:
    """It counts for where the conversation was when it was last told of, and for its class then."""
    return replace(
        promise,
        episode=episode,
        team_id=team_id or promise.team_id,
        queue_id=queue_id or promise.queue_id,
        urgency=urgency or promise.urgency,
    )


def started(promise: Promise, due_ms: int) -> Promise:
    """It runs, runs on or (0) stands still, after a reopen too; a breach stays."""
    if promise.state == "breached":
        return promise
    return replace(promise, state="running", due_ms=due_ms or None)


def breached(promise: Promise, due_ms: int) -> Promise:
    """The due instant passed."""
    return replace(promise, state="breached", due_ms=due_ms or promise.due_ms)


def met(promise: Promise, due_ms: int, met_at_ms: int, in_time: bool) -> Promise:
    """Fulfilled. An event that names no due instant is judged by the one known before, and kept without one."""
    if not due_ms:
        known = promise.due_ms
        in_time = promise.state != "breached" if known is None else met_at_ms <= known
    return replace(promise, state="met" if in_time else "breached", due_ms=due_ms or promise.due_ms)


def cancelled(promise: Promise) -> Promise:
    """The promise no longer applies; a breach stays."""
    return promise if promise.state == "breached" else replace(promise, state="cancelled")
