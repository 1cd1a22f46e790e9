"""A conversation that we begin: it is one to others once the customer answers, and then knows its cause."""

from dataclasses import replace

from services.ingest.domain.model import Cause, ChannelName, Entry, EntryKind, Inbound, Thread
from services.ingest.domain.outreach import Outreach, Words
from services.ingest.domain.threads import add_entry, open_thread
from services.ingest.domain.ways import Way


def begin(
    one: Outreach, way: Way, words: Words, conversation_id: str, case_reference: str, now_ms: int
) -> tuple[Thread, Entry]:
    """The thread and its first entry: what we said."""
    by_mail = way.channel == ChannelName.MAIL
    said = Inbound(
        message_id=one.outreach_id,
        channel=way.channel,
        account=way.account,
        received_at_ms=now_ms,
        text=words.text,
        identity=None,
        language=one.language,
        subject=words.subject,
    )
    thread = replace(
        open_thread(said, conversation_id, one.customer_id, case_reference),
        address=way.endpoint if by_mail else "",
        endpoint="" if by_mail else way.endpoint,
        last_inbound_at_ms=0,
        cause=Cause(one.outreach_id, one.rule, one.event_type, words.text, now_ms),
    )
    return add_entry(thread, EntryKind.OUTREACH, words.text, now_ms, one.outreach_id)
