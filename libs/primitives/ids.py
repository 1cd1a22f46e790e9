"""Ids: made at the edge in order of time, or derived so that a second run makes the same."""

import hashlib
from uuid import UUID

import uuid_utils

_NAMESPACE = UUID("6c8d5d0e-5f0e-4f6f-9a4e-6f1f7f2f8b11").bytes


def new_id() -> str:
    """A fresh UUIDv7 as text, ordered by time."""
    return str(uuid_utils.uuid7())


def new_id_bytes() -> bytes:
    """A fresh UUIDv7 as 16 bytes."""
    return uuid_utils.uuid7().bytes


def derived_id_bytes(*parts: bytes) -> bytes:
    """UUIDv5 (RFC 9562) over the parts, as 16 bytes: the same parts give the same id."""
    digest = bytearray(hashlib.sha1(_NAMESPACE + b"\x1f".join(parts), usedforsecurity=False).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x50
    digest[8] = (digest[8] & 0x3F) | 0x80
    return bytes(digest)


def derived_id(*parts: str) -> str:
    """UUIDv5 over texts, as text."""
    return str(UUID(bytes=derived_id_bytes(*(part.encode() for part in parts))))
