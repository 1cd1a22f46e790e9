"""What the handlers of ingest work with in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from google.protobuf.message import Message

from libs.storage import Rows, UnitOfWork
from services.ingest.adapters.arrivals import Arrival, Arrivals
from services.ingest.adapters.desk import Prepared
from services.ingest.adapters.signals import Signals
from services.ingest.adapters.tables import (
    ATTACHMENTS,
    AUTO_REPLIES,
    CONSENTS,
    CUSTOMERS,
    DELIVERIES,
    ENTRIES,
    IDENTITIES,
    MAIL_IDS,
    NOTICES,
    PROVIDER_MESSAGES,
    THREADS,
)
from services.ingest.domain.budget import AutoReplies
from services.ingest.domain.consents import Consent
from services.ingest.domain.deliveries import Delivery, ProviderMessage
from services.ingest.domain.files import Attachment, FileState
from services.ingest.domain.model import Customer, Entry, Identity, MailId, Thread
from services.ingest.domain.notices import Endpoint, Notice
from services.ingest.domain.ways import Senders
from services.ingest.workers.notifying import note

_NOBODY: Final = Senders()


@dataclass(frozen=True, slots=True)
class IngestContext:
    """Rows of this transaction, and what is told to waiting callers once it has committed."""

    uow: UnitOfWork
    identities: Rows[Identity]
    mail_ids: Rows[MailId]
    customers: Rows[Customer]
    threads: Rows[Thread]
    entries: Rows[Entry]
    deliveries: Rows[Delivery]
    provider_messages: Rows[ProviderMessage]
    attachments: Rows[Attachment]
    notices: Rows[Notice]
    consents: Rows[Consent]
    auto_replies: Rows[AutoReplies]
    prepared: Mapping[str, Prepared]
    """Payloads of the batch, by raw id."""
    signals: Signals
    reopen_window_ms: int
    endpoints: tuple[Endpoint, ...] = ()
    """Who is told of events by webhook."""
    senders: Senders = _NOBODY
    """The accounts that can write."""
    most_auto_replies: int = 10
    """Of one sender in a day."""
    arrived: list[Arrival] = field(default_factory=list)
    changed_threads: set[str] = field(default_factory=set)
    new_deliveries: list[str] = field(default_factory=list)
    """Their channels."""
    normalised: set[str] = field(default_factory=set)
    """Raw ids that this transaction has made messages of."""
    files_wait: set[str] = field(default_factory=set)
    """Channels whose providers keep files for us."""

    def put_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds an entry to a thread and wakes those who watch it."""
        self.threads.put(thread)
        self.entries.put(entry)
        self.changed_threads.add(thread.conversation_id)

    def put_files(self, files: Iterable[Attachment], conversation_id: str) -> None:
        """Adds the files of a message, and wakes who fetches those that are not here yet."""
        for one in files:
            self.attachments.put(replace(one, conversation_id=conversation_id))
            if one.state == FileState.WAITING:
                self.files_wait.add(one.channel)

    def tell(self, events: Sequence[Message]) -> Sequence[Message]:
        """Gives the events back, after they were put on their way to those who are told by webhook."""
        if self.endpoints and note(events, self.endpoints, self.notices, self.uow.now_ms):
            self.uow.after_commit(self.signals.notice_waits)
        return events

    def put_delivery(self, delivery: Delivery) -> None:
        """Puts something on its way out and wakes the sender."""
        self.deliveries.put(delivery)
        self.new_deliveries.append(delivery.channel)


def make_context(
    uow: UnitOfWork,
    prepared: Mapping[str, Prepared],
    reopen_window_ms: int,
    arrivals: Arrivals,
    signals: Signals,
    senders: Senders = _NOBODY,
    endpoints: tuple[Endpoint, ...] = (),
    most_auto_replies: int = 10,
) -> IngestContext:
    """The context of a transaction. What changed is told to this process once it is durable."""
    ctx = IngestContext(
        uow=uow,
        identities=uow.rows(IDENTITIES),
        mail_ids=uow.rows(MAIL_IDS),
        customers=uow.rows(CUSTOMERS),
        threads=uow.rows(THREADS),
        entries=uow.rows(ENTRIES),
        deliveries=uow.rows(DELIVERIES),
        provider_messages=uow.rows(PROVIDER_MESSAGES),
        attachments=uow.rows(ATTACHMENTS),
        notices=uow.rows(NOTICES),
        endpoints=endpoints,
        signals=signals,
        prepared=prepared,
        reopen_window_ms=reopen_window_ms,
        senders=senders,
        consents=uow.rows(CONSENTS),
        auto_replies=uow.rows(AUTO_REPLIES),
        most_auto_replies=most_auto_replies,
    )

    def tell() -> None:
        for arrival in ctx.arrived:
            arrivals.arrived(arrival)
        for conversation_id in ctx.changed_threads:
            signals.thread_changed(conversation_id)
        for channel in set(ctx.new_deliveries):
            signals.delivery_waits(channel)
        if ctx.files_wait:
            signals.file_waits()

    uow.after_commit(tell)
    return ctx
