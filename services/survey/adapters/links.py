"""Tokens of links: an HMAC of the invitation id. Never stored, never logged; nothing personal in them."""

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self
from uuid import UUID

_MOST: Final = 200
_TOKEN: Final = re.compile(r"([A-Za-z0-9]{1,16})-([A-Za-z0-9_-]{64})", re.ASCII)
_KEY_ID: Final = re.compile(r"[A-Za-z0-9]{1,16}", re.ASCII)
_LEAST_KEY: Final = 32


class LinkKeyError(Exception):
    """The keys of links cannot be read or trusted. The text says what was seen and what to do."""


class LinkKeys:
    """Makes and checks tokens: `KEYID-` and 64 URL-safe characters (16 bytes of id, 32 of HMAC-SHA256).

    The same invitation has the same token as long as the first key stays. Older keys go on being accepted.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise LinkKeyError("There is no key for survey links; give at least one.")
        for key_id, key in keys.items():
            if not _KEY_ID.fullmatch(key_id):
                raise LinkKeyError("The id of a survey key must be 1 to 16 letters and digits.")
            if len(key) < _LEAST_KEY:
                raise LinkKeyError(
                    f"Survey key {key_id} has {len(key)} bytes; at least {_LEAST_KEY} are needed."
                )
        self._keys = dict(keys)
        self._signing = next(iter(keys))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads `ID:BASE64,ID:BASE64`, newest first."""
        keys: dict[str, bytes] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            key_id, colon, encoded = part.partition(":")
            try:
                keys[key_id] = base64.b64decode(encoded.encode(), validate=True)
            except (binascii.Error, ValueError):
                raise LinkKeyError("A survey key is not written as ID:BASE64.") from None
            if not colon:
                raise LinkKeyError("A survey key is not written as ID:BASE64.")
        return cls(keys)

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Reads the file, or makes it (mode 0600, whole or not at all). Several processes may do this at once."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            own = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
            fresh = {"keys": [{"id": os.urandom(3).hex(), "key": base64.b64encode(os.urandom(32)).decode()}]}
            descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(fresh, file)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(own, path)
            except FileExistsError:
                pass  # another process was first; its key is read below
            finally:
                own.unlink()
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise LinkKeyError(f"{path} has mode {mode:04o}; others could forge links. Run: chmod 600 {path}")
        try:
            listed = json.loads(path.read_text())["keys"]
            return cls({one["id"]: base64.b64decode(one["key"], validate=True) for one in listed})
        except (ValueError, KeyError, TypeError) as error:
            raise LinkKeyError(
                f'{path} is not {{"keys": [{{"id": ..., "key": BASE64}}]}}; restore it from a backup.'
            ) from error

    def token(self, invitation_id: str) -> str:
        """The token of an invitation, whose id is a UUID."""
        raw = UUID(invitation_id).bytes
        mac = self._mac(self._keys[self._signing], raw)
        return f"{self._signing}-{base64.urlsafe_b64encode(raw + mac).decode()}"

    def invitation_of(self, token: str) -> str | None:
        """The invitation that a token opens, or None when it is none of ours. Takes the same time for any MAC."""
        match = _TOKEN.fullmatch(token) if len(token) <= _MOST else None
        key = self._keys.get(match.group(1)) if match else None
        if match is None or key is None:
            return None
        blob = base64.urlsafe_b64decode(match.group(2))
        raw, mac = blob[:16], blob[16:]
        return str(UUID(bytes=raw)) if hmac.compare_digest(mac, self._mac(key, raw)) else None

    @staticmethod
    def _mac(key: bytes, raw: bytes) -> bytes:
        return hmac.new(key, b"centralino survey link\0" + raw, hashlib.sha256).digest()
