"""What people correct: topic, tags, a message that was wrongly left aside. A person's word stands above triage's."""

from fastapi import APIRouter, Request, Response

from libs.contracts import ConversationCorrected
from libs.storage import Database
from libs.web import IfMatch, NotFound
from services.agent.adapters.queries import asking
from services.agent.api.bodies import NewTags, NewTopic
from services.agent.api.desk import Desk, Done, State, check_version, require_version, state_of
from services.agent.api.reading import Staff
from services.agent.api.shapes import ConversationId, MessageId
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
    async def correct_topic(
        conversation_id: ConversationId,
        body: NewTopic,
        request: Request,
        me: Staff,
        if_match: IfMatch = None,
    ) -> Response:
        """Says what it is about; triage does not overrule it in this episode, and learns from it for similar messages."""
        require_version(if_match)

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            check_version(if_match, before)
            entries = await asking(
                ctx.uow.connection, conversation_id, before.first_seq, body.message_id, READ
            )
            if body.message_id and not entries:
                raise NotFound(f"There is no customer's message {body.message_id} in this conversation.")
            message_id, text = asked(entries)
            after = acts.correct_topic(before, body.topic, me.subject)
            ctx.conversations.put(after)
            told = _corrected(after, "topic", body.topic, me.subject, ctx.uow.now_ms)
            told.before, told.message_id, told.text = before.topic, message_id, text
            told.language, told.customer_id = before.language, before.customer_id
            ctx.uow.emit(told)
            return Done(state_of(after), after.human_version)

        return await desk.act(request, me, conversation_id, work)

    @router.put("/tags", response_model=State)
    async def set_tags(
        conversation_id: ConversationId,
        body: NewTags,
        request: Request,
        me: Staff,
        if_match: IfMatch = None,
    ) -> Response:
        """Sets all tags."""
        require_version(if_match)

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            check_version(if_match, before)
            after = acts.set_tags(before, body.tags, me.subject)
            ctx.conversations.put(after)
            ctx.uow.emit(_corrected(after, "tags", ",".join(after.tags), me.subject, ctx.uow.now_ms))
            return Done(state_of(after), after.human_version)

        return await desk.act(request, me, conversation_id, work)

    @router.post("/messages/{message_id}/open", response_model=State)
    async def open_trailing_message(
        conversation_id: ConversationId,
        message_id: MessageId,
        request: Request,
        me: Staff,
        if_match: IfMatch = None,
    ) -> Response:
        """Says that a trailing message asks for something after all: it opens its episode."""
        require_version(if_match)

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            await ctx.understandings.load([message_id])
            understood = ctx.understandings.get(message_id)
            if understood is None or understood.conversation_id != conversation_id or not understood.settled:
                raise NotFound(f"There is no understood message {message_id} in this conversation.")
            check_version(if_match, before)
            after, opened, facts = acts.open_trailing(before, understood)
            ctx.understandings.put(opened)
            ctx.uow.emit(*keep(ctx, before, after, facts))
            return Done(state_of(after), after.human_version)

        return await desk.act(request, me, conversation_id, work)

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
