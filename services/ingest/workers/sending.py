"""The sender: claims deliveries by lease, tries each, and records what became of it."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final

from google.protobuf.message import Message

from libs.storage import Database, fetch_all
from libs.telemetry import Kind, Work, get_logger, metrics, span
from services.ingest.accounts import Accounts
from services.ingest.adapters.arrivals import Arrivals
from services.ingest.adapters.desk import NOTE_PROVIDER_IDS
from services.ingest.adapters.keys import Signer
from services.ingest.adapters.providing import Providers
from services.ingest.adapters.signals import Lane, Signals, channels_of, rung_or_stopped
from services.ingest.adapters.tables import DELIVERIES, THREADS
from services.ingest.context import IngestContext, make_context
from services.ingest.domain import threads as rules
from services.ingest.domain.channels import ProviderStatus
from services.ingest.domain.deliveries import Delivery, DeliveryKind, DeliveryState, backoff_ms
from services.ingest.domain.mail_threading import message_id, plus_address
from services.ingest.domain.model import PROVIDED, ChannelName, EntryKind, Thread
from services.ingest.domain.notices import Endpoint
from services.ingest.domain.outgoing import subject_of
from services.ingest.domain.pacing import Paces
from services.ingest.operations.statuses import delivered, failed, with_status
from services.ingest.ports import (
    LinkGone,
    Mailer,
    OutgoingMail,
    SendRefused,
    SendUnavailable,
    ServerAway,
    SurveyLinks,
)
from services.ingest.settings import IngestSettings

_AT_ONCE: Final = 50
_PARALLEL: Final = 8
_GOOD: Final = (DeliveryState.DELIVERED, DeliveryState.CANCELLED)
_DUE: Final = """
SELECT 1 FROM ingest.deliveries
WHERE state IN ('waiting', 'attempting') AND due_at_ms <= $1 AND channel = ANY($2::text[]) LIMIT 1
"""
_CLAIM: Final = f"""
UPDATE ingest.deliveries SET
    state = 'attempting', attempts = attempts + 1, due_at_ms = $1 + $2,
    possibly_twice = possibly_twice OR state = 'attempting'
WHERE delivery_id IN (
    SELECT delivery_id FROM ingest.deliveries
    WHERE state IN ('waiting', 'attempting') AND due_at_ms <= $1 AND channel = ANY($3::text[])
    ORDER BY due_at_ms LIMIT $4 FOR UPDATE SKIP LOCKED
) RETURNING {DELIVERIES.columns}
"""
_THREADS: Final = f"SELECT {THREADS.columns} FROM ingest.threads WHERE conversation_id = ANY($1::text[])"
_log = get_logger("ingest")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt."""

    state: DeliveryState
    reason: str = ""
    text: str = ""
    """What was said, where it is for the thread."""
    provider_id: str = ""
    pause_ms: int = 0
    """How long to wait where it was not tried at all: the provider's rate, or its rest."""


class Sender:
    """Sends what waits on one lane: surveys into threads, mail, or by providers. One of each runs in a process."""

    def __init__(
        self,
        database: Database,
        settings: IngestSettings,
        signals: Signals,
        signer: Signer,
        mailer: Mailer,
        links: SurveyLinks,
        *,
        lane: Lane,
        accounts: Accounts | None = None,
        providers: Providers | None = None,
        endpoints: tuple[Endpoint, ...] = (),
    ) -> None:
        self._endpoints = endpoints
        self._database = database
        self._settings = settings
        self._accounts = accounts or Accounts(settings.accounts)
        self._signals = signals
        self._signer = signer
        self._mailer = mailer
        self._links = links
        self._lane = lane
        self._providers = providers
        self._paces = Paces[str]()

    async def run(self, stop: asyncio.Event) -> None:
        """Sends until stopped; woken by this process's handlers, and by a slow look for what others have left."""
        with self._signals.watch_deliveries(self._lane) as bell:
            while not stop.is_set():
                if await self.round():
                    continue
                await rung_or_stopped(bell, stop, self._settings.delivery_poll_ms / 1000)

    async def round(self) -> int:
        """Claims what is due, tries it and settles it. Returns how many deliveries that were."""
        deliveries, threads = await self._claim()
        if not deliveries:
            return 0
        gate = asyncio.Semaphore(_PARALLEL)

        async def attempt(delivery: Delivery) -> Attempt:
            async with gate:
                with _span(delivery) as work:
                    made = await self._attempt(delivery, threads[delivery.conversation_id])
                    work.error = "" if made.state in _GOOD else made.state
                    return made

        attempts = await asyncio.gather(*[attempt(delivery) for delivery in deliveries])
        await self._settle(list(zip(deliveries, attempts, strict=True)))
        return len(deliveries)

    async def _claim(self) -> tuple[list[Delivery], dict[str, Thread]]:
        """Marks deliveries as attempted in a commit of its own: a crash from here on is seen by the next owner."""
        async with self._database.read() as connection:
            channels = channels_of(self._lane)
            if not await fetch_all(connection, _DUE, self._database.clock.now_ms(), channels):
                return [], {}
        async with self._database.begin() as uow:
            lease = self._settings.delivery_lease_ms
            rows = await fetch_all(uow.connection, _CLAIM, uow.now_ms, lease, channels, _AT_ONCE)
            if not rows:
                return [], {}
            deliveries = [DELIVERIES.value_of(row) for row in rows]
            found = await fetch_all(
                uow.connection, _THREADS, sorted({one.conversation_id for one in deliveries})
            )
            await uow.commit()
        threads = [THREADS.value_of(row) for row in found]
        return deliveries, {thread.conversation_id: thread for thread in threads}

    async def _attempt(self, delivery: Delivery, thread: Thread) -> Attempt:
        try:
            text = delivery.text
            if delivery.kind == DeliveryKind.SURVEY:
                link = await self._links.link(delivery.source_id)
                text = text.replace("{link}", link) if "{link}" in text else f"{text}\n{link}"
            if delivery.channel == ChannelName.MAIL:
                return await self._mail(delivery, thread, text)
            if self._providers is not None and delivery.channel in PROVIDED:
                sent = await self._providers.send(delivery, text, thread.language)
                return Attempt(
                    DeliveryState.WAITING if sent.pause_ms else DeliveryState.DELIVERED,
                    "waits for its turn at the provider" if sent.pause_ms else "",
                    text,
                    sent.provider_id,
                    sent.pause_ms,
                )
            return Attempt(DeliveryState.DELIVERED, text=text)
        except LinkGone as error:
            return Attempt(DeliveryState.CANCELLED, str(error))
        except SendRefused as error:
            return Attempt(DeliveryState.FAILED, str(error))
        except SendUnavailable as error:
            return self._again(delivery, str(error))
        except Exception as error:  # noqa: BLE001 - one delivery's fault must not undo those sent beside it
            _log.exception("delivery_attempt_failed", delivery=delivery.delivery_id)
            return self._again(delivery, f"{type(error).__name__}: {error}")

    async def _mail(self, delivery: Delivery, thread: Thread, text: str) -> Attempt:
        """At the account's rate, and not at all while the server rests after it did not answer."""
        account = self._accounts.find(ChannelName.MAIL, delivery.account or thread.account)
        key, rate = account.id if account else "", account.rate if account else 100.0
        clock, answered = self._database.clock, True
        mail = self._outgoing(delivery, thread, text)
        if wait_ms := self._paces.wait_ms(key, clock.now_ms(), rate):
            return Attempt(DeliveryState.WAITING, "waits for its turn at the mail server", pause_ms=wait_ms)
        try:
            await self._mailer.send(mail)
        except ServerAway:
            answered = False
            raise
        finally:
            self._paces.heard(key, clock.now_ms(), answered=answered)
        return Attempt(DeliveryState.DELIVERED, text=text)

    def _again(self, delivery: Delivery, reason: str) -> Attempt:
        given_up = delivery.attempts >= self._settings.delivery_attempts
        return Attempt(DeliveryState.FAILED if given_up else DeliveryState.WAITING, reason)

    def _outgoing(self, delivery: Delivery, thread: Thread, text: str) -> OutgoingMail:
        account = delivery.account or thread.account
        sender = self._accounts.mail_address(account) or self._accounts.mail_address("default")
        if not sender:
            raise SendRefused(f"mail account {account!r} is not configured")
        recipient = delivery.endpoint or thread.address
        if not recipient:
            raise SendRefused("the customer's mail address is not known")
        key, conversation_id = self._signer.key, thread.conversation_id
        return OutgoingMail(
            sender=sender,
            reply_to=plus_address(key, conversation_id, sender),
            recipient=recipient,
            subject=subject_of(thread),
            text=text,
            message_id=message_id(key, conversation_id, delivery.source_id, sender.rpartition("@")[2]),
            in_reply_to=thread.last_mail_id,
            automatic=delivery.automatic,
            may_stop=delivery.kind == DeliveryKind.OUTREACH,
        )

    async def _settle(self, attempted: Sequence[tuple[Delivery, Attempt]]) -> None:
        """Records what came of a round in one transaction; what another owner has claimed meanwhile is left alone."""
        async with self._database.begin() as uow:
            ctx = make_context(
                uow, {}, self._settings.reopen_window_ms, Arrivals(), self._signals, endpoints=self._endpoints
            )
            await ctx.deliveries.load(delivery.delivery_id for delivery, _ in attempted)
            said = [d for d, a in attempted if _says(d, a)]
            await ctx.threads.load(delivery.conversation_id for delivery in said)
            await self._load_provider_ids(ctx, attempted)
            for delivery, attempt in attempted:
                current = ctx.deliveries.get(delivery.delivery_id)
                if current is not None and current == delivery:
                    uow.traceparent = delivery.traceparent
                    uow.emit(*ctx.tell(self._record(current, attempt, ctx)))
            await uow.commit()
        for delivery, attempt in attempted:
            metrics.deliveries.labels(delivery.channel, attempt.state).inc()

    async def _load_provider_ids(
        self, ctx: IngestContext, attempted: Sequence[tuple[Delivery, Attempt]]
    ) -> None:
        keys = sorted({(d.channel, d.account, a.provider_id) for d, a in attempted if a.provider_id})
        if keys:
            await fetch_all(ctx.uow.connection, NOTE_PROVIDER_IDS, *map(list, zip(*keys, strict=True)))
            await ctx.provider_messages.load(keys)

    def _record(self, delivery: Delivery, attempt: Attempt, ctx: IngestContext) -> list[Message]:
        now_ms = ctx.uow.now_ms
        if attempt.pause_ms:
            untried = replace(delivery, attempts=max(0, delivery.attempts - 1))
            ctx.deliveries.put(untried.put_off(attempt.reason, now_ms + attempt.pause_ms))
            return []
        if attempt.state == DeliveryState.WAITING:
            pause = backoff_ms(delivery.attempts, self._settings.delivery_first_backoff_ms, random.random())
            ctx.deliveries.put(delivery.put_off(attempt.reason, now_ms + pause))
            return []
        if _says(delivery, attempt):
            thread = ctx.threads.get(delivery.conversation_id)
            assert thread is not None, "a delivery is made from its thread"
            ctx.put_entry(
                *rules.add_entry(thread, EntryKind.SURVEY, attempt.text, now_ms, delivery.source_id)
            )
        ended = delivery.ended(attempt.state, attempt.reason, now_ms)
        events: list[Message] = []
        if attempt.state == DeliveryState.DELIVERED:
            events.append(delivered(delivery, now_ms))
        if attempt.state == DeliveryState.FAILED:
            events.append(failed(delivery, attempt.reason, now_ms))
        if attempt.provider_id:
            row = ctx.provider_messages.get((delivery.channel, delivery.account, attempt.provider_id))
            assert row is not None, "it was made just now"
            row = replace(row, delivery_id=delivery.delivery_id, status=row.status or ProviderStatus.ACCEPTED)
            ctx.provider_messages.put(row)
            ended, more = with_status(ended, row, now_ms)
            events += more
        ctx.deliveries.put(ended)
        return events


def _span(delivery: Delivery) -> AbstractContextManager[Work]:
    return span(
        "ingest",
        f"deliver {delivery.kind} {delivery.channel}",
        delivery.traceparent,
        kind=Kind.CLIENT,
        attributes={
            "centralino.key": delivery.conversation_id,
            "centralino.delivery": delivery.delivery_id,
            "centralino.attempt": delivery.attempts,
        },
    )


def _says(delivery: Delivery, attempt: Attempt) -> bool:
    """Whether a line of the thread comes of it: replies have theirs from the beginning."""
    return attempt.state == DeliveryState.DELIVERED and delivery.kind == DeliveryKind.SURVEY
