"""When an invitation may go out: delay by channel, the customer's cap, quiet hours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Nobody rates work that was not done for them.
EXCLUDED: Final = frozenset({"spam", "duplicate", "no_reply"})
_DAY_MINUTES: Final = 24 * 60


def zone_exists(name: str) -> bool:
    """Whether the zone database knows the name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A part of each day, in minutes after local midnight; it may go over midnight."""

    from_minute: int
    until_minute: int
    zone: str

    def next_ms(self, at_ms: int) -> int:
        """The first moment at or after `at_ms` that is not quiet. In a change of clocks the wall clock counts."""
        zone = ZoneInfo(self.zone)
        local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
        minute = local.hour * 60 + local.minute
        length = (self.until_minute - self.from_minute) % _DAY_MINUTES
        if (minute - self.from_minute) % _DAY_MINUTES >= length:
            return at_ms
        days = 1 if self.until_minute <= minute else 0
        end = (local + timedelta(days=days)).replace(
            hour=self.until_minute // 60, minute=self.until_minute % 60, second=0, microsecond=0, fold=0
        )
        return max(at_ms, round(end.timestamp() * 1000))


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator has set. All spans in milliseconds."""

    delays_ms: Mapping[str, int]
    """By channel."""
    cap_ms: int
    """At most one invitation to a customer in this span; 0 for no cap."""
    window_ms: int
    late_ms: int = 0
    """How long after the window a first answer is still taken; 0 for not at all."""
    quiet: QuietHours | None = None

    def delay_ms(self, channel: str) -> int:
        """From the resolution to the invitation; a channel that is not known waits as the web form does."""
        return self.delays_ms.get(channel, self.delays_ms["web"])

    def capped(self, last_requested_at_ms: int, now_ms: int) -> bool:
        """Whether a customer who was last asked then (0 for never) must not be asked now."""
        return bool(self.cap_ms and last_requested_at_ms) and now_ms - last_requested_at_ms < self.cap_ms
