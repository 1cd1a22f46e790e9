"""A payload becomes a numbered message of a customer's conversation."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from google.protobuf.message import Message

from libs.contracts import Attachment as AttachmentRecord
from libs.contracts import Cause as CauseRecord
from libs.contracts import (
    ConversationContinued,
    MessageReceived,
    PayloadAccepted,
    Purpose,
)
from libs.storage import NotLoaded, Want
from libs.streams import Reject
from services.ingest.adapters.arrivals import Arrival
from services.ingest.adapters.desk import Prepared
from services.ingest.adapters.wire import CHANNELS, identified
from services.ingest.context import IngestContext
from services.ingest.domain import threads as rules
from services.ingest.domain.customers import learn, new_customer, new_identity
from services.ingest.domain.files import Attachment
from services.ingest.domain.mail_threading import noted_ids
from services.ingest.domain.model import (
    PROVIDED,
    ChannelName,
    Customer,
    Identity,
    Inbound,
    MailId,
    Thread,
)
from services.ingest.operations.opting import note_word, quieted, want_consent
from services.ingest.operations.statuses import apply_news


def want_first(event: PayloadAccepted, ctx: IngestContext) -> Iterator[Want]:
    """The sender's identity, and the threads the message names."""
    inbound = ctx.prepared[event.raw_id].inbound
    if inbound is None:
        return
    if inbound.identity is not None:
        yield ctx.identities.want(inbound.identity.row_key)
    yield from want_consent(event, ctx)
    for conversation_id in inbound.threads:
        yield ctx.threads.want(conversation_id)
    for mail_id in (inbound.mail_id, *inbound.mail_references):
        if mail_id:
            for address in {*inbound.party.sought, *inbound.party.noted}:
                yield ctx.mail_ids.want((address, mail_id))


def want_second(event: PayloadAccepted, ctx: IngestContext) -> Iterator[Want]:
    """The customer of the identity, and their chat."""
    inbound = ctx.prepared[event.raw_id].inbound
    if inbound is None:
        return
    identity = _identity(inbound, ctx)
    if identity is not None:
        yield ctx.customers.want(identity.customer_id)
    for conversation_id in _candidates(inbound, identity, ctx):
        yield ctx.threads.want(conversation_id)


def want_continued(event: PayloadAccepted, ctx: IngestContext) -> Iterator[Want]:
    """One link further along conversations that go on as others, and the customers of all."""
    inbound = ctx.prepared[event.raw_id].inbound
    if inbound is None:
        return
    for candidate in _candidates(inbound, _identity(inbound, ctx), ctx):
        thread = ctx.threads.get(candidate)
        while thread is not None:
            yield ctx.customers.want(thread.customer_id)
            following = thread.continued_as_conversation_id
            if not following:
                break
            yield ctx.threads.want(following)
            thread = _loaded(ctx, following)


def _loaded(ctx: IngestContext, conversation_id: str) -> Thread | None:
    try:
        return ctx.threads.get(conversation_id)
    except NotLoaded:
        return None


def _identity(inbound: Inbound, ctx: IngestContext) -> Identity | None:
    return None if inbound.identity is None else ctx.identities.get(inbound.identity.row_key)


def _candidates(inbound: Inbound, identity: Identity | None, ctx: IngestContext) -> Sequence[str]:
    """Named threads first. Without any, a mail goes where another went that it refers to, or that refers to it, when the
    two are of one party; a known person's chat goes where it was; a claimed name proves nothing."""
    if inbound.threads:
        return inbound.threads
    if inbound.channel == ChannelName.MAIL:
        ids = [one for one in (*inbound.mail_references, inbound.mail_id) if one]
        found = (ctx.mail_ids.get((address, id_)) for id_ in ids for address in inbound.party.sought)
        return tuple(dict.fromkeys(known.conversation_id for known in found if known is not None))
    if follows_identity(inbound) and identity is not None:
        return (identity.conversation_id,) if identity.conversation_id else ()
    return ()


def normalise(prepared: Prepared, ctx: IngestContext) -> list[Message]:
    """Threads and numbers one message. Raises Reject when its payload cannot be read."""
    inbound = prepared.inbound
    if prepared.done or (inbound is not None and inbound.message_id in ctx.normalised):
        return []
    if prepared.fault:
        raise Reject(prepared.fault)
    if inbound is None:
        return apply_news(prepared, ctx)
    said, (inbound, consent) = inbound, quieted(inbound, ctx)
    identity = _identity(inbound, ctx)
    thread, old = rules.choose(
        inbound, _candidates(inbound, identity, ctx), ctx.threads.get, ctx.reopen_window_ms
    )
    events: list[Message] = []
    known = thread or old
    customer_id = known.customer_id if known else identity.customer_id if identity else prepared.customer_id
    customer, news = _customer(inbound, identity, customer_id, known, ctx)
    events += news
    if thread is None:
        thread = rules.open_thread(
            inbound,
            prepared.conversation_id,
            customer_id,
            prepared.case_reference,
            old.conversation_id if old else "",
        )
        if old is not None:
            ctx.threads.put(replace(old, continued_as_conversation_id=thread.conversation_id))
            events.append(
                ConversationContinued(
                    conversation_id=old.conversation_id,
                    continued_as_conversation_id=thread.conversation_id,
                    continued_at_ms=inbound.received_at_ms,
                )
            )
    thread, entry = rules.add_message(thread, inbound)
    if inbound.channel == ChannelName.MAIL and not inbound.threads:
        events += _bridge(thread, _candidates(inbound, identity, ctx), ctx)
    ctx.put_entry(thread, entry)
    ctx.normalised.add(inbound.message_id)
    ctx.put_files(prepared.files, thread.conversation_id)
    _note_identity(inbound, identity, thread, ctx)
    for mail_id in noted_ids(inbound.mail_id, inbound.mail_references):
        for address in inbound.party.noted:
            if ctx.mail_ids.get((address, mail_id)) is None:
                ctx.mail_ids.put(MailId(address, mail_id, thread.conversation_id))
    seq = thread.message_seq
    ctx.arrived.append(
        Arrival(inbound.message_id, thread.conversation_id, customer_id, thread.case_reference, seq)
    )
    language = _language(inbound, customer, prepared)
    if consent is not None:
        events += note_word(said, consent, thread, language, ctx)
    events.append(_received(inbound, thread, language, seq, prepared.files))
    return events


def _bridge(thread: Thread, candidates: Sequence[str], ctx: IngestContext) -> list[Message]:
    """A mail that comes after those around it shows that their conversations are one: the others go on in its own."""
    events: list[Message] = []
    for candidate in candidates:
        found = ctx.threads.get(candidate)
        other = rules.newest(found, ctx.threads.get) if found else None
        if other is None or other.conversation_id == thread.conversation_id:
            continue
        if other.continued_as_conversation_id:
            continue
        ctx.threads.put(replace(other, continued_as_conversation_id=thread.conversation_id))
        events.append(
            ConversationContinued(
                conversation_id=other.conversation_id,
                continued_as_conversation_id=thread.conversation_id,
                continued_at_ms=ctx.uow.now_ms,
            )
        )
    return events


def follows_identity(inbound: Inbound) -> bool:
    """Whether a person has one conversation at a time on this channel: their provider, the operator, or their session
    vouches for them."""
    if inbound.one_thread or inbound.channel in PROVIDED:
        return True
    return inbound.channel == ChannelName.CHAT and inbound.verified


def _stranger(inbound: Inbound, thread: Thread | None) -> bool:
    """A mail that joined a conversation from another address than its customer's."""
    return (
        thread is not None
        and inbound.channel == ChannelName.MAIL
        and bool(thread.address)
        and thread.address != inbound.address
    )


def _customer(
    inbound: Inbound,
    identity: Identity | None,
    customer_id: str,
    thread: Thread | None,
    ctx: IngestContext,
) -> tuple[Customer | None, list[Message]]:
    """The customer with what the message teaches of them, and the event that says so if anything is new."""
    if thread is None and customer_id == ctx.prepared[inbound.message_id].customer_id:
        stored = None
        customer = learn(new_customer(inbound, customer_id), inbound)
    else:
        stored = ctx.customers.get(customer_id)
        if stored is None or _stranger(inbound, thread):
            return stored, []
        another = identity is not None and identity.customer_id != customer_id
        customer = learn(stored, replace(inbound, identity=None) if another else inbound)
    if customer == stored:
        return customer, []
    ctx.customers.put(customer)
    return customer, [identified(customer)]


def _note_identity(inbound: Inbound, identity: Identity | None, thread: Thread, ctx: IngestContext) -> None:
    key = inbound.identity
    if key is None or _stranger(inbound, thread):
        return
    noted = identity or new_identity(key, thread.customer_id, inbound.verified)
    noted = replace(noted, verified=noted.verified or inbound.verified)
    if follows_identity(inbound):
        noted = replace(noted, conversation_id=thread.conversation_id)
    if inbound.channel in PROVIDED:
        noted = replace(noted, last_inbound_at_ms=max(noted.last_inbound_at_ms, inbound.received_at_ms))
    if noted != identity:
        ctx.identities.put(noted)


def _language(inbound: Inbound, customer: Customer | None, prepared: Prepared) -> str:
    return inbound.language or (customer.language if customer else "") or prepared.account_language


def _received(
    inbound: Inbound, thread: Thread, language_hint: str, seq: int, files: Sequence[Attachment]
) -> MessageReceived:
    event = MessageReceived(
        message_id=inbound.message_id,
        conversation_id=thread.conversation_id,
        customer_id=thread.customer_id,
        message_seq=seq,
        channel=CHANNELS[inbound.channel],
        account=inbound.account,
        text=inbound.text,
        subject=inbound.subject,
        truncated=inbound.truncated,
        language_hint=language_hint,
        received_at_ms=inbound.received_at_ms,
        case_reference=thread.case_reference,
        purpose=Purpose.PURPOSE_CONVERSATION,
        automatic=inbound.automatic,
        continues_conversation_id=thread.continues_conversation_id if seq == 1 else "",
        attachments=[
            AttachmentRecord(
                attachment_id=file.attachment_id,
                name=file.name,
                media_type=file.media_type,
                size=file.size,
                inline=file.inline,
            )
            for file in files
        ],
    )
    if thread.cause is not None and seq == 1:
        event.cause.CopyFrom(CauseRecord(**asdict(thread.cause)))
    return event
