"""Outcomes whose time has come."""

from libs.contracts import ConversationOutcome
from libs.streams import Due
from services.analytics import publishing
from services.analytics.context import PUBLISH, AnalyticsContext
from services.analytics.handlers.declaration import Emitted, stream


@stream.timer(
    PUBLISH,
    emits=[ConversationOutcome],
    load=[publishing.wanted, publishing.wanted_episodes],
)
async def publish_outcomes(due: Due, ctx: AnalyticsContext) -> Emitted:
    return publishing.publish(due, ctx)
