"""Somebody is kept free: the last free agent who can serve every queue of the reserve is left to these queues.

What waits in another queue may have him after `Reserve.after_ms`, so nothing waits for ever because of it. Free is
counted by channel: who has room for a chat is free for chats.
"""

from __future__ import annotations

from services.routing.domain.capacity import FREE, GroupKey, Seat
from services.routing.domain.directory import Directory
from services.routing.domain.model import Item

KEPT = 1


def yields_until_ms(directory: Directory, item: Item, at_ms: int) -> int:
    """Until when the item leaves the kept agent to others; 0 = it does not."""
    reserve = directory.reserve
    if not reserve.after_ms or item.queue_id in reserve.queues or item.pinned_at_ms:
        return 0
    until_ms = item.waiting_since_ms + reserve.after_ms
    return until_ms if until_ms > at_ms else 0


def is_guard(directory: Directory, key: GroupKey) -> bool:
    """Whether agents of the profile can serve every queue of the reserve."""
    teams, levels = key[0], dict(key[2])
    queues = [directory.queue_by_id[queue_id] for queue_id in directory.reserve.queues]
    return bool(queues) and all(
        q.team_id in teams and all(levels.get(skill, 0) >= level for skill, level in q.skills) for q in queues
    )


class Guards:
    """The free agents of the reserve, by channel."""

    __slots__ = ("_free", "loosened")

    def __init__(self) -> None:
        self._free: dict[str, set[str]] = {}
        self.loosened: set[str] = set()
        """Who is kept no longer, since another one is free too: he looks for work again."""

    def note(self, seat: Seat) -> None:
        """A guard's room may have changed."""
        for channel, reason in seat.blocked.items():
            free = self._free.setdefault(channel, set())
            if reason != FREE:
                free.discard(seat.agent_id)
            elif seat.agent_id not in free:
                free.add(seat.agent_id)
                if len(free) == KEPT + 1:
                    self.loosened |= free

    def forget(self, agent_id: str) -> None:
        for free in self._free.values():
            free.discard(agent_id)

    def scarce(self, channel: str) -> bool:
        """Whether no more guards are free than are kept."""
        return len(self._free.get(channel, ())) <= KEPT
