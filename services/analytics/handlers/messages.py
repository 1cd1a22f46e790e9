"""What customers wrote and what triage made of it: `ingest.messages.v1`, `triage.decisions.v1`."""

from libs.contracts import ConversationTriaged, DeliveryFailed, MessageReceived, Purpose
from libs.streams import Received
from services.analytics.context import AnalyticsContext
from services.analytics.domain import facts, learning
from services.analytics.handlers.declaration import Emitted, row, stream

# ingest.messages.v1


@stream.on(MessageReceived, load=row)
async def note_message(received: Received[MessageReceived], ctx: AnalyticsContext) -> Emitted:
    e = received.event
    counted = not e.automatic and e.purpose != Purpose.PURPOSE_SURVEY_ANSWER
    message = facts.Message(e.message_seq, e.received_at_ms, counted)
    ctx.learn(e.conversation_id, lambda f: learning.message_received(f, message), seq=e.message_seq)
    return ()


@stream.on(DeliveryFailed, load=row)
async def note_bounce(received: Received[DeliveryFailed], ctx: AnalyticsContext) -> Emitted:
    e = received.event
    ctx.learn(e.conversation_id, lambda f: learning.delivery_failed(f, e.source_id))
    return ()


# triage.decisions.v1


@stream.on(ConversationTriaged, load=row)
async def note_signals(received: Received[ConversationTriaged], ctx: AnalyticsContext) -> Emitted:
    e = received.event
    signals = facts.Signals(e.message_seq, e.topic.value, e.urgency, e.anger, e.language.value)
    ctx.learn(e.conversation_id, lambda f: learning.triaged(f, signals), seq=e.message_seq, shows=True)
    return ()
