"""What tests of the survey service do over and over."""

from libs.contracts import ConversationResolved, EpisodeCause, EpisodeOpened
from services.survey.adapters.contracts import invitation_id
from tests.support.harness import START_MS, ServiceUnderTest

MINUTE = 60_000
DAY = 86_400_000


def resolved(
    conversation: str = "c1",
    episode: int = 1,
    *,
    customer: str = "p1",
    channel: str = "chat",
    language: str = "en",
    reason: str = "solved",
    at_ms: int = START_MS,
) -> ConversationResolved:
    """An episode has ended."""
    return ConversationResolved(
        conversation_id=conversation,
        episode=episode,
        through_seq=3,
        resolved_by="anna",
        resolved_at_ms=at_ms,
        customer_id=customer,
        channel=channel,
        language=language,
        reason=reason,
    )


def reopened(conversation: str = "c1", episode: int = 2, *, at_ms: int = START_MS + MINUTE) -> EpisodeOpened:
    """The customer wrote again."""
    return EpisodeOpened(
        conversation_id=conversation,
        episode=episode,
        cause=EpisodeCause.EPISODE_CAUSE_REOPENED,
        first_seq=4,
        opened_at_ms=at_ms,
        customer_id="p1",
        channel="chat",
        language="en",
    )


async def run(service: ServiceUnderTest) -> None:
    """Handles what has happened, then what is due: timers are looked at four times a second."""
    await service.settle()
    service.clock.advance(250)
    await service.settle()


async def invited(service: ServiceUnderTest, conversation: str = "c1", **event: object) -> str:
    """Resolves a conversation, lets the invitation go out, and gives the path of its page."""
    await service.publish(resolved(conversation, **event))  # type: ignore[arg-type]  # names are checked there
    await run(service)
    return await link_of(service, conversation)


async def link_of(service: ServiceUnderTest, conversation: str = "c1", episode: int = 1) -> str:
    """The path of the page, as the sender learns it."""
    async with service.client("service", "ingest") as client:
        answer = await client.get(f"/v1/invitations/{invitation_id(conversation, episode)}/link")
    assert answer.status_code == 200, answer.text
    link: str = answer.json()["link"]
    assert link.startswith("http://public.test/survey/v1/s/")
    return link.removeprefix("http://public.test/survey")
