"""The agent service, put together."""

from functools import partial

from libs.contracts import (
    ConversationCorrected,
    ConversationResolved,
    EpisodeOpened,
    HandoffRequested,
    NoteAdded,
    ReplySent,
    StatusChanged,
    TransferRequested,
)
from libs.runtime import Platform, Service, ServiceDefinition
from libs.streams import Subscriber
from services.agent.adapters.ways import PeerWays
from services.agent.adapters.wording import read_notices
from services.agent.api.acting import acting
from services.agent.api.correcting import correcting
from services.agent.api.reading import reading
from services.agent.api.sessions import sessions
from services.agent.context import context
from services.agent.handlers import stream
from services.agent.operations import forget_old_keys
from services.agent.settings import AgentSettings


def build(platform: Platform, settings: AgentSettings) -> Service:
    """Routes, the consumer group, and the worker that forgets old idempotency keys."""
    database, ways = platform.database, PeerWays(platform.peers)
    notices = read_notices(settings.notices_file, settings.default_language, settings.notices_most)

    return Service(
        routers=[
            sessions(database, platform.tokens, settings.session_hours),
            reading(database, ways),
            acting(database, ways),
            correcting(database),
        ],
        subscribers=[Subscriber(stream, partial(context, notices=notices))],
        tasks=[lambda stop: forget_old_keys(database, settings.key_hours, stop)],
    )


definition = ServiceDefinition(
    name="agent",
    title="Agent",
    purpose="Conversations, their episodes and status, and what people write and decide in them",
    settings=AgentSettings,
    build=build,
    migrations="services.agent.migrations",
    streams=(stream,),
    emits=(
        EpisodeOpened,
        StatusChanged,
        ReplySent,
        NoteAdded,
        ConversationCorrected,
        TransferRequested,
        HandoffRequested,
        ConversationResolved,
    ),
)
