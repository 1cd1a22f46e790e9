"""The account at the end: what customers and agents did, by their own record, against what the platform shows.

Every comparison is by id and content. What the platform counted itself is not asked.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from services.demo.books import Books, Difference, Kind, our_conversations, recorded_ids
from services.demo.checks_messages import message_differences
from services.demo.checks_outcomes import outcome_differences
from services.demo.seen import Seen


@dataclass(frozen=True, slots=True)
class Account:
    """The result."""

    conversations: int
    episodes: int
    outcomes: int
    messages: int
    replies: int
    surveys: int
    trailing: Mapping[str, int]
    """Messages that opened nothing, by cause."""
    differences: tuple[Difference, ...]

    def count(self, kind: Kind) -> int:
        """How many differences of that kind."""
        return sum(one.kind == kind for one in self.differences)

    def line(self) -> str:
        """The one line."""
        wrong = f", {self.count('wrong')} wrong" if self.count("wrong") else ""
        return (
            f"{self.conversations} conversations, {self.episodes} episodes, {self.outcomes} outcomes: "
            f"{self.count('lost')} lost, {self.count('doubled')} doubled{wrong}"
        )


def settle(books: Books, seen: Seen) -> Account:
    """Compares."""
    found: list[Difference] = [Difference("wrong", f"never answered: {one}") for one in books.unanswered]
    found += message_differences(books, seen)
    found += outcome_differences(books, seen)
    ours = our_conversations(books, seen)
    return Account(
        conversations=len(ours),
        episodes=len({(one.conversation_id, one.episode) for one in books.resolves}),
        outcomes=len({o["episode_id"] for o in seen.outcomes if seen.alone or o["conversation_id"] in ours}),
        messages=sum(not one.refused for one in books.messages.values()),
        replies=len(books.replies),
        surveys=len(books.answers),
        trailing=Counter(cause for one, cause in seen.trailing.items() if one in recorded_ids(books)),
        differences=tuple(found),
    )
