"""One act of a person: key, lock, version, rules, events, answer, in one transaction."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response
from pydantic import BaseModel

from libs.storage import Database
from libs.web import (
    Conflict,
    Idempotency,
    IfMatch,
    NotFound,
    PreconditionRequired,
    Unprocessable,
    check_if_match,
    etag_of,
    keyed_request,
)
from services.agent.adapters.tables import idempotency_keys
from services.agent.api.reading import Staff
from services.agent.api.shapes import ConversationId, Instant, or_none
from services.agent.context import AgentContext, context
from services.agent.domain import acts
from services.agent.domain.conversation import Conversation
from services.agent.domain.errors import NoOpenEpisode, NotTrailing, Refusal


class State(BaseModel):
    """How a conversation stands after an act. Its ETag is `human_version`."""

    id: str
    status: str
    episode: int
    human_version: int
    last_seq: int
    through_seq: int
    topic: str
    tags: list[str]
    snoozed_until_at: Instant | None


def state_of(c: Conversation) -> State:
    """The present state."""
    return State(
        id=c.conversation_id,
        status=c.status.value,
        episode=c.episode,
        human_version=c.human_version,
        last_seq=c.last_seq,
        through_seq=c.through_seq,
        topic=c.topic,
        tags=list(c.tags),
        snoozed_until_at=or_none(c.snoozed_until_ms),
    )


@dataclass(frozen=True, slots=True)
class Done:
    """What an act answers."""

    body: BaseModel
    version: int
    status: int = 200


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody asks to be done in a conversation."""

    conversation_id: ConversationId
    request: Request
    me: Staff

    @property
    def by(self) -> str:
        """Whose act it is."""
        return self.me.subject


@dataclass(frozen=True, slots=True)
class Change(Act):
    """An act that makes stale what others have read, and the version that its author has read."""

    if_match: IfMatch = None

    def require_version(self) -> None:
        """428 before anything is looked at."""
        if self.if_match is None:
            raise PreconditionRequired("Read the conversation first and send its ETag as If-Match.")


Adding = Annotated[Act, Depends()]
Changing = Annotated[Change, Depends()]
Work = Callable[[AgentContext, Conversation], Awaitable[Done]]


class Desk:
    """Runs acts on conversations."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys = Idempotency(idempotency_keys)

    async def change(self, act: Change, work: Work, *, needs_episode: bool = True) -> Response:
        """428 without a version, 409 when no episode is open and one is needed, 412 when somebody acted since; customers'
        messages do not count."""
        act.require_version()

        async def checked(ctx: AgentContext, before: Conversation) -> Done:
            if needs_episode:
                acts.require_open(before)
            check_if_match(act.if_match, before.human_version)
            return await work(ctx, before)

        return await self.add(act, checked)

    async def add(self, act: Act, work: Work) -> Response:
        """Locks the conversation, does the work and commits. NotFound; the work's own refusals."""
        keyed = None
        if act.request.method == "POST":
            keyed = await keyed_request(act.request, act.by, required=False)
        async with self._database.begin() as uow:
            if keyed is not None:
                before = await self._keys.begin(uow.connection, keyed, uow.now_ms)
                if before is not None:
                    return before.response()
            ctx = context(uow)
            await ctx.conversations.load([act.conversation_id])
            conversation = ctx.conversations.get(act.conversation_id)
            if conversation is None:
                raise NotFound(f"There is no conversation {act.conversation_id}.")
            with _as_problems():
                done = await work(ctx, conversation)
            body = done.body.model_dump_json().encode()
            headers = {"ETag": etag_of(done.version)}
            if keyed is not None:
                await self._keys.store(uow.connection, keyed, done.status, body, headers)
            await uow.commit()
        return Response(body, done.status, headers, "application/json")


@contextmanager
def _as_problems() -> Iterator[None]:
    try:
        yield
    except (NoOpenEpisode, NotTrailing) as error:
        raise Conflict(str(error), slug=error.slug) from error
    except Refusal as error:
        raise Unprocessable(str(error), slug=error.slug) from error
