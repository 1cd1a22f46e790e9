"""What the agent service asks of others over HTTP."""

from collections.abc import Sequence
from typing import Protocol

from services.agent.domain.reaching import Way


class WaysAway(Exception):
    """Ingest does not say by which channels the customer can be reached; the text says why."""


class Ways(Protocol):
    """The channels to a customer, as ingest knows them."""

    async def of(self, conversation_id: str) -> Sequence[Way]:
        """Where an answer goes by itself first; empty for a conversation that ingest does not know. Answers within a
        second or raises WaysAway."""
        ...
