"""A conversation's messages, decisions and resolutions, played in any order, and the truth they must come to.

Messages come from one topic and decisions from another, each in order; resolutions happen when somebody can resolve.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from services.agent.domain.acts import check_resolve, resolve
from services.agent.domain.arrivals import Outcome, begin, receive, settle
from services.agent.domain.conversation import Conversation, EpisodeBegan, Fact, Understanding
from services.agent.domain.episodes import Kind, is_opening
from services.agent.domain.errors import Refusal
from tests.unit.agent.values import NOW_MS, decision, message

MESSAGE, DECISION, RESOLVE = "message", "decision", "resolve"
Step = tuple[str, int]


@dataclass(frozen=True)
class Story:
    """Kinds of the messages 1..n and the `through_seq` of each resolution, in order."""

    kinds: tuple[Kind, ...]
    resolutions: tuple[int, ...]

    @property
    def steps(self) -> list[Step]:
        """Everything that happens, in the order in which a slow customer would cause it."""
        arrivals = [(what, seq) for seq in range(1, len(self.kinds) + 1) for what in (MESSAGE, DECISION)]
        return arrivals + [(RESOLVE, through) for through in self.resolutions]

    def openings(self) -> list[int]:
        return [seq for seq, kind in enumerate(self.kinds, 1) if is_opening(seq, kind)]

    def truth(self) -> list[tuple[int, int]]:
        """Episode and first message of every episode, computed from the whole story at once."""
        first: dict[int, int] = {}
        for seq in self.openings():
            episode = 1 + len([through for through in self.resolutions if through < seq])
            first.setdefault(episode, seq)
        return sorted(first.items())


class Line:
    """The real rule. Variants with one bug each are in `planted`."""

    def settle(self, conversation: Conversation, understood: Understanding) -> Outcome:
        return settle(conversation, understood)

    def resolve(
        self, conversation: Conversation, through_seq: int, later: Sequence[Understanding]
    ) -> Outcome:
        return resolve(conversation, through_seq, "solved", "anna", NOW_MS, later)


@dataclass
class Played:
    """What came out."""

    conversation: Conversation
    facts: list[Fact] = field(default_factory=list)

    def episodes(self) -> list[tuple[int, int]]:
        """Episode and first message as told to others."""
        return sorted((f.episode, f.first_seq) for f in self.facts if isinstance(f, EpisodeBegan))


def play(story: Story, order: Sequence[Step], line: Line) -> Played:
    """Plays the steps; a resolution that is not possible yet is tried again after each further step."""
    played = Played(begin("c1", "customer-1", "chat", NOW_MS + 1000))
    received: set[int] = set()
    decided: set[int] = set()
    settled: dict[int, Understanding] = {}
    wanted: list[int] = []

    def settle_if_whole(seq: int) -> None:
        if seq in received and seq in decided:
            settled[seq] = decision(seq, story.kinds[seq - 1]).settled_with(message(seq).origin)
            played.conversation, facts = line.settle(played.conversation, settled[seq])
            played.facts += facts

    def resolve_what_can_be() -> None:
        while wanted:
            try:
                check_resolve(played.conversation, wanted[0])
            except Refusal:
                return
            through = wanted.pop(0)
            later = [settled[seq] for seq in sorted(settled) if seq > through and settled[seq].opens]
            played.conversation, facts = line.resolve(played.conversation, through, later)
            played.facts += facts

    for what, number in order:
        if what == MESSAGE:
            played.conversation = receive(played.conversation, message(number))
            received.add(number)
            settle_if_whole(number)
        elif what == DECISION:
            decided.add(number)
            settle_if_whole(number)
        else:
            wanted.append(number)
        resolve_what_can_be()
    return played


@st.composite
def stories(draw: st.DrawFn, *, resolved: bool = True) -> Story:
    """Stories whose resolutions can all happen: each covers the message that opened its episode."""
    kinds = tuple(draw(st.lists(st.sampled_from(Kind), min_size=1, max_size=8)))
    resolutions: list[int] = []
    openings = Story(kinds, ()).openings()
    through = 0
    while resolved and (left := [seq for seq in openings if seq > through]) and draw(st.booleans()):
        through = draw(st.integers(left[0], len(kinds)))
        resolutions.append(through)
    return Story(kinds, tuple(resolutions))


@st.composite
def merged(draw: st.DrawFn, story: Story) -> list[Step]:
    """One of the orders that the topics allow: messages, decisions and resolutions each in their own order."""
    queues = [
        [step for step in story.steps if step[0] == what][::-1] for what in (MESSAGE, DECISION, RESOLVE)
    ]
    order = []
    while any(queues):
        order.append(draw(st.sampled_from([queue for queue in queues if queue])).pop())
    return order
