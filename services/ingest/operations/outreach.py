"""Events of the operator's systems become messages by the rules: decided when they come, decided again when they go."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from libs.contracts import CustomerIdentified
from libs.runtime import new_id
from libs.storage import Database, UnitOfWork
from libs.telemetry import get_logger
from services.ingest.adapters.arrivals import Arrivals
from services.ingest.adapters.case_numbers import CaseNumbers
from services.ingest.adapters.outreach_book import OutreachBook
from services.ingest.adapters.outreach_rows import (
    OUTREACH,
    Person,
    claim,
    consents_of,
    find_customer,
    sent_before,
)
from services.ingest.adapters.signals import Signals, rung_or_stopped
from services.ingest.adapters.wire import identified
from services.ingest.context import IngestContext, make_context
from services.ingest.domain.consents import strictest
from services.ingest.domain.deliveries import Delivery, DeliveryKind, DeliveryState
from services.ingest.domain.model import ChannelName, Customer, Thread
from services.ingest.domain.outreach import (
    DAY_MS,
    Book,
    Choice,
    Outreach,
    OutreachState,
    Rule,
    audience_fault,
    capped,
    choose,
    later_ms,
)
from services.ingest.domain.outreach_threads import begin
from services.ingest.domain.ways import Senders, contacts, way_to
from services.ingest.operations.going_out import point_at

_TALKING_PAUSE_MS: Final = 900_000
_LONGEST_CAP_MS: Final = 366 * DAY_MS
_log = get_logger("ingest")


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of the operator's site or systems."""

    type: str
    person: Person
    attributes: Mapping[str, str]
    zone: str
    """IANA name; empty for the installation's."""
    language: str


class OutreachDesk:
    """Takes events, and sends what is due. Use it from one event loop."""

    def __init__(
        self,
        database: Database,
        senders: Senders,
        signals: Signals,
        book: OutreachBook,
        *,
        zone: str,
        reopen_window_ms: int,
        poll_s: float,
    ) -> None:
        self._database = database
        self._senders = senders
        self._signals = signals
        self._book = book
        self._zone = zone
        self._reopen_window_ms = reopen_window_ms
        self._poll_s = poll_s
        self._cases = CaseNumbers()

    async def take(self, uow: UnitOfWork, happening: Happening) -> tuple[str, list[Outreach]]:
        """(the event's id, what each rule for it makes of it), in the caller's transaction."""
        book, event_id = await self._book.current(uow.connection), new_id()
        rules = book.of(happening.type)
        if not rules:
            return event_id, []
        customer = await find_customer(uow.connection, happening.person, self._senders)
        made = [self._made(rule, book, happening, customer, event_id, uow.now_ms) for rule in rules]
        rows = uow.rows(OUTREACH)
        for one in made:
            rows.put(one)
        if any(one.state == OutreachState.WAITING for one in made):
            uow.after_commit(self._signals.outreach_waits)
        return event_id, made

    def _made(
        self,
        rule: Rule,
        book: Book,
        happening: Happening,
        customer: Customer | None,
        event_id: str,
        now_ms: int,
    ) -> Outreach:
        language = happening.language or (customer.language if customer else "")
        zone = happening.zone or self._zone
        reason = audience_fault(rule, happening.attributes, language)
        if not reason and customer is None:
            reason = "nobody is known by what the event says of its customer"
        named = {"name": customer.display_name} if customer and customer.display_name else {}
        due_at_ms = max(later_ms(quiet, zone, now_ms) for quiet in (rule.quiet, book.quiet))
        return Outreach(
            outreach_id=new_id(),
            event_id=event_id,
            event_type=happening.type,
            rule=rule.name,
            customer_id=customer.customer_id if customer else "",
            attributes={**named, **happening.attributes},
            zone=zone,
            language=language,
            state=OutreachState.SKIPPED if reason else OutreachState.WAITING,
            reason=reason or ("it is night where the customer is" if due_at_ms > now_ms else ""),
            due_at_ms=due_at_ms,
            expires_at_ms=now_ms + rule.expires_ms,
            channel="",
            conversation_id="",
            created_at_ms=now_ms,
            sent_at_ms=0,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Sends what is due until stopped."""
        with self._signals.watch_outreach() as bell:
            while not stop.is_set():
                if not await self.step():
                    await rung_or_stopped(bell, stop, self._poll_s)

    async def step(self) -> bool:
        """Decides the next one that is due, in one transaction with what comes of it. False when none is."""
        found: Outreach | None = None
        try:
            async with self._database.begin() as uow:
                found = await claim(uow.connection, uow.now_ms)
                if found is None:
                    return False
                ctx = make_context(
                    uow, {}, self._reopen_window_ms, Arrivals(), self._signals, senders=self._senders
                )
                rows = uow.rows(OUTREACH)
                await rows.load([found.outreach_id])
                decided = await self._decide(found, ctx)
                rows.put(decided)
                await uow.commit()
        except (LookupError, ValueError, TypeError, AssertionError) as error:
            if found is None:
                raise
            # One that cannot be decided must not hold up all others: a bug, told with its place.
            _log.exception("outreach_not_decided", rule=found.rule, outreach=found.outreach_id)
            decided = _skipped(found, f"it could not be decided: {type(error).__name__}: {error}"[:300])
            await self._give_up(decided)
        if decided.state == OutreachState.SKIPPED:
            _log.info("outreach_skipped", rule=decided.rule, reason=decided.reason)
        return True

    async def _give_up(self, one: Outreach) -> None:
        async with self._database.begin() as uow:
            rows = uow.rows(OUTREACH)
            await rows.load([one.outreach_id])
            rows.put(one)
            await uow.commit()

    async def _decide(self, one: Outreach, ctx: IngestContext) -> Outreach:
        now_ms, book = ctx.uow.now_ms, await self._book.current(ctx.uow.connection)
        rule = book.named(one.rule)
        if rule is None:
            return _skipped(one, "the rule is not in force any more")
        if now_ms >= one.expires_at_ms:
            return _skipped(one, f"it came too late: {one.reason or 'nothing sent it in time'}")
        due_at_ms = max(later_ms(quiet, one.zone, now_ms) for quiet in (rule.quiet, book.quiet))
        if due_at_ms > now_ms:
            return replace(one, due_at_ms=due_at_ms, reason="it is night where the customer is")
        # Locked, so that two messages to one person are counted one after the other.
        await ctx.customers.load([one.customer_id])
        customer = ctx.customers.get(one.customer_id)
        if customer is None:
            return _skipped(one, "the customer is not known any more")
        sent = await sent_before(ctx.uow.connection, one.customer_id, now_ms - _LONGEST_CAP_MS)
        of_rule = [at for name, at in sent if name == rule.name]
        if reason := capped(rule.cap, of_rule, now_ms) or capped(book.cap, [at for _, at in sent], now_ms):
            return _skipped(one, reason)
        choice = await self._choice(one, rule, customer, ctx)
        if choice.way is None:
            return _skipped(one, choice.reason)
        if await self._talking(choice, ctx):
            reason = "a conversation with the customer is open there"
            return replace(one, due_at_ms=now_ms + _TALKING_PAUSE_MS, reason=reason)
        return await self._send(one, choice, customer, ctx)

    async def _choice(self, one: Outreach, rule: Rule, customer: Customer, ctx: IngestContext) -> Choice:
        keys = contacts(customer, self._senders)
        await ctx.identities.load(keys)
        said = await consents_of(ctx.uow.connection, customer.customer_id)
        consents = {key: found for key in keys if (found := strictest(key, said)) is not None}
        found_ways = [
            way_to(None, key, ctx.identities.get(key), consents.get(key), self._senders, ctx.uow.now_ms)
            for key in keys
        ]
        return choose(rule, found_ways, consents, one.attributes, one.language)

    async def _talking(self, choice: Choice, ctx: IngestContext) -> bool:
        assert choice.way is not None
        identity = ctx.identities.get(choice.way.key)
        if identity is None or not identity.conversation_id:
            return False
        await ctx.threads.load([identity.conversation_id])
        thread = ctx.threads.get(identity.conversation_id)
        if thread is None or thread.unanswered:
            return False
        # What they wrote after the end may be about to open it again; a word of thanks is forgotten in a day.
        since = thread.last_inbound_at_ms
        return not thread.resolved or (since > thread.resolved_at_ms and ctx.uow.now_ms - since < DAY_MS)

    async def _send(self, one: Outreach, choice: Choice, customer: Customer, ctx: IngestContext) -> Outreach:
        way, words, now_ms = choice.way, choice.words, ctx.uow.now_ms
        assert way is not None
        assert words is not None
        await self._cases.have(1, ctx.uow.connection)
        thread, entry = begin(one, way, words, new_id(), self._cases.take(), now_ms)
        ctx.put_entry(thread, entry)
        if ctx.identities.get(way.key) is None and way.channel != ChannelName.MAIL:
            known = (*way.key, False)
            if known not in customer.identities:
                customer = replace(customer, identities=(*customer.identities, known))
                ctx.customers.put(customer)
                told: CustomerIdentified = identified(customer)
                ctx.uow.emit(told)
        point_at(way.key, thread, ctx)
        ctx.put_delivery(_delivery(one, thread, choice, ctx))
        return replace(
            one,
            state=OutreachState.SENT,
            reason="",
            channel=way.channel,
            conversation_id=thread.conversation_id,
            sent_at_ms=now_ms,
        )


def _skipped(one: Outreach, reason: str) -> Outreach:
    return replace(one, state=OutreachState.SKIPPED, reason=reason)


def _delivery(one: Outreach, thread: Thread, choice: Choice, ctx: IngestContext) -> Delivery:
    way, words, now_ms = choice.way, choice.words, ctx.uow.now_ms
    assert way is not None
    assert words is not None
    template = words.filled.template if words.filled else None
    return Delivery(
        delivery_id=one.outreach_id,
        conversation_id=thread.conversation_id,
        source_id=one.outreach_id,
        kind=DeliveryKind.OUTREACH,
        channel=way.channel,
        text=words.text,
        automatic=True,
        state=DeliveryState.WAITING,
        attempts=0,
        due_at_ms=now_ms,
        possibly_twice=False,
        reason="",
        created_at_ms=now_ms,
        finished_at_ms=0,
        account=way.account,
        endpoint=way.endpoint,
        window_ends_at_ms=0 if template else way.ends_at_ms,
        template=template.name if template else "",
        template_language=template.language if template else "",
        template_values=words.filled.values if words.filled else (),
    )
