"""Events to values and values to events."""

from libs.contracts import (
    ConversationResolved,
    EpisodeOpened,
    SurveyAnswered,
    SurveyCancelled,
    SurveyExpired,
    SurveyRequested,
)
from libs.primitives import derived_id
from services.survey.domain.definitions import Definition
from services.survey.domain.invitations import Invitation, State
from services.survey.domain.policy import Policy


def invitation_id(conversation_id: str, episode: int) -> str:
    """The id of the one invitation of an episode."""
    return derived_id("survey invitation", conversation_id, str(episode))


def scheduled(
    event: ConversationResolved, definition: Definition, default_language: str, policy: Policy
) -> Invitation:
    """The invitation of an episode that has ended."""
    return Invitation(
        invitation_id(event.conversation_id, event.episode),
        event.conversation_id,
        event.episode,
        event.customer_id,
        event.channel,
        definition.language_for(event.language, default_language),
        definition.key,
        State.SCHEDULED,
        event.reason,
        event.resolved_at_ms,
        event.resolved_at_ms + policy.delay_ms(event.channel),
    )


def before_reopening(event: EpisodeOpened, definition: Definition, default_language: str) -> Invitation:
    """The invitation of the episode before, when its resolution has not come yet: only to be cancelled."""
    return Invitation(
        invitation_id(event.conversation_id, event.episode - 1),
        event.conversation_id,
        event.episode - 1,
        event.customer_id,
        event.channel,
        definition.language_for(event.language, default_language),
        definition.key,
        State.SCHEDULED,
        "",
        0,
        event.opened_at_ms,
    )


Fate = SurveyRequested | SurveyAnswered | SurveyExpired | SurveyCancelled


def fate_of(invitation: Invitation, definition: Definition, at_ms: int) -> Fate:
    """The event that says in which state the invitation now is."""
    event = _fate(invitation, definition, at_ms)
    event.invitation_id = invitation.invitation_id
    event.conversation_id = invitation.conversation_id
    event.episode = invitation.episode
    return event


def _fate(invitation: Invitation, definition: Definition, at_ms: int) -> Fate:
    match invitation.state:
        case State.REQUESTED:
            return SurveyRequested(
                customer_id=invitation.customer_id,
                channel=invitation.channel,
                language=invitation.language,
                requested_at_ms=invitation.requested_at_ms,
                expires_at_ms=invitation.expires_at_ms,
                text=definition.texts[invitation.language].invitation,
            )
        case State.ANSWERED:
            return SurveyAnswered(
                score=invitation.score,
                scale_max=definition.scale_max,
                comment=invitation.comment,
                revision=invitation.revision,
                answered_at_ms=invitation.answered_at_ms,
                language=invitation.answer_language,
            )
        case State.EXPIRED:
            return SurveyExpired(expired_at_ms=at_ms)
        case State.CANCELLED:
            return SurveyCancelled(
                reason=invitation.cancel_reason, cancelled_at_ms=invitation.cancelled_at_ms
            )
        case State.SCHEDULED:
            raise ValueError("a scheduled invitation has no fate yet")
