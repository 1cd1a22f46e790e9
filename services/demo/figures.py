"""What the platform says of itself while it works, and the summary at the end."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import httpx

from services.demo.access import Access

_SAMPLE: Final = re.compile(r"^(centralino_\w+)(?:\{([^}]*)\})? (\S+)$", re.MULTILINE)


class Gauges:
    """Sums of a metric over its labels, read from `/metrics` and the queues; counters count from the first reading."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._first: Mapping[str, float] | None = None
        self._now: Mapping[str, float] = {}
        self.waiting = 0
        """Conversations in the queues."""

    async def read(self) -> None:
        """Reads anew; what cannot be read just now stays as it was."""
        try:
            page = await self._access.once("/metrics")
            queues = await self._access.once(
                "/routing/v1/queues", self._access.token("supervisor", "demo-supervisor")
            )
        except httpx.TransportError:
            return
        if page.status_code == 200:
            self._now = sums(page.text)
            self._first = self._first or self._now
        if queues.status_code == 200:
            self.waiting = sum(queue["waiting"] for queue in queues.json())

    def gauge(self, name: str) -> int:
        """The sum now."""
        return int(self._now.get(name, 0))

    def counter(self, name: str) -> int:
        """The sum since the first reading; a platform that was started again counts from 0 again."""
        now, first = self._now.get(name, 0.0), (self._first or {}).get(name, 0.0)
        return int(now - first if now >= first else now)


def sums(text: str) -> dict[str, float]:
    """Sums by name of a metrics page in the Prometheus text format."""
    found: dict[str, float] = defaultdict(float)
    for name, _labels, value in _SAMPLE.findall(text):
        found[name] += float(value)
    return found


async def summary(access: Access, by: str, since: str) -> dict[str, Any]:
    """The figures of the run by team or topic."""
    token = access.token("supervisor", "demo-supervisor")
    more: dict[str, str | int] = {"by": by, "from": since, "min_n": 1}
    found: dict[str, Any] = await access.get("/analytics/v1/summary", token, **more)
    return found
