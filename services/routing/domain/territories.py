"""Which pool a new conversation belongs to: the first whose conditions match, else the first pool of all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Territory:
    """What a pool beside the first takes; all given conditions must match, one without any takes nothing by itself."""

    pool_id: str
    topics: tuple[str, ...] = ()
    """A topic or the part before its first dot."""
    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    queue_hints: tuple[str, ...] = ()

    def takes(self, topic: str, language: str, channel: str, queue_hint: str) -> bool:
        conditions = (
            (self.topics, (topic, topic.split(".")[0])),
            (self.languages, (language,)),
            (self.channels, (channel,)),
            (self.queue_hints, (queue_hint,)),
        )
        asked = [(wanted, found) for wanted, found in conditions if wanted]
        return bool(asked) and all(any(one in wanted for one in found) for wanted, found in asked)


def pool_of(
    territories: Iterable[Territory], first: str, topic: str, language: str, channel: str, queue_hint: str
) -> str:
    """The pool of a conversation."""
    found = (t.pool_id for t in territories if t.takes(topic, language, channel, queue_hint))
    return next(found, first)
