"""Invitations and answers: `survey.responses.v1`."""

from libs.contracts import SurveyAnswered, SurveyCancelled, SurveyExpired, SurveyRequested
from libs.storage import Want
from libs.streams import Received
from services.analytics.context import AnalyticsContext
from services.analytics.domain import learning
from services.analytics.handlers.declaration import Emitted, episode_of, row, stream


def _row_and_episode(event: SurveyRequested, ctx: AnalyticsContext) -> list[Want]:
    return [*row(event, ctx), ctx.episodes.want((event.conversation_id, event.episode))]


@stream.on(SurveyRequested, load=_row_and_episode)
async def note_invitation(received: Received[SurveyRequested], ctx: AnalyticsContext) -> Emitted:
    e, episode = received.event, episode_of(received.event)
    ctx.learn(
        e.conversation_id,
        lambda f: learning.survey_requested(f, episode, e.invitation_id, e.requested_at_ms, e.expires_at_ms),
        published=False,
    )
    ctx.survey_went_out(e.conversation_id, episode)
    return ()


@stream.on(SurveyAnswered, load=row)
async def note_answer(received: Received[SurveyAnswered], ctx: AnalyticsContext) -> Emitted:
    e, episode = received.event, episode_of(received.event)
    ctx.learn(
        e.conversation_id,
        lambda f: learning.survey_answered(f, episode, e.score, e.revision, e.answered_at_ms),
        episode=episode,
    )
    return ()


@stream.on(SurveyExpired, load=row)
async def note_silence(received: Received[SurveyExpired], ctx: AnalyticsContext) -> Emitted:
    e, episode = received.event, episode_of(received.event)
    ctx.learn(e.conversation_id, lambda f: learning.survey_expired(f, episode), episode=episode)
    return ()


@stream.on(SurveyCancelled, load=row)
async def note_no_survey(received: Received[SurveyCancelled], ctx: AnalyticsContext) -> Emitted:
    e, episode = received.event, episode_of(received.event)
    ctx.learn(e.conversation_id, lambda f: learning.survey_cancelled(f, episode, e.reason), episode=episode)
    return ()
