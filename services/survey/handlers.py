"""Some time after an episode has ended its customer is asked, once, unless it went on or they were asked lately."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from google.protobuf.message import Message

from libs.contracts import (
    ConversationResolved,
    CustomerErased,
    CustomersLinked,
    CustomersUnlinked,
    EpisodeCause,
    EpisodeOpened,
    SurveyCancelled,
    SurveyExpired,
    SurveyRequested,
)
from libs.storage import Want
from libs.streams import Due, Received, StreamRouter, erase, without_person
from libs.telemetry import metrics
from services.survey.adapters.contracts import before_reopening, fate_of, invitation_id, scheduled
from services.survey.adapters.erasing import forget
from services.survey.adapters.tables import Customer, Person
from services.survey.context import SurveyContext
from services.survey.domain import invitations
from services.survey.domain.invitations import Invitation, Postponed, State

SEND: Final = "survey.send"
EXPIRE: Final = "survey.expire"

stream = StreamRouter[SurveyContext](group="survey")


def _resolved(event: ConversationResolved, ctx: SurveyContext) -> Iterable[Want]:
    return [
        ctx.invitations.want(invitation_id(event.conversation_id, event.episode)),
        ctx.customers.want(event.customer_id),
        ctx.erasures.want(event.customer_id),
    ]


def _before(event: EpisodeOpened, ctx: SurveyContext) -> Iterable[Want]:
    return [ctx.invitations.want(invitation_id(event.conversation_id, event.episode - 1))]


def _due(due: Due, ctx: SurveyContext) -> Iterable[Want]:
    return [ctx.invitations.want(due.key)]


def _person(due: Due, ctx: SurveyContext) -> Iterable[Want]:
    invitation = ctx.invitations.get(due.key)
    return [ctx.persons.want(invitation.customer_id)] if invitation is not None else []


def _customers(due: Due, ctx: SurveyContext) -> Iterable[Want]:
    invitation = ctx.invitations.get(due.key)
    return [ctx.customers.want(id_) for id_ in _same(invitation, ctx)] if invitation is not None else []


def _same(invitation: Invitation, ctx: SurveyContext) -> tuple[str, ...]:
    """All customers who are the person to be asked."""
    person = ctx.persons.get(invitation.customer_id)
    return person.customer_ids if person is not None else (invitation.customer_id,)


@stream.on(ConversationResolved, load=_resolved)
async def schedule(received: Received[ConversationResolved], ctx: SurveyContext) -> Sequence[Message]:
    """Plans the invitation of the episode, once."""
    event = without_person(received.event, ctx.erasures)
    if ctx.invitations.get(invitation_id(event.conversation_id, event.episode)) is not None:
        return []
    invitation = scheduled(event, ctx.rules.definition, ctx.rules.default_language, ctx.rules.policy)
    ctx.invitations.put(invitation)
    # Made here, so that two senders always find the row that they have to wait for.
    if event.customer_id and ctx.customers.get(event.customer_id) is None:
        ctx.customers.put(Customer(event.customer_id, 0))
    ctx.uow.set_timer(SEND, invitation.invitation_id, invitation.due_at_ms)
    return []


@stream.on(EpisodeOpened, emits=[SurveyCancelled], load=_before)
async def cancel_on_reopening(received: Received[EpisodeOpened], ctx: SurveyContext) -> Sequence[Message]:
    """What was not sent when the conversation went on is never sent, whichever event comes first."""
    event = received.event
    if event.cause != EpisodeCause.EPISODE_CAUSE_REOPENED or event.episode < 2:
        return []
    rules = ctx.rules
    known = ctx.invitations.get(invitation_id(event.conversation_id, event.episode - 1))
    planned = known or before_reopening(event, rules.definition, rules.default_language)
    cancelled = invitations.reopen(planned, event.opened_at_ms)
    if cancelled is None:
        return []
    ctx.uow.cancel_timer(SEND, cancelled.invitation_id)
    return _settled(ctx, cancelled, event.opened_at_ms)


@stream.timer(SEND, emits=[SurveyRequested, SurveyCancelled], load=[_due, _person, _customers])
async def send(due: Due, ctx: SurveyContext) -> Sequence[Message]:
    """Asks, or says why not. The person's rows are held meanwhile: nobody else can ask them at the same time."""
    planned = ctx.invitations.get(due.key)
    if planned is None:
        return []
    customer = ctx.customers.get(planned.customer_id) or Customer(planned.customer_id, 0)
    asked = [known for id_ in _same(planned, ctx) if (known := ctx.customers.get(id_)) is not None]
    last_ms = max((known.last_requested_at_ms for known in asked), default=0)
    outcome = invitations.send(planned, ctx.rules.policy, last_ms, due.now_ms)
    if outcome is None:
        return []
    if isinstance(outcome, Postponed):
        ctx.uow.set_timer(SEND, planned.invitation_id, outcome.until_ms)
        ctx.invitations.put(replace(planned, due_at_ms=outcome.until_ms))
        return []
    if outcome.state is State.REQUESTED:
        ctx.customers.put(replace(customer, last_requested_at_ms=due.now_ms))
        ctx.uow.set_timer(EXPIRE, outcome.invitation_id, outcome.expires_at_ms)
    return _settled(ctx, outcome, due.now_ms)


def _persons(event: CustomersLinked | CustomersUnlinked, ctx: SurveyContext) -> Iterable[Want]:
    return [ctx.persons.want(id_) for person in event.persons for id_ in person.customer_ids]


@stream.on(CustomersLinked, load=_persons)
async def join_customers(received: Received[CustomersLinked], ctx: SurveyContext) -> Sequence[Message]:
    """Who is one person is asked as one."""
    return _keep_persons(received.event, ctx)


@stream.on(CustomersUnlinked, load=_persons)
async def separate_customers(received: Received[CustomersUnlinked], ctx: SurveyContext) -> Sequence[Message]:
    return _keep_persons(received.event, ctx)


def _keep_persons(event: CustomersLinked | CustomersUnlinked, ctx: SurveyContext) -> Sequence[Message]:
    for person in event.persons:
        for customer_id in person.customer_ids:
            known = ctx.persons.get(customer_id)
            if known is None or known.version < event.version:
                ctx.persons.put(Person(customer_id, event.version, tuple(person.customer_ids)))
    return []


@stream.on(CustomerErased)
async def forget_customer(received: Received[CustomerErased], ctx: SurveyContext) -> Sequence[Message]:
    customer_id = received.event.customer_id
    erase(ctx.uow, customer_id, partial(forget, customer_id=customer_id))
    return []


@stream.timer(EXPIRE, emits=[SurveyExpired], load=_due)
async def expire(due: Due, ctx: SurveyContext) -> Sequence[Message]:
    """Closes an invitation that nobody answered."""
    invitation = ctx.invitations.get(due.key)
    expired = invitations.expire(invitation) if invitation is not None else None
    return [] if expired is None else _settled(ctx, expired, expired.expires_at_ms)


def _settled(ctx: SurveyContext, invitation: Invitation, at_ms: int) -> Sequence[Message]:
    ctx.invitations.put(invitation)
    ctx.uow.after_commit(metrics.surveys.labels(invitation.state.value).inc)
    return [fate_of(invitation, ctx.rules.definition, at_ms)]
