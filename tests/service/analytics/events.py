"""The life of one conversation as the other services tell it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from libs.contracts import (
    AgentAssigned,
    AgentOffered,
    Channel,
    ConversationResolved,
    ConversationTriaged,
    EpisodeCause,
    EpisodeOpened,
    Kind,
    MessageReceived,
    OfferClosed,
    OfferOutcome,
    ReplySent,
    Signal,
    SlaMet,
    SlaMetric,
    SlaStarted,
    SurveyAnswered,
    SurveyRequested,
    TeamAssigned,
    Urgency,
)

MINUTE = 60_000


@dataclass(frozen=True)
class Life:
    """Events of an episode that begins at `at_ms` with message `seq` and is resolved 30 minutes later."""

    conversation: str
    at_ms: int
    episode: int = 1
    seq: int = 1
    team: str = "billing"
    topic: str = "refund"
    channel: str = "chat"
    wait_min: int = 2
    reply_min: int = 5
    resolve_min: int = 30

    def _key(self) -> Mapping[str, Any]:
        return {"conversation_id": self.conversation, "episode": self.episode}

    def after(self, minutes: int) -> int:
        return self.at_ms + minutes * MINUTE

    def messages(self) -> list[Message]:
        return [
            MessageReceived(
                message_id=f"{self.conversation}-{self.seq}",
                conversation_id=self.conversation,
                customer_id="k1",
                message_seq=self.seq,
                channel=Channel.CHANNEL_CHAT,
                text="Where is my money?",
                received_at_ms=self.at_ms,
            )
        ]

    def signals(self) -> list[Message]:
        return [
            ConversationTriaged(
                conversation_id=self.conversation,
                message_id=f"{self.conversation}-{self.seq}",
                message_seq=self.seq,
                kind=Kind.KIND_REQUEST,
                topic=Signal(value=self.topic, confidence=0.9),
                language=Signal(value="en", confidence=0.9),
                urgency=Urgency.URGENCY_HIGH,
                anger=0.25,
            )
        ]

    def opening(self) -> Message:
        return EpisodeOpened(
            **self._key(),
            cause=EpisodeCause.EPISODE_CAUSE_FIRST_MESSAGE,
            first_seq=self.seq,
            opened_at_ms=self.at_ms + 40,
            customer_id="k1",
            channel=self.channel,
            language="en",
            case_reference="CQ7-X2M4K",
        )

    def assignments(self) -> list[Message]:
        clock: Mapping[str, Any] = {"metric": SlaMetric.SLA_METRIC_FIRST_RESPONSE, "instance": 1}
        return [
            TeamAssigned(**self._key(), team_id=self.team, queue_id=self.team, assigned_at_ms=self.at_ms),
            SlaStarted(**self._key(), **clock, started_at_ms=self.at_ms, due_at_ms=self.after(10)),
            AgentOffered(**self._key(), offer_id="o1", agent_id="bob", team_id=self.team),
            OfferClosed(
                **self._key(), offer_id="o1", agent_id="bob", outcome=OfferOutcome.OFFER_OUTCOME_EXPIRED
            ),
            AgentOffered(**self._key(), offer_id="o2", agent_id="anna", team_id=self.team),
            AgentAssigned(
                **self._key(), agent_id="anna", team_id=self.team, assigned_at_ms=self.after(self.wait_min)
            ),
            SlaMet(
                **self._key(),
                **clock,
                met_at_ms=self.after(self.reply_min),
                elapsed_ms=self.reply_min * MINUTE,
            ),
        ]

    def replies(self) -> list[Message]:
        return [
            ReplySent(
                **self._key(),
                reply_id="r0",
                agent_id="bot",
                text="We got it",
                human=False,
                sent_at_ms=self.after(1),
            ),
            ReplySent(
                **self._key(),
                reply_id="r1",
                agent_id="anna",
                text="On its way",
                human=True,
                sent_at_ms=self.after(self.reply_min),
            ),
        ]

    def resolution(self, through_seq: int | None = None) -> Message:
        return ConversationResolved(
            **self._key(),
            through_seq=through_seq or self.seq,
            resolved_by="anna",
            resolved_at_ms=self.after(self.resolve_min),
            customer_id="k1",
            channel=self.channel,
            language="en",
            reason="solved",
        )

    def invitation(self) -> Message:
        return SurveyRequested(
            **self._key(),
            invitation_id=f"i-{self.conversation}-{self.episode}",
            requested_at_ms=self.after(self.resolve_min + 5),
            expires_at_ms=self.after(self.resolve_min + 5) + 14 * 86_400_000,
        )

    def answer(self, score: int, revision: int = 1) -> Message:
        return SurveyAnswered(
            **self._key(),
            invitation_id=f"i-{self.conversation}-{self.episode}",
            score=score,
            scale_max=5,
            revision=revision,
            answered_at_ms=self.after(self.resolve_min + 20 + revision),
        )

    def until_resolved(self) -> list[Message]:
        return [
            *self.messages(),
            *self.signals(),
            self.opening(),
            *self.assignments(),
            *self.replies(),
            self.resolution(),
        ]
