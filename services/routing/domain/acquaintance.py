"""Who of the agents a customer knows, and whom they would rather not have again.

Both come from the episodes that agents have ended for the customer, and from what the customer answered about them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from services.routing.domain.standing import YEAR_MS, Experience

KNOWN_MS = 30 * 86_400_000
"""So long after an episode its agent is known. A rule of thumb: a matter that comes back comes within weeks."""
_KEPT = 20


class Served(NamedTuple):
    """An episode that an agent has ended."""

    agent_id: str
    at_ms: int


def answer_name(conversation_id: str, episode: int) -> str:
    """The experience of a customer who rated the episode."""
    return f"answer:{conversation_id}:{episode}"


def remembered(known: Mapping[str, Served], name: str, served: Served) -> dict[str, Served]:
    """The episodes, by the name of their answer, with one more; the newest are kept."""
    every = {**known, name: served}
    newest = sorted(every, key=lambda one: (every[one].at_ms, one))[-_KEPT:]
    return {one: every[one] for one in newest}


def avoided(known: Mapping[str, Served], ledger: Mapping[str, Experience], at_ms: int) -> tuple[str, ...]:
    """Agents of episodes that the customer rated bad within a year, sorted."""
    return tuple(
        sorted(
            {
                served.agent_id
                for name, served in known.items()
                if name in ledger and ledger[name].mood == "bad" and at_ms - ledger[name].at_ms < YEAR_MS
            }
        )
    )


def preferred(known: Mapping[str, Served], at_ms: int, out: tuple[str, ...]) -> str:
    """The agent of the newest episode within KNOWN_MS who is not `out`; "" = none."""
    recent = [s for s in known.values() if at_ms - s.at_ms < KNOWN_MS and s.agent_id not in out]
    return max(recent, key=lambda s: (s.at_ms, s.agent_id)).agent_id if recent else ""
