"""What people do in a conversation: reply, note, status, resolve, hand over."""

from fastapi import APIRouter, Response

from libs.contracts import HandoffRequested, NoteAdded, TransferRequested
from libs.runtime import new_id
from libs.storage import Database, fetch_one
from libs.web import Unprocessable
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
from services.agent.api.desk import Adding, Changing, Desk, Done, State, state_of
from services.agent.api.sending import chosen_way, known_ways
from services.agent.context import AgentContext
from services.agent.domain import acts
from services.agent.domain.conversation import Conversation, Status
from services.agent.domain.reaching import Chosen
from services.agent.domain.timeline import Entry
from services.agent.operations import keep
from services.agent.ports import Ways


def acting(database: Database, ways: Ways) -> APIRouter:
    """The routes that change a conversation. Each commits before it answers."""
    router = APIRouter(prefix="/v1/conversations/{conversation_id}")
    desk = Desk(database)

    @router.post("/replies", status_code=201, response_model=ReplyKept)
    async def send_reply(act: Changing, body: NewReply) -> Response:
        """Sends a public reply to where the customer wrote last, or by another of the conversation's ways. What the
        channel would not take is refused with the reason, and nothing is kept of it."""
        act.require_version()
        check_size(body.text)
        known = await known_ways(database, ways, act.conversation_id, body)

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            now = ctx.uow.now_ms
            then = Status(body.then) if body.then else None
            chosen = chosen_way(before, body, known)
            after, facts = acts.reply(before, body.after_seq, then, act.by, now)
            reply = _reply(chosen, after, body, act.by, now)
            ctx.messages.put(reply)
            ctx.uow.emit(reply_sent(after, reply, chosen.template), *keep(ctx, before, after, facts))
            kept = ReplyKept(
                id=reply.message_id, conversation=state_of(after), unseen=after.last_seq - body.after_seq
            )
            return Done(kept, after.human_version, 201)

        return await desk.change(act, work)

    @router.post("/notes", status_code=201, response_model=NoteKept)
    async def add_note(act: Adding, body: NewNote) -> Response:
        """Adds a note for colleagues. It needs no If-Match and makes nobody's work stale."""
        check_size(body.text)

        async def work(ctx: AgentContext, conversation: Conversation) -> Done:
            note = Note(new_id(), act.conversation_id, act.by, "note", body.text, ctx.uow.now_ms)
            ctx.notes.put(note)
            ctx.uow.emit(
                NoteAdded(
                    note_id=note.note_id,
                    conversation_id=act.conversation_id,
                    episode=conversation.episode,
                    agent_id=act.by,
                    added_at_ms=note.at_ms,
                )
            )
            return Done(NoteKept(id=note.note_id, at=note.at_ms), conversation.human_version, 201)

        return await desk.add(act, work)

    @router.put("/status", response_model=State)
    async def change_status(act: Changing, body: NewStatus) -> Response:
        """Sets the status of an open episode. Resolving has its own route."""
        until_ms = int(body.until_at.timestamp() * 1000) if body.until_at else 0

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            after, facts = acts.change_status(before, Status(body.status), until_ms, act.by, ctx.uow.now_ms)
            ctx.uow.emit(*keep(ctx, before, after, facts))
            return Done(state_of(after), after.human_version)

        return await desk.change(act, work)

    @router.post("/resolve", response_model=State)
    async def resolve_conversation(act: Changing, body: Resolution) -> Response:
        """Ends the open episode. A request above `through_seq` opens the next one in the same step."""

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            acts.check_resolve(before, body.through_seq)
            later = (
                await queries.openings_after(ctx.uow.connection, act.conversation_id, body.through_seq)
                if before.opening_seq > body.through_seq
                else []
            )
            after, facts = acts.resolve(before, body.through_seq, body.reason, act.by, ctx.uow.now_ms, later)
            ctx.uow.emit(*keep(ctx, before, after, facts))
            return Done(state_of(after), after.human_version)

        return await desk.change(act, work)

    @router.post("/transfers", status_code=202, response_model=State)
    async def request_transfer(act: Changing, body: NewTransfer) -> Response:
        """Asks routing to give the open episode to somebody else."""

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            await _check_target(ctx, body)
            after = acts.hand_over(before)
            ctx.conversations.put(after)
            if body.note.strip():
                ctx.notes.put(
                    Note(new_id(), act.conversation_id, act.by, "transfer", body.note, ctx.uow.now_ms)
                )
            ctx.uow.emit(
                TransferRequested(
                    conversation_id=act.conversation_id,
                    episode=after.episode,
                    requested_by=act.by,
                    queue_id=body.queue_id,
                    team_id=body.team_id,
                    agent_id=body.agent_id,
                    note=body.note,
                    requested_at_ms=ctx.uow.now_ms,
                    human_version=after.human_version,
                )
            )
            return Done(state_of(after), after.human_version, 202)

        return await desk.change(act, work)

    @router.post("/handoff", status_code=202, response_model=State)
    async def request_handoff(act: Changing, body: NewHandoff) -> Response:
        """Asks routing to give the open episode to people, if a bot has it; else nothing changes there."""

        async def work(ctx: AgentContext, before: Conversation) -> Done:
            after = acts.hand_over(before)
            ctx.conversations.put(after)
            ctx.uow.emit(
                HandoffRequested(
                    conversation_id=act.conversation_id,
                    episode=after.episode,
                    requested_by=act.by,
                    reason=body.reason,
                    requested_at_ms=ctx.uow.now_ms,
                    human_version=after.human_version,
                )
            )
            return Done(state_of(after), after.human_version, 202)

        return await desk.change(act, work)

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


def _reply(chosen: Chosen, after: Conversation, body: NewReply, by: str, now_ms: int) -> Entry:
    return Entry(
        message_id=new_id(),
        conversation_id=after.conversation_id,
        position=after.position,
        seq=0,
        after_seq=body.after_seq,
        author=by,
        channel=chosen.channel,
        language_hint="",
        automatic=False,
        survey_answer=False,
        subject="",
        text=chosen.text,
        truncated=False,
        at_ms=now_ms,
        delivery="sending",
    )
