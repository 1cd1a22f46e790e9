"""What handlers and HTTP both do, and what the command line and the worker do to this service's data."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from google.protobuf.message import Message as Event
from sqlalchemy.exc import IntegrityError

from libs.storage import Database
from libs.telemetry import metrics
from libs.web import STAFF, Idempotency, hash_password
from services.agent.adapters.contracts import events_of
from services.agent.adapters.rows import ACCOUNTS, Account
from services.agent.adapters.tables import idempotency_keys
from services.agent.context import AgentContext
from services.agent.domain.conversation import Conversation, EpisodeBegan, EpisodeEnded, Fact, Status

_LONGEST: Final = 100
_SHORTEST_PASSWORD: Final = 8
_PRUNE_SECONDS: Final = 600

SNOOZE: Final = "agent.snooze"
"""Timer of a snoozed conversation, by its id."""


def keep(
    ctx: AgentContext, before: Conversation, after: Conversation, facts: Sequence[Fact]
) -> Sequence[Event]:
    """Saves a conversation, keeps its snooze timer true, counts what happened once it is durable; the events of it."""
    ctx.conversations.put(after)
    if after.status is Status.SNOOZED:
        if after.snoozed_until_ms != before.snoozed_until_ms:
            ctx.uow.set_timer(SNOOZE, after.conversation_id, after.snoozed_until_ms)
    elif before.status is Status.SNOOZED:
        ctx.uow.cancel_timer(SNOOZE, after.conversation_id)
    for fact in facts:
        if isinstance(fact, EpisodeBegan) and fact.episode > 1:
            ctx.uow.after_commit(metrics.conversations_reopened.inc)
        elif isinstance(fact, EpisodeEnded):
            ctx.uow.after_commit(metrics.conversations_resolved.labels("human").inc)
    return events_of(after, facts)


class AccountExists(ValueError):
    """The username is taken: choose another, or keep the account."""


async def create_account(database: Database, username: str, password: str, role: str, name: str) -> None:
    """Makes an account for sign-in. The username is the person's id in routing's directory.

    ValueError for a role that is not agent, supervisor or admin, a username that is not 1 to 100 visible characters
    without spaces, or a password of under 8 characters; AccountExists when the username is taken.
    """
    if role not in STAFF:
        raise ValueError(f"role {role!r} cannot sign in; expected one of {', '.join(STAFF)}")
    if not 0 < len(username) <= _LONGEST or not username.isprintable() or " " in username:
        raise ValueError("a username has 1 to 100 visible characters and no spaces")
    if len(password) < _SHORTEST_PASSWORD:
        raise ValueError(f"a password has at least {_SHORTEST_PASSWORD} characters")
    hashed = await hash_password(password)
    async with database.begin() as uow:
        uow.rows(ACCOUNTS).put(Account(username, hashed, role, name or username, uow.now_ms))
        try:
            await uow.commit()
        except IntegrityError as error:
            raise AccountExists(f"there is an account {username!r} already") from error


async def forget_old_keys(database: Database, key_hours: int, stop: asyncio.Event) -> None:
    """Removes idempotency keys first seen longer ago, every ten minutes until `stop` is set."""
    keys = Idempotency(idempotency_keys)
    while not stop.is_set():
        async with database.begin() as uow:
            await keys.prune(uow.connection, uow.now_ms - key_hours * 3_600_000)
            await uow.commit()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PRUNE_SECONDS)
