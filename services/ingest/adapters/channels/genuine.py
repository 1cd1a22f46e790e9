"""Proofs that a webhook is from its provider: over the raw bytes, in constant time, with old secrets beside new ones."""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import Final

from services.ingest.adapters.channels.port import Credentials, Forged, Hook

WINDOW_MS: Final = 300_000
"""How old a signed time may be, and how far ahead of our clock."""


def check_any(given: str | None, expected: Iterable[str], what: str) -> None:
    """Passes when the given text is one of the expected, none of which may be empty. Raises Forged."""
    if not given:
        raise Forged(f"{what} is missing")
    seen = given.encode("utf-8", "surrogateescape")
    genuine = False
    # All are compared, so that time tells nothing of which one it was.
    for one in expected:
        genuine |= bool(one) and hmac.compare_digest(seen, one.encode())
    if not genuine:
        raise Forged(f"{what} is not one that a secret of this account makes")


def check_hex_hmac(hook: Hook, credentials: Credentials, header: str, prefix: str, message: bytes) -> None:
    """`prefix` and the hex HMAC-SHA256 of the message in a header. Raises Forged."""
    check_any(
        hook.headers.get(header),
        made(credentials, lambda key: prefix + hmac.new(key, message, hashlib.sha256).hexdigest()),
        f"header {header}",
    )


def made(credentials: Credentials, make: Callable[[bytes], str]) -> list[str]:
    """A signature by each secret."""
    return [make(secret.encode()) for secret in credentials.secrets if secret]


def check_time(text: str, unit_ms: int, now_ms: int) -> None:
    """Passes a signed time within five minutes of now: older ones may be replays. Raises Forged."""
    if not text.isascii() or not text.isdigit() or len(text) > 16:
        raise Forged(f"the signed time is {text[:40]!r}; expected a Unix time")
    if abs(int(text) * unit_ms - now_ms) > WINDOW_MS:
        raise Forged("the signed time is more than five minutes from now; is a clock wrong?")
