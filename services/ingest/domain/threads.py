"""Which conversation a message belongs to, and its numbers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from services.ingest.domain.model import PROVIDED, ChannelName, Entry, EntryKind, Inbound, Thread

HOPS: Final = 3
"""How far a message follows conversations that were continued as others."""


def newest(thread: Thread, find: Callable[[str], Thread | None]) -> Thread:
    """The conversation that a thread goes on in, at most HOPS links further."""
    for _ in range(HOPS):
        if not thread.continued_as_conversation_id:
            return thread
        following = find(thread.continued_as_conversation_id)
        if following is None:
            return thread
        thread = following
    return thread


def takes(thread: Thread, at_ms: int, window_ms: int) -> bool:
    """Whether a message of `at_ms` goes on in this conversation: it is open, or was resolved within the reopen window; what
    we wrote first is answered within that window, later messages are about something else."""
    if thread.unanswered:
        return at_ms - thread.opened_at_ms <= window_ms
    return not thread.resolved or at_ms - thread.resolved_at_ms <= window_ms


def choose(
    inbound: Inbound,
    candidates: Sequence[str],
    find: Callable[[str], Thread | None],
    window_ms: int,
) -> tuple[Thread | None, Thread | None]:
    """(the thread it goes on in, the old thread that a new one continues); both None for a fresh conversation."""
    for candidate in candidates:
        found = find(candidate)
        if found is None:
            continue
        thread = newest(found, find)
        if takes(thread, inbound.received_at_ms, window_ms):
            return thread, None
        if thread.unanswered:
            continue
        return None, thread
    return None, None


def open_thread(
    inbound: Inbound,
    conversation_id: str,
    customer_id: str,
    case_reference: str,
    continues: str = "",
) -> Thread:
    """A new conversation, still without its first message."""
    return Thread(
        conversation_id=conversation_id,
        customer_id=customer_id,
        channel=inbound.channel,
        account=inbound.account,
        case_reference=case_reference,
        subject=inbound.subject,
        address="",
        last_mail_id="",
        language=inbound.language,
        opened_at_ms=inbound.received_at_ms,
        last_inbound_at_ms=inbound.received_at_ms,
        message_seq=0,
        entry_seq=0,
        opened_episode=1,
        resolved_episode=0,
        resolved_at_ms=0,
        continues_conversation_id=continues,
        continued_as_conversation_id="",
    )


def add_message(thread: Thread, inbound: Inbound) -> tuple[Thread, Entry]:
    """The next customer message of a thread: the next `message_seq`, the next entry.

    Answers go where the customer last was; a mail from another address than the customer's joins the conversation and
    does not take it over.
    """
    same_person = (
        inbound.channel != ChannelName.MAIL or not thread.address or thread.address == inbound.address
    )
    entry = Entry(
        thread.conversation_id,
        thread.entry_seq + 1,
        EntryKind.CUSTOMER,
        inbound.text,
        inbound.full_text or None,
        inbound.received_at_ms,
        inbound.message_id,
        thread.message_seq + 1,
    )
    changed = replace(
        thread,
        message_seq=thread.message_seq + 1,
        entry_seq=thread.entry_seq + 1,
        last_inbound_at_ms=max(thread.last_inbound_at_ms, inbound.received_at_ms),
        subject=thread.subject or inbound.subject,
        language=inbound.language or thread.language,
        address=thread.address or inbound.address,
        last_mail_id=inbound.mail_id or thread.last_mail_id,
        endpoint=_endpoint(thread, inbound) if same_person else thread.endpoint,
        channel=inbound.channel if same_person else thread.channel,
        account=inbound.account if same_person else thread.account,
    )
    return changed, entry


def _endpoint(thread: Thread, inbound: Inbound) -> str:
    if inbound.channel not in PROVIDED:
        return ""
    return inbound.identity.external_id if inbound.identity else thread.endpoint


def add_entry(thread: Thread, kind: EntryKind, text: str, at_ms: int, ref_id: str) -> tuple[Thread, Entry]:
    """The next entry that is not a customer's message."""
    seq = thread.entry_seq + 1
    entry = Entry(thread.conversation_id, seq, kind, text, None, at_ms, ref_id, None)
    return replace(thread, entry_seq=seq), entry


def resolve(thread: Thread, episode: int, at_ms: int) -> Thread:
    """An episode has ended; an older one that is heard of late changes nothing."""
    if episode <= thread.resolved_episode:
        return thread
    return replace(thread, resolved_episode=episode, resolved_at_ms=at_ms)


def open_episode(thread: Thread, episode: int) -> Thread:
    """An episode has begun."""
    return replace(thread, opened_episode=max(thread.opened_episode, episode))
