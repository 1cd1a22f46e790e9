"""What people correct: topic, tags, a message that was wrongly left aside. A person's word stands above triage's."""

from fastapi import APIRouter, Response

from libs.contracts import ConversationCorrected
from libs.storage import Database
from libs.web import NotFound
from services.agent.adapters.queries import asking
from services.agent.api.bodies import NewTags, NewTopic
from services.agent.api.desk import Changing, Desk, Done, State, state_of
from services.agent.api.shapes import MessageId
from services.agent.context import AgentContext
from services.agent.domain import acts
from services.agent.domain.asking import READ, asked
from services.agent.domain.conversation import Conversation
from services.agent.operations import keep


def correcting(database: Database) -> APIRouter:
    """The routes by which people correct triage, in any status."""
    router = APIRouter(prefix="/v1/conversations/{conversation_id}")
    desk = Desk(database)

    @router.put("/topic", response_model=State)
    async def correct_topic(act: Changing, body: NewTopic) -> Response:
        """Says what it is about; triage does not overrule it in this episode, and learns from it for similar messages."""

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            entries = await asking(
                ctx.uow.connection, act.conversation_id, before.first_seq, body.message_id, READ
            )
            if body.message_id and not entries:
                raise NotFound(f"There is no customer's message {body.message_id} in this conversation.")
            message_id, text = asked(entries)
            after = acts.correct_topic(before, body.topic, act.by)
            ctx.conversations.put(after)
            told = _corrected(after, "topic", body.topic, act.by, ctx.uow.now_ms)
            told.before, told.message_id, told.text = before.topic, message_id, text
            told.language, told.customer_id = before.language, before.customer_id
            ctx.uow.emit(told)
            return Done(state_of(after), after.human_version)

        return await desk.change(act, work, needs_episode=False)

    @router.put("/tags", response_model=State)
    async def set_tags(act: Changing, body: NewTags) -> Response:
        """Sets all tags."""

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            after = acts.set_tags(before, body.tags, act.by)
            ctx.conversations.put(after)
            ctx.uow.emit(_corrected(after, "tags", ",".join(after.tags), act.by, ctx.uow.now_ms))
            return Done(state_of(after), after.human_version)

        return await desk.change(act, work, needs_episode=False)

    @router.post("/messages/{message_id}/open", response_model=State)
    async def open_trailing_message(act: Changing, message_id: MessageId) -> Response:
        """Says that a trailing message asks for something after all: it opens its episode."""

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            await ctx.understandings.load([message_id])
            understood = ctx.understandings.get(message_id)
            if (
                understood is None
                or understood.conversation_id != act.conversation_id
                or not understood.settled
            ):
                raise NotFound(f"There is no understood message {message_id} in this conversation.")
            after, opened, facts = acts.open_trailing(before, understood)
            ctx.understandings.put(opened)
            ctx.uow.emit(*keep(ctx, before, after, facts))
            return Done(state_of(after), after.human_version)

        return await desk.change(act, work, needs_episode=False)

    return router


def _corrected(after: Conversation, field: str, value: str, by: str, now_ms: int) -> ConversationCorrected:
    return ConversationCorrected(
        conversation_id=after.conversation_id,
        field=field,
        value=value,
        corrected_by=by,
        corrected_at_ms=now_ms,
        human_version=after.human_version,
    )
