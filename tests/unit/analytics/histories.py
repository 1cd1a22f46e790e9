"""Histories of a conversation as its five topics tell them, and ways in which the topics may interleave."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from services.analytics.domain import learning
from services.analytics.domain.facts import Facts, Message, Signals

Change = Callable[[Facts], Facts]
TOPICS = 5
INGEST, TRIAGE, AGENT, ROUTING, SURVEY = range(TOPICS)


@dataclass
class History:
    """For each topic what it tells, in its order."""

    topics: tuple[list[Change], ...] = field(default_factory=lambda: tuple([] for _ in range(TOPICS)))

    def tell(self, topic: int, change: Change) -> None:
        self.topics[topic].append(change)

    @property
    def length(self) -> int:
        return sum(len(topic) for topic in self.topics)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """One to three episodes; messages may cross a resolution on the wire, trail after it, or answer a survey."""
    history = History()
    now, seq, waiting = 1_000_000, 0, 0
    for episode in range(1, draw(st.integers(1, 3)) + 1):
        trailing = draw(st.integers(0, 2)) if episode > 1 else 0
        for _ in range(trailing):
            seq, now = seq + 1, now + 10
            _message(history, seq, now, draw(st.booleans()), "other", 0.0)
        first = 0
        for _ in range(max(1 - waiting, draw(st.integers(0, 3)))):
            seq, now = seq + 1, now + 10
            first = first or seq
            topic = draw(st.sampled_from(["unknown", "refund", "delivery"]))
            _message(history, seq, now, True, topic, draw(st.sampled_from([0.0, 0.25, 0.75])))
        _open(history, episode, now, first or seq)
        for _ in range(draw(st.integers(0, 2))):
            now += 10
            _reply(history, episode, now, draw(st.booleans()))
        _care(history, episode, now, draw(st.integers(0, 2)), draw(st.booleans()))
        if draw(st.booleans()):
            history.tell(AGENT, lambda f: learning.topic_corrected(f, "invoice"))
        # What the resolver had not seen yet belongs to the next episode.
        waiting = draw(st.integers(0, 1)) if seq > (first or seq) else 0
        now += 10
        _resolve(history, episode, now, seq - waiting)
        _survey(history, episode, now, draw(st.integers(0, 3)))
    return history


def _message(history: History, seq: int, now: int, counted: bool, topic: str, anger: float) -> None:
    history.tell(INGEST, lambda f: learning.message_received(f, Message(seq, now, counted)))
    history.tell(TRIAGE, lambda f: learning.triaged(f, Signals(seq, topic, 2, anger, "en")))


def _open(history: History, episode: int, now: int, first: int) -> None:
    history.tell(
        AGENT,
        lambda f: learning.opened(
            f, episode, now, first, customer_id="k", channel="chat", language="", case_reference="CQ"
        ),
    )


def _reply(history: History, episode: int, now: int, human: bool) -> None:
    history.tell(AGENT, lambda f: learning.replied(f, episode, now, human))
    history.tell(AGENT, lambda f: learning.status_changed(f, episode, "pending_customer", now + 1))
    history.tell(AGENT, lambda f: learning.status_changed(f, episode, "open", now + 3))


def _care(history: History, episode: int, now: int, missed: int, breached: bool) -> None:
    due = now if breached else now + 1000
    history.tell(ROUTING, lambda f: learning.team_assigned(f, episode, f"team{episode}"))
    history.tell(ROUTING, lambda f: learning.clock_started(f, episode, "first_response", episode, due))
    for _ in range(missed):
        history.tell(ROUTING, lambda f: learning.offered(f, episode))
        history.tell(ROUTING, lambda f: learning.offer_missed(f, episode))
    history.tell(ROUTING, lambda f: learning.agent_assigned(f, episode, "anna", "", now + 1))
    if breached:
        history.tell(ROUTING, lambda f: learning.clock_breached(f, episode, "first_response", episode, due))
    history.tell(ROUTING, lambda f: learning.clock_met(f, episode, "first_response", episode, now + 5, 5))


def _resolve(history: History, episode: int, now: int, through_seq: int) -> None:
    history.tell(AGENT, lambda f: learning.resolved(f, episode, now, through_seq, "anna", "solved"))


def _survey(history: History, episode: int, now: int, fate: int) -> None:
    invitation = f"i{episode}"
    if fate == 0:
        history.tell(SURVEY, lambda f: learning.survey_cancelled(f, episode, "capped"))
        return
    history.tell(SURVEY, lambda f: learning.survey_requested(f, episode, invitation, now, now + 500))
    if fate == 1:
        history.tell(SURVEY, lambda f: learning.survey_expired(f, episode))
    else:
        history.tell(SURVEY, lambda f: learning.survey_answered(f, episode, fate + 1, 1, now + 50))
    if fate == 3:
        history.tell(INGEST, lambda f: learning.delivery_failed(f, invitation))
        history.tell(SURVEY, lambda f: learning.survey_answered(f, episode, 1, 2, now + 60))


def interleave(history: History, choices: Sequence[int]) -> list[Change]:
    """One order of arrival: each choice names a topic that tells its next; the order within a topic holds."""
    rest = [list(topic) for topic in history.topics]
    order = []
    for choice in choices:
        ready = [topic for topic in rest if topic]
        if not ready:
            break
        order.append(ready[choice % len(ready)].pop(0))
    for topic in rest:
        order += topic
    return order


def orders() -> st.SearchStrategy[list[int]]:
    """Choices for `interleave`."""
    return st.lists(st.integers(0, TOPICS - 1), max_size=80)
