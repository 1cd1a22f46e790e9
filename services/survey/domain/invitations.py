"""The life of an invitation: scheduled, then requested or cancelled; requested, then answered or expired.

A late answer, after the window, is kept with the invitation and leaves its state as it is.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from services.survey.domain.policy import EXCLUDED, Policy

REOPENED: Final = "reopened"
CAPPED: Final = "capped"
ERASED: Final = "erased"
"""Who would be asked was forgotten."""


class State(StrEnum):
    """Where an invitation stands."""

    SCHEDULED = "scheduled"
    REQUESTED = "requested"
    ANSWERED = "answered"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Invitation:
    """One for each episode. Times in Unix milliseconds, 0 for not yet."""

    invitation_id: str
    conversation_id: str
    episode: int
    customer_id: str
    channel: str
    language: str
    """One that the definition has texts for."""
    definition: str
    state: State
    resolve_reason: str
    """Why the episode was resolved; empty while the resolution has not come."""
    resolved_at_ms: int
    due_at_ms: int
    requested_at_ms: int = 0
    expires_at_ms: int = 0
    cancelled_at_ms: int = 0
    cancel_reason: str = ""
    score: int = 0
    comment: str = ""
    revision: int = 0
    """Answers so far; 0 for none."""
    answered_at_ms: int = 0
    answer_language: str = ""
    late: bool = False
    """Whether the answer came after the window: it counts in no figure and cannot be changed."""

    def open_at(self, now_ms: int) -> bool:
        """Whether an answer can be given or changed within the window."""
        return self.state in (State.REQUESTED, State.ANSWERED) and now_ms < self.expires_at_ms

    def open_late_at(self, now_ms: int, late_ms: int) -> bool:
        """Whether the window has ended without an answer, and so lately that the first one is still taken."""
        unanswered = self.state in (State.REQUESTED, State.EXPIRED)
        return unanswered and self.expires_at_ms <= now_ms < self.expires_at_ms + late_ms


@dataclass(frozen=True, slots=True)
class Postponed:
    """Not now, in the quiet hours: look again then."""

    until_ms: int


def cancel(invitation: Invitation, reason: str, at_ms: int) -> Invitation:
    """The invitation, never to be sent."""
    return replace(invitation, state=State.CANCELLED, cancel_reason=reason, cancelled_at_ms=at_ms)


def reopen(invitation: Invitation, at_ms: int) -> Invitation | None:
    """The conversation went on: what was not sent is cancelled; None when there is nothing to cancel."""
    return cancel(invitation, REOPENED, at_ms) if invitation.state is State.SCHEDULED else None


def send(
    invitation: Invitation, policy: Policy, last_requested_at_ms: int, now_ms: int
) -> Invitation | Postponed | None:
    """What comes of an invitation that is due: requested, cancelled, put off, or None when it is settled already.

    `last_requested_at_ms` is when this customer was last asked, 0 for never; the caller holds their row.
    """
    if invitation.state is not State.SCHEDULED:
        return None
    if not invitation.customer_id:
        return cancel(invitation, ERASED, now_ms)
    if invitation.resolve_reason in EXCLUDED:
        return cancel(invitation, invitation.resolve_reason, now_ms)
    if policy.quiet is not None and (until := policy.quiet.next_ms(now_ms)) > now_ms:
        return Postponed(until)
    if policy.capped(last_requested_at_ms, now_ms):
        return cancel(invitation, CAPPED, now_ms)
    return replace(
        invitation,
        state=State.REQUESTED,
        requested_at_ms=now_ms,
        expires_at_ms=now_ms + policy.window_ms,
    )


def expire(invitation: Invitation) -> Invitation | None:
    """The window has ended; None when an answer came or nothing was asked."""
    return replace(invitation, state=State.EXPIRED) if invitation.state is State.REQUESTED else None


def answer(invitation: Invitation, score: int, comment: str, language: str, now_ms: int) -> Invitation | None:
    """The invitation with this answer: the same object when it says nothing new, else the next revision.

    None for an answer that would change a late one. The caller has asked `open_at` or `open_late_at`. `score` is on
    the definition's scale.
    """
    if invitation.revision and (invitation.score, invitation.comment) == (score, comment):
        return invitation
    if invitation.late:
        return None
    late = now_ms >= invitation.expires_at_ms
    return replace(
        invitation,
        state=invitation.state if late else State.ANSWERED,
        late=late,
        score=score,
        comment=comment,
        revision=invitation.revision + 1,
        answered_at_ms=now_ms,
        answer_language=language,
    )
