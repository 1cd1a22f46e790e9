"""Lines with one bug each: the proof that the property can fail."""

from collections.abc import Sequence
from dataclasses import replace

from services.agent.domain.arrivals import Outcome
from services.agent.domain.conversation import Conversation, Understanding
from tests.unit.agent.interleavings import Line


class IgnoresThroughSeq(Line):
    """Counts every resolution for every message, whatever it went through."""

    def settle(self, conversation: Conversation, understood: Understanding) -> Outcome:
        blanked = tuple(replace(span, through_seq=0) for span in conversation.spans)
        after, facts = super().settle(replace(conversation, spans=blanked), understood)
        return replace(after, spans=(*conversation.spans, *after.spans[len(conversation.spans) :])), facts


class ResolvesAllThatIsHere(Line):
    """Takes a message that crossed the resolution for one that its author had seen."""

    def resolve(
        self, conversation: Conversation, through_seq: int, later: Sequence[Understanding]
    ) -> Outcome:
        return super().resolve(conversation, conversation.last_seq, [])


class LosesTheCrossing(Line):
    """Forgets to open the next episode for a request that was here before the resolution."""

    def resolve(
        self, conversation: Conversation, through_seq: int, later: Sequence[Understanding]
    ) -> Outcome:
        return super().resolve(conversation, through_seq, [])


PLANTED = (IgnoresThroughSeq, ResolvesAllThatIsHere, LosesTheCrossing)
