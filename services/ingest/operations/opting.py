"""A customer's own word on being written to: STOP and its like withdraw consent, once confirmed; START gives it back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from google.protobuf.message import Message

from libs.contracts import ConsentChanged, PayloadAccepted
from libs.contracts import ConsentState as WireState
from libs.runtime import derived_id
from libs.storage import Want
from services.ingest.context import IngestContext
from services.ingest.domain.budget import day_of
from services.ingest.domain.consents import Consent, ConsentState, confirmation, said_by, word_in
from services.ingest.domain.deliveries import Delivery, DeliveryKind, DeliveryState
from services.ingest.domain.model import Inbound, Thread
from services.ingest.operations.going_out import spent

_WIRE = {
    ConsentState.GIVEN: WireState.CONSENT_STATE_GIVEN,
    ConsentState.WITHDRAWN: WireState.CONSENT_STATE_WITHDRAWN,
}


def want_consent(event: PayloadAccepted, ctx: IngestContext) -> Iterator[Want]:
    """The consent that a stop or start word changes."""
    inbound = ctx.prepared[event.raw_id].inbound
    if inbound is not None and inbound.identity is not None and word_in(inbound) is not None:
        yield ctx.consents.want(inbound.identity.row_key)
        yield ctx.auto_replies.want((*inbound.identity.row_key, day_of(ctx.uow.now_ms)))


def quieted(inbound: Inbound, ctx: IngestContext) -> tuple[Inbound, Consent | None]:
    """(the message, the consent that it changes): a stop word is nothing that a person has to answer."""
    word = word_in(inbound)
    if word is None or inbound.identity is None:
        return inbound, None
    changed = said_by(inbound, word, "", ctx.consents.get(inbound.identity.row_key))
    if changed is None and word.state == ConsentState.GIVEN:
        return inbound, None
    return replace(inbound, automatic=True), changed


def note_word(
    inbound: Inbound, changed: Consent, thread: Thread, language: str, ctx: IngestContext
) -> Sequence[Message]:
    """Keeps the changed consent, confirms a withdrawal unless the provider has, and says so."""
    known = ctx.consents.get((changed.channel, changed.account, changed.external_id))
    changed = replace(changed, customer_id=thread.customer_id)
    ctx.consents.put(changed)
    if known is not None and known.state == changed.state:
        return []
    # A provider that hears stop words itself has marked the message, and answers by itself.
    answers = changed.state == ConsentState.WITHDRAWN and not inbound.automatic
    if answers and not spent((changed.channel, changed.account, changed.external_id), ctx):
        word = word_in(inbound)
        spoken = (word.language if word else "") or language
        ctx.put_delivery(_confirming(inbound, changed, thread, confirmation(spoken), ctx))
    return [changed_event(changed)]


def changed_event(consent: Consent) -> ConsentChanged:
    """The event of a consent."""
    return ConsentChanged(
        customer_id=consent.customer_id,
        channel=consent.channel,
        account=consent.account,
        external_id=consent.external_id,
        state=_WIRE[ConsentState(consent.state)],
        source=consent.source,
        actor=consent.actor,
        evidence=consent.evidence,
        changed_at_ms=consent.at_ms,
    )


def _confirming(
    inbound: Inbound, consent: Consent, thread: Thread, text: str, ctx: IngestContext
) -> Delivery:
    return Delivery(
        delivery_id=derived_id("confirmation", inbound.message_id),
        conversation_id=thread.conversation_id,
        source_id=inbound.message_id,
        kind=DeliveryKind.CONFIRMATION,
        channel=consent.channel,
        text=text,
        automatic=True,
        state=DeliveryState.WAITING,
        attempts=0,
        due_at_ms=ctx.uow.now_ms,
        possibly_twice=False,
        reason="",
        created_at_ms=ctx.uow.now_ms,
        finished_at_ms=0,
        traceparent=ctx.uow.traceparent,
        account=consent.account,
        endpoint=consent.external_id,
    )
