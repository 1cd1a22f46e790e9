"""The `Prefer` header (RFC 7240)."""

import re
from typing import Final

_WAIT: Final = re.compile(r"(?:^|,)\s*wait\s*=\s*\"?([0-9]{1,6})\"?\s*(?=,|;|$)", re.IGNORECASE)


def preferred_wait_s(header: str | None, most_s: float) -> float:
    """Seconds that `Prefer: wait=N` asks for, at most `most_s`; 0 without it. A malformed one is ignored."""
    match = _WAIT.search(header) if header and len(header) <= 1000 else None
    return min(float(match.group(1)), most_s) if match else 0.0
