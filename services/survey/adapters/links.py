"""Tokens of links: an HMAC of the invitation id. Never stored, never logged; nothing personal in them."""

import base64
import hashlib
import hmac
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self
from uuid import UUID

from libs.web import KeyFileError, read_or_make_key_file, unusable_key_file

_MOST: Final = 200
_TOKEN: Final = re.compile(r"([A-Za-z0-9]{1,16})-([A-Za-z0-9_-]{64})", re.ASCII)
_KEY_ID: Final = re.compile(r"[A-Za-z0-9]{1,16}", re.ASCII)
_LEAST_KEY: Final = 32
_SETTING: Final = "CENTRALINO_SURVEY_KEYS"
_EXPECTED: Final = '{"keys": [{"id": ID, "key": BASE64}, ...]}'
_LOSS: Final = "links that were sent out stop working"


class LinkKeyError(KeyFileError):
    """The keys of links cannot be trusted. The text says what was seen and what to do."""


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
        for number, part in enumerate(filter(None, (part.strip() for part in text.split(","))), 1):
            key_id, colon, encoded = part.partition(":")
            try:
                if not colon:
                    raise ValueError("no colon")
                keys[key_id] = base64.b64decode(encoded.encode(), validate=True)
            except ValueError:
                raise LinkKeyError(f"{_SETTING}: key {number} is not written as ID:BASE64.") from None
        try:
            return cls(keys)
        except LinkKeyError as error:
            raise LinkKeyError(f"{_SETTING}: {error}") from error

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Reads the file, or makes it when it is not there (see `read_or_make_key_file`). Raises KeyFileError."""
        text = read_or_make_key_file(path, _fresh, "forge links")
        try:
            listed = json.loads(text)["keys"]
            return cls({one["id"]: base64.b64decode(one["key"], validate=True) for one in listed})
        except json.JSONDecodeError as error:
            raise unusable_key_file(path, f"it is no JSON ({error})", _EXPECTED, _LOSS) from error
        except LinkKeyError as error:
            raise unusable_key_file(path, str(error).rstrip("."), _EXPECTED, _LOSS) from error
        except (ValueError, KeyError, TypeError) as error:
            raise unusable_key_file(path, "it lists no keys in that form", _EXPECTED, _LOSS) from error

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


def _fresh() -> str:
    key = {"id": os.urandom(3).hex(), "key": base64.b64encode(os.urandom(_LEAST_KEY)).decode()}
    return json.dumps({"keys": [key]})
