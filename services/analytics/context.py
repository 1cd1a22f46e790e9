"""What the handlers of analytics work on: the rows of one transaction, and how a fact is learned."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from libs.storage import Rows, UnitOfWork, Want
from libs.streams import Erasure, erasures
from libs.web import Broadcast
from services.analytics.adapters import values
from services.analytics.domain.facts import Facts
from services.analytics.domain.outcome import survey_delivered
from services.analytics.domain.promises import Promise
from services.analytics.domain.standing import standing_of
from services.analytics.settings import AnalyticsSettings

PUBLISH: Final = "outcome.publish"
"""Kind of the timer after which a conversation's outcomes are looked at; its key is the conversation, so that the
owner of the facts is the owner of the timer."""


@dataclass(frozen=True, slots=True)
class AnalyticsContext:
    """One transaction."""

    uow: UnitOfWork
    settings: AnalyticsSettings
    feed_bell: Broadcast
    conversations: Rows[values.Conversation]
    episodes: Rows[values.Episode]
    feed: Rows[values.FeedEntry]
    counter: Rows[values.FeedCounter]
    labels: Rows[values.Label]
    persons: Rows[values.Person]
    erasures: Rows[Erasure]
    promises: Rows[Promise]
    presence: Rows[values.Presence]
    presence_intervals: Rows[values.PresenceInterval]

    def conversation(self, conversation_id: str) -> list[Want]:
        """The one row that a fact of a conversation needs."""
        return [self.conversations.want(conversation_id)]

    def learn(
        self,
        conversation_id: str,
        change: Callable[[Facts], Facts],
        *,
        episode: int = 0,
        seq: int = 0,
        shows: bool = False,
        published: bool = True,
    ) -> None:
        """Puts a fact to the others.

        It concerns an `episode`, or the one of message `seq`, or by default any; when that one has ended, its outcome
        is looked at again soon, unless what is `published` does not depend on the fact. `shows` says that the columns
        of an open episode may have changed.
        """
        row = self.conversations.get(conversation_id) or values.Conversation(
            conversation_id, Facts(), idle_from_ms=self.uow.now_ms
        )
        facts = change(row.facts)
        if facts is row.facts:
            return
        due_at_ms = row.due_at_ms
        if published and _concerns_ended(facts, episode or (facts.episode_of(seq) if seq else 0)):
            soon = self.uow.now_ms + self.settings.settle_ms
            if not due_at_ms or soon < due_at_ms:
                due_at_ms = soon
                self.uow.set_timer(PUBLISH, conversation_id, soon)
        row = replace(row, facts=facts, due_at_ms=due_at_ms)
        self.conversations.put(with_open_episode(row) if shows else row)

    def survey_went_out(self, conversation_id: str, episode: int) -> None:
        """Counts the episode for the response rate at once; its outcome stays as it is."""
        row = self.episodes.get((conversation_id, episode))
        if row is not None and not row.survey_delivered:
            conversation = self.conversations.get(conversation_id)
            delivered = conversation is not None and survey_delivered(conversation.facts, episode)
            self.episodes.put(replace(row, survey_delivered=delivered))

    def name(self, label: values.Label) -> None:
        """Keeps the newest name of a team or a person."""
        before = self.labels.get((label.kind, label.id))
        if before is None or label.version >= before.version:
            self.labels.put(label)


def _concerns_ended(facts: Facts, episode: int) -> bool:
    if episode:
        return facts.span(episode).ended
    return any(span.ended for span in facts.spans)


def with_open_episode(row: values.Conversation) -> values.Conversation:
    """The row with the columns of the first episode that has no outcome yet."""
    standing = standing_of(row.facts, row.published)
    if standing is not None:
        return replace(row, open_since_ms=standing.opened_at_ms, open_episode=standing, idle_from_ms=0)
    return replace(row, open_since_ms=0, open_episode=None) if row.open_since_ms else row


def context_of(settings: AnalyticsSettings, feed_bell: Broadcast) -> Callable[[UnitOfWork], AnalyticsContext]:
    """Builds the context of each transaction."""

    def context(uow: UnitOfWork) -> AnalyticsContext:
        return AnalyticsContext(
            uow=uow,
            settings=settings,
            feed_bell=feed_bell,
            conversations=uow.rows(values.CONVERSATIONS),
            episodes=uow.rows(values.EPISODES),
            feed=uow.rows(values.FEED_ENTRIES),
            counter=uow.rows(values.FEED_COUNTERS),
            labels=uow.rows(values.LABELS),
            persons=uow.rows(values.PERSONS),
            erasures=erasures(uow),
            promises=uow.rows(values.PROMISES),
            presence=uow.rows(values.PRESENCE),
            presence_intervals=uow.rows(values.PRESENCE_INTERVALS),
        )

    return context
