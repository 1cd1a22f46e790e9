"""Taking a message: checked, sealed, durable, and answered for; perhaps after it has found its conversation."""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from libs.runtime import Clock, new_id
from libs.storage import Database, fetch_one
from libs.telemetry import metrics
from libs.web import NotFound, Tokens, preferred_wait_s
from services.ingest.accounts import Accounts
from services.ingest.adapters.arrivals import Arrival, Arrivals
from services.ingest.adapters.channels.port import Hook
from services.ingest.adapters.hook_payloads import raws_of, seal_hook
from services.ingest.adapters.keys import Sealer, Signer
from services.ingest.adapters.payloads import Origin, pack_payload
from services.ingest.adapters.raw_writer import RawMessage, RawWriter
from services.ingest.adapters.widget_payloads import WIDGET, pack_visitor
from services.ingest.api.callers import Caller
from services.ingest.api.schemas import MessageIn, MessageState
from services.ingest.api.widget_schemas import WidgetMessageIn
from services.ingest.domain.channels import Item
from services.ingest.domain.files import KeptFile
from services.ingest.domain.model import ChannelName
from services.ingest.domain.texts import storable
from services.ingest.domain.visitors import Visitor
from services.ingest.settings import IngestSettings

_SECOND_LOOK_S: Final = 1.0
_IN_THREAD_BYTES: Final = 256 * 1024
_VISITED: Final = frozenset({ChannelName.WEB.value, ChannelName.CHAT.value})
_MESSAGE_ID: Final = re.compile(rb"^message-id:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\s]{1,500}>)", re.I | re.M)
_FIND: Final = """
SELECT r.channel, e.conversation_id, e.message_seq, t.customer_id, t.case_reference
FROM ingest.raw_messages r
LEFT JOIN ingest.thread_entries e ON e.ref_id = r.id AND e.kind = 'customer'
LEFT JOIN ingest.threads t ON t.conversation_id = e.conversation_id
WHERE r.id = $1
"""
_THREAD: Final = "SELECT 1 FROM ingest.threads WHERE conversation_id = $1"


@dataclass(frozen=True, slots=True)
class Accepting:
    """The operations behind the posting routes."""

    database: Database
    clock: Clock
    tokens: Tokens
    accounts: Accounts
    sealer: Sealer
    signer: Signer
    writer: RawWriter
    arrivals: Arrivals
    settings: IngestSettings

    def wait_s(self, request: Request) -> float:
        """How long the caller wants to wait."""
        return preferred_wait_s(request.headers.get("prefer"), self.settings.most_wait_s)

    async def message(
        self, message: MessageIn, caller: Caller, provider_id: str | None, wait_s: float
    ) -> MessageState:
        """Takes a JSON message. Raises NotFound for an unknown conversation, IdempotencyMismatch, Unavailable."""
        if message.conversation_id is not None and caller.trusted:
            await self._check_thread(message.conversation_id)
        conversation_id = (message.conversation_id if caller.trusted else caller.conversation_id) or ""
        body = message.model_dump_json(
            exclude_none=True, exclude={"idempotency_key", "conversation_id", "channel", "account"}
        ).encode()
        origin = Origin("message", message.account, caller.trusted, conversation_id)
        sender = message.sender
        known_by = (sender.external_id or sender.email) if sender and caller.trusted else None
        message_id = new_id()
        raw = self._sealed(
            message_id,
            message.channel,
            pack_payload(origin, body),
            f"{message.channel}/{message.account}/{caller.scope}",
            provider_id,
            hashlib.sha256(conversation_id.encode() + b"\n" + body).digest(),
            # One sender has one writer: the person where somebody vouches for them, else the conversation.
            f"{message.account}/{known_by or conversation_id or message_id}",
        )
        return await self._take(raw, wait_s)

    async def from_visitor(
        self,
        visitor: Visitor,
        message_id: str,
        said: WidgetMessageIn,
        wait_s: float,
        files: Sequence[KeptFile] = (),
    ) -> MessageState:
        """Takes a message of the widget; the same id again is the same message. Raises IdempotencyMismatch, Unavailable."""
        body = pack_visitor(visitor, said.text, said.subject, said.name, said.email, files)
        own_id = new_id()
        raw = self._sealed(
            own_id,
            visitor.channel,
            pack_payload(Origin(WIDGET, visitor.account, visitor.verified), body),
            storable(visitor.scope),
            message_id,
            hashlib.sha256("\n".join((said.text, *said.files)).encode()).digest(),
            f"{visitor.account}/{visitor.id}",
        )
        return await self._take(raw, wait_s)

    async def mail(
        self, account: str, raw_mail: bytes, provider_id: str | None, wait_s: float
    ) -> MessageState:
        """Takes a raw mail. The same mail handed over twice is one message."""
        message_id = new_id()
        if len(raw_mail) > _IN_THREAD_BYTES:
            raw = await asyncio.to_thread(self._sealed_mail, message_id, account, raw_mail, provider_id)
        else:
            raw = self._sealed_mail(message_id, account, raw_mail, provider_id)
        return await self._take(raw, wait_s)

    async def items(
        self, channel: ChannelName, provider: str, account: str, items: Sequence[Item], hook: Hook
    ) -> None:
        """Takes the happenings of a webhook, and the whole of it, in one shared commit; those taken before are passed
        over."""
        whole = seal_hook(self.sealer, provider, account, hook)
        raws = raws_of(items, channel, provider, account, self.sealer, hook.now_ms, whole)
        for stored in await asyncio.gather(*[self.writer.write(raw) for raw in raws]):
            _count(channel, stored.repeated)

    async def state(self, message_id: str) -> MessageState:
        """Where a message is. Raises NotFound."""
        async with self.database.read() as connection:
            row = await fetch_one(connection, _FIND, message_id)
        if row is None:
            raise NotFound("There is no such message, or it was taken long ago.")
        channel, conversation_id, seq, customer_id, case_reference = row
        if conversation_id is None:
            return self._shown(message_id, channel, None)
        arrival = Arrival(message_id, conversation_id, customer_id, case_reference, seq)
        return self._shown(message_id, channel, arrival)

    def _sealed_mail(
        self, message_id: str, account: str, raw_mail: bytes, provider_id: str | None
    ) -> RawMessage:
        head, _, body = raw_mail.replace(b"\r\n", b"\n").partition(b"\n\n")
        named = _MESSAGE_ID.search(head)
        digest = hashlib.sha256(body).digest()
        if provider_id is None:
            # Servers that pass a mail on twice add other headers each time; a Message-ID alone can be made up.
            identity = named.group(1) if named else head
            provider_id = "mail:" + hashlib.sha256(identity + b"\n" + digest).hexdigest()
        else:
            digest = hashlib.sha256(raw_mail).digest()
        return self._sealed(
            message_id,
            ChannelName.MAIL,
            pack_payload(Origin("mail", account, True), raw_mail),
            f"mail/{account}",
            provider_id,
            digest,
            # One mailbox has one writer: answers of several people to one mail would else miss each other.
            f"mail/{account}",
        )

    def _sealed(
        self,
        message_id: str,
        channel: str,
        payload: bytes,
        scope: str,
        provider_id: str | None,
        body_hash: bytes,
        sender_key: str,
    ) -> RawMessage:
        return RawMessage(
            id=message_id,
            scope=scope,
            provider_id=provider_id,
            body_hash=body_hash,
            channel=channel,
            key_id=self.sealer.key_id,
            sealed=self.sealer.seal(payload, message_id),
            received_at_ms=self.clock.now_ms(),
            sender_key=sender_key,
        )

    async def _take(self, raw: RawMessage, wait_s: float) -> MessageState:
        if wait_s <= 0:
            stored = await self.writer.write(raw)
            _count(raw.channel, stored.repeated)
            return self._shown(stored.id, raw.channel, None)
        with self.arrivals.expect(raw.id) as arriving:
            stored = await self.writer.write(raw)
            _count(raw.channel, stored.repeated)
            if not stored.repeated:
                return await self._await_arrival(raw, arriving, wait_s)
        return await self._await_elsewhere(stored.id, wait_s)

    async def _await_arrival(
        self, raw: RawMessage, arriving: "asyncio.Future[Arrival]", wait_s: float
    ) -> MessageState:
        """Waits for this process's normaliser, and looks now and then whether another one has done it."""
        left = wait_s
        while left > 0:
            pause = min(left, _SECOND_LOOK_S)
            done, _ = await asyncio.wait({arriving}, timeout=pause)
            if done:
                return self._shown(raw.id, raw.channel, arriving.result())
            left -= pause
            state = await self.state(raw.id)
            if state.conversation_id is not None:
                return state
        return self._shown(raw.id, raw.channel, None)

    async def _await_elsewhere(self, message_id: str, wait_s: float) -> MessageState:
        """A repeat: what the first one has come to, waiting for it if it is still on its way."""
        with self.arrivals.expect(message_id) as arriving:
            state = await self.state(message_id)
            left = wait_s
            while state.conversation_id is None and left > 0:
                pause = min(left, _SECOND_LOOK_S)
                await asyncio.wait({arriving}, timeout=pause)
                left -= pause
                state = await self.state(message_id)
        return state

    def _shown(self, message_id: str, channel: str, arrival: Arrival | None) -> MessageState:
        state = MessageState.model_construct(
            message_id=message_id,
            state="accepted" if arrival is None else "received",
            receipt=self.signer.receipt(message_id),
            location=f"/ingest/v1/messages/{message_id}",
        )
        if arrival is None:
            return state
        state.conversation_id = arrival.conversation_id
        state.message_seq = arrival.message_seq
        state.case_reference = arrival.case_reference
        if channel in _VISITED:
            seconds = int(self.settings.visitor_token_days * 86_400)
            state.visitor_token = self.tokens.issue_visitor(
                arrival.customer_id, arrival.conversation_id, seconds
            )
        return state

    async def _check_thread(self, conversation_id: str) -> None:
        async with self.database.read() as connection:
            if await fetch_one(connection, _THREAD, conversation_id) is None:
                raise NotFound("There is no such conversation.", slug="unknown-conversation")


def _count(channel: str, repeated: bool) -> None:
    (metrics.ingest_duplicates if repeated else metrics.ingest_accepted).labels(channel).inc()
