"""Visitors of the chat widget: who they are to ingest, and how long they may write."""

from dataclasses import dataclass
from typing import Final

from services.ingest.domain.customers import ASSERTED
from services.ingest.domain.model import ChannelName, IdentityKey

MOST_TEXT: Final = 8_000
"""Characters of one message."""
MOST_FILES: Final = 5
"""Files of one message."""
VISITOR: Final = "visitor"
"""Channel of identities that are a browser and nothing more."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sits before a widget, as their session says."""

    channel: ChannelName
    """chat, or web in form mode."""
    account: str
    id: str
    """Their number at the operator where `verified`, else one that ingest has made up for this browser."""
    verified: bool = False
    """The operator's site has signed who they are."""
    name: str = ""
    email: str = ""
    language: str = ""
    ends_s: int = 0
    """The second since 1970 at which the session ends."""

    @property
    def identity(self) -> IdentityKey:
        """A signed one is the customer whom the operator's other systems name so; a browser is nobody else."""
        if self.verified:
            return IdentityKey(ASSERTED, "", self.id)
        return IdentityKey(VISITOR, self.account, self.id)

    @property
    def scope(self) -> str:
        """Within it a message id of the widget names one message."""
        return f"widget/{self.channel}/{self.account}/{self.identity.channel}/{self.id}"


def goes_on(was: tuple[str, bool, int] | None, known: tuple[str, bool, int] | None) -> str:
    """In which conversation a visitor who signs in goes on, of what they had as a browser and as a known customer: the
    open one, of two open ones that with the newest message. Each is (conversation, whether it is resolved, when they
    last wrote)."""
    found = [one for one in (was, known) if one is not None]
    return max(found, key=lambda one: (not one[1], one[2]))[0] if found else ""
