"""How fast simulated people are, in real seconds of a compressed day, and how they vary."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Ranges in seconds; each use draws anew."""

    burst: tuple[float, float] = (0.2, 0.9)
    """Between messages of a burst."""
    reply: tuple[float, float] = (0.4, 1.4)
    """Customer: from an agent's reply to the next message."""
    back: tuple[float, float] = (0.3, 1.5)
    """Customer: from the end of an episode to writing again."""
    rate: tuple[float, float] = (0.3, 2.0)
    """Customer: from the survey to its answer."""
    decide: tuple[float, float] = (0.05, 0.4)
    """Agent: from an offer to accepting or declining it."""
    write: tuple[float, float] = (0.2, 0.9)
    """Agent: from reading to a reply."""
    quiet: tuple[float, float] = (3.0, 4.4)
    """Agent: so long without a new message, and the problem is taken for solved."""
    look: tuple[float, float] = (0.7, 1.1)
    """Agent: between two looks at a conversation in which the customer is to write."""

    def draw(self, name: str, draw: random.Random) -> float:
        """Seconds of the named range."""
        low, high = getattr(self, name)
        return draw.uniform(low, high)
