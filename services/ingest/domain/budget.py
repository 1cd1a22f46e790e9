"""How often a sender is answered by machine in a day: two machines that answer each other must fall silent (RFC 3834)."""

from dataclasses import dataclass, replace
from typing import Final

_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class AutoReplies:
    """What one endpoint was answered on one day, UTC."""

    channel: str
    account: str
    external_id: str
    day: int
    """Days since 1970."""
    count: int

    @property
    def row_key(self) -> tuple[str, str, str, int]:
        return (self.channel, self.account, self.external_id, self.day)


def day_of(at_ms: int) -> int:
    """The day of a moment."""
    return at_ms // _DAY_MS


def spend(known: AutoReplies, most: int) -> tuple[AutoReplies, str]:
    """(what is known after one more answer, why it may not go); the reason is empty when it may."""
    if known.count >= most:
        return known, (
            f"the sender has been answered by machine {known.count} times today, which could be a loop (RFC 3834):"
            " a person may still answer"
        )
    return replace(known, count=known.count + 1), ""
