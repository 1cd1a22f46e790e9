"""What the platform shows at the end, as far as the account looks at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """A customer's message or a reply as the platform shows it. `seq` is 0 for a reply; a notice is a reply that nobody
    wrote."""

    message_id: str
    seq: int
    text: str
    episode: int | None
    trailing_cause: str
    automatic: bool = False

    @property
    def notice(self) -> bool:
        return self.automatic and not self.seq


@dataclass(frozen=True, slots=True)
class SeenConversation:
    """A conversation as the platform shows it, messages in order. `open_episodes` were opened and never resolved."""

    conversation_id: str
    messages: tuple[SeenMessage, ...]
    episodes: tuple[int, ...] = ()
    open_episodes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """All that the platform shows at the end. `alone`: nobody but the simulation has used it."""

    conversations: Mapping[str, SeenConversation]
    outcomes: tuple[Mapping[str, Any], ...]
    """Every revision, in the order of the feed."""
    trailing: Mapping[str, str]
    """Messages that opened nothing, with the cause."""
    invitations: tuple[Mapping[str, Any], ...] = ()
    """Surveys: conversation_id, episode, score and comment, these two None without an answer."""
    alone: bool = True
