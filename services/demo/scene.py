"""What all simulated people of a run share: the platform, the record, the pace, and what is counted for the display."""

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.demo.access import Access
from services.demo.messengers import Messengers
from services.demo.pace import Pace
from services.demo.post import LetterBox
from services.demo.record import Record
from services.demo.together import Together


@dataclass(slots=True)
class Scene:
    """One run. `run` makes its idempotency keys and mail addresses differ from those of any other."""

    access: Access
    record: Record
    together: Together
    run: str
    seed: int
    pace: Pace = field(default_factory=Pace)
    letters: LetterBox | None = None
    """Where the platform's mail arrives; without one, customers by mail read their thread over HTTP."""
    messengers: Messengers | None = None
    """Providers that are played; none on a platform that is not the demo's own."""
    mailbox: str = "support@localhost.localdomain"
    """Whom customers write mail to."""
    streams: int = 150
    """At most so many customers read their thread by an event stream; the others ask."""
    counts: Counter[str] = field(default_factory=Counter)
    """What happened: messages, replies, resolves, surveys and so on."""
    accepted: dict[str, str] = field(default_factory=dict)
    """Message id to conversation id: taken by the platform, and not yet seen where it belongs."""
    troubles: list[str] = field(default_factory=list)
    """Answers nobody expected, in words."""

    acts: Iterator[int] = field(default_factory=itertools.count)

    def key(self, who: str) -> str:
        """An idempotency key that nobody has used."""
        return f"{self.run}:{who}:{next(self.acts)}"

    def chance(self, name: str) -> random.Random:
        """A source of chance of its own for a person, the same in each run with the same seed."""
        return random.Random(f"{self.seed} {name}")

    def trouble(self, what: str) -> None:
        """Notes an answer nobody expected."""
        self.counts["troubles"] += 1
        if len(self.troubles) < 200:
            self.troubles.append(what)
