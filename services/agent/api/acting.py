"""What people do in a conversation: reply, note, status, resolve, hand over."""

from fastapi import APIRouter, Request, Response

from libs.contracts import HandoffRequested, NoteAdded, TransferRequested
from libs.runtime import new_id
from libs.storage import Database, fetch_one
from libs.web import IfMatch, Unprocessable
from services.agent.adapters import queries
from services.agent.adapters.contracts import reply_sent
from services.agent.adapters.rows import Note
from services.agent.api.bodies import (
    NewHandoff,
    NewNote,
    NewReply,
    NewStatus,
    NewTransfer,
    NoteKept,
    ReplyKept,
    Resolution,
    check_size,
)
from services.agent.api.desk import Desk, Done, State, check_version, require_version, state_of
from services.agent.api.reading import Staff
from services.agent.api.shapes import ConversationId
from services.agent.context import AgentContext
from services.agent.domain import acts
from services.agent.domain.conversation import Conversation, Status
from services.agent.domain.timeline import Entry
from services.agent.operations import keep


def acting(database: Database) -> APIRouter:
    """The routes that change a conversation. Each commits before it answers."""
    router = APIRouter(prefix="/v1/conversations/{conversation_id}")
    desk = Desk(database)

    @router.post("/replies", status_code=201, response_model=ReplyKept)
    async def send_reply(
        conversation_id: ConversationId,
        body: NewReply,
        request: Request,
        me: Staff,
        if_match: IfMatch = None,
    ) -> Response:
        """Sends a public reply to where the customer wrote last."""
        require_version(if_match)
        check_size(body.text)

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            acts.require_open(before)
            check_version(if_match, before)
            now = ctx.uow.now_ms
            then = Status(body.then) if body.then else None
            after, facts = acts.reply(before, body.after_seq, then, me.subject, now)
            reply = _reply(before, after, body, me.subject, now)
            ctx.messages.put(reply)
            ctx.uow.emit(reply_sent(after, reply), *keep(ctx, before, after, facts))
            kept = ReplyKept(
                id=reply.message_id, conversation=state_of(after), unseen=after.last_seq - body.after_seq
            )
            return Done(kept, after.human_version, 201)

        return await desk.act(request, me, conversation_id, work)

    @router.post("/notes", status_code=201, response_model=NoteKept)
    async def add_note(
        conversation_id: ConversationId, body: NewNote, request: Request, me: Staff
    ) -> Response:
        """Adds a note for colleagues. It needs no If-Match and makes nobody's work stale."""
        check_size(body.text)

        async def work(ctx: AgentContext, conversation: Conversation) -> Done:
            note = Note(new_id(), conversation_id, me.subject, "note", body.text, ctx.uow.now_ms)
            ctx.notes.put(note)
            ctx.uow.emit(
                NoteAdded(
                    note_id=note.note_id,
                    conversation_id=conversation_id,
                    episode=conversation.episode,
                    agent_id=me.subject,
                    added_at_ms=note.at_ms,
                )
            )
            return Done(NoteKept(id=note.note_id, at=note.at_ms), conversation.human_version, 201)

        return await desk.act(request, me, conversation_id, work)

    @router.put("/status", response_model=State)
    async def change_status(
        conversation_id: ConversationId,
        body: NewStatus,
        request: Request,
        me: Staff,
        if_match: IfMatch = None,
    ) -> Response:
        """Sets the status of an open episode. Resolving has its own route."""
        require_version(if_match)
        until_ms = int(body.until_at.timestamp() * 1000) if body.until_at else 0

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            acts.require_open(before)
            check_version(if_match, before)
            after, facts = acts.change_status(
                before, Status(body.status), until_ms, me.subject, ctx.uow.now_ms
            )
            ctx.uow.emit(*keep(ctx, before, after, facts))
            return Done(state_of(after), after.human_version)

        return await desk.act(request, me, conversation_id, work)

    @router.post("/resolve", response_model=State)
    async def resolve_conversation(
        conversation_id: ConversationId,
        body: Resolution,
        request: Request,
        me: Staff,
        if_match: IfMatch = None,
    ) -> Response:
        """Ends the open episode. A request above `through_seq` opens the next one in the same step."""
        require_version(if_match)

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            acts.require_open(before)
            check_version(if_match, before)
            acts.check_resolve(before, body.through_seq)
            later = (
                await queries.openings_after(ctx.uow.connection, conversation_id, body.through_seq)
                if before.opening_seq > body.through_seq
                else []
            )
            after, facts = acts.resolve(
                before, body.through_seq, body.reason, me.subject, ctx.uow.now_ms, later
            )
            ctx.uow.emit(*keep(ctx, before, after, facts))
            return Done(state_of(after), after.human_version)

        return await desk.act(request, me, conversation_id, work)

    @router.post("/transfers", status_code=202, response_model=State)
    async def request_transfer(
        conversation_id: ConversationId,
        body: NewTransfer,
        request: Request,
        me: Staff,
        if_match: IfMatch = None,
    ) -> Response:
        """Asks routing to give the open episode to somebody else."""
        require_version(if_match)

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            acts.require_open(before)
            check_version(if_match, before)
            await _check_target(ctx, body)
            after = acts.hand_over(before)
            ctx.conversations.put(after)
            if body.note.strip():
                ctx.notes.put(
                    Note(new_id(), conversation_id, me.subject, "transfer", body.note, ctx.uow.now_ms)
                )
            ctx.uow.emit(
                TransferRequested(
                    conversation_id=conversation_id,
                    episode=after.episode,
                    requested_by=me.subject,
                    queue_id=body.queue_id,
                    team_id=body.team_id,
                    agent_id=body.agent_id,
                    note=body.note,
                    requested_at_ms=ctx.uow.now_ms,
                    human_version=after.human_version,
                )
            )
            return Done(state_of(after), after.human_version, 202)

        return await desk.act(request, me, conversation_id, work)

    @router.post("/handoff", status_code=202, response_model=State)
    async def request_handoff(
        conversation_id: ConversationId,
        body: NewHandoff,
        request: Request,
        me: Staff,
        if_match: IfMatch = None,
    ) -> Response:
        """Asks routing to give the open episode to people, if a bot has it; else nothing changes there."""
        require_version(if_match)

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            acts.require_open(before)
            check_version(if_match, before)
            after = acts.hand_over(before)
            ctx.conversations.put(after)
            ctx.uow.emit(
                HandoffRequested(
                    conversation_id=conversation_id,
                    episode=after.episode,
                    requested_by=me.subject,
                    reason=body.reason,
                    requested_at_ms=ctx.uow.now_ms,
                    human_version=after.human_version,
                )
            )
            return Done(state_of(after), after.human_version, 202)

        return await desk.act(request, me, conversation_id, work)

    return router


async def _check_target(ctx: AgentContext, body: NewTransfer) -> None:
    if body.team_id is not None:
        known = await fetch_one(
            ctx.uow.connection,
            "SELECT 1 FROM agent.teams WHERE team_id = $1 AND NOT removed",
            body.team_id,
        )
    elif body.agent_id is not None:
        known = await fetch_one(
            ctx.uow.connection,
            "SELECT 1 FROM agent.people WHERE person_id = $1 AND NOT removed",
            body.agent_id,
        )
    else:
        return
    if known is None:
        raise Unprocessable("The directory has no such team or person.", slug="unknown-target")


def _reply(before: Conversation, after: Conversation, body: NewReply, by: str, now_ms: int) -> Entry:
    return Entry(
        message_id=new_id(),
        conversation_id=after.conversation_id,
        position=after.position,
        seq=0,
        after_seq=body.after_seq,
        author=by,
        channel=before.channel,
        language_hint="",
        automatic=False,
        survey_answer=False,
        subject="",
        text=body.text,
        truncated=False,
        at_ms=now_ms,
        delivery="sending",
    )
