"""Secrets of ingest: keys that encrypt raw payloads, and one that signs receipts and mail ids."""

import base64
import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.web import KeyFileError, read_or_make_key_file, unusable_key_file

_KEY_BYTES: Final = 32
_EXPECTED: Final = f'{{"raw": [KEY, ...], "signing": [KEY]}}, a KEY being {_KEY_BYTES} bytes in base64'
_NONCE_BYTES: Final = 12
_RECEIPT_BYTES: Final = 16


class SealBroken(Exception):
    """A stored payload cannot be decrypted: its key is not here, or its bytes were changed."""


class Sealer:
    """AES-256-GCM over raw payloads; the row's id is authenticated with it, so that rows cannot be swapped."""

    def __init__(self, keys: list[bytes]) -> None:
        """The first key encrypts, all decrypt. Raises KeyFileError."""
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise KeyFileError(f"A raw key is {_KEY_BYTES} bytes in base64.")
        self._ciphers = {hashlib.sha256(key).hexdigest()[:12]: AESGCM(key) for key in keys}
        self.key_id = next(iter(self._ciphers))
        self._current = self._ciphers[self.key_id]

    def seal(self, payload: bytes, row_id: str) -> bytes:
        """Nonce and ciphertext."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._current.encrypt(nonce, payload, row_id.encode())

    def open(self, sealed: bytes, row_id: str, key_id: str) -> bytes:
        """The payload. Raises SealBroken."""
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SealBroken(f"raw payload {row_id} is encrypted with key {key_id}, which is not configured")
        try:
            return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], row_id.encode())
        except InvalidTag as error:
            raise SealBroken(f"raw payload {row_id} does not decrypt with key {key_id}") from error


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs what ingest gives away and gets back."""

    key: bytes

    def receipt(self, message_id: str) -> str:
        """What the poster of a message shows to ask after it."""
        digest = hmac.new(self.key, b"receipt\x1f" + message_id.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:_RECEIPT_BYTES]).decode().rstrip("=")

    def is_receipt(self, given: str, message_id: str) -> bool:
        """Whether a receipt is ours and for this message."""
        return hmac.compare_digest(given.encode(), self.receipt(message_id).encode())


def load_keys(folder: Path, raw: str, signing: str) -> tuple[Sealer, Signer]:
    """Keys from the settings where given, else from `ingest-keys.json` in the data folder, made when it is not there.

    Raises KeyFileError when the file can be read by others or is not one of ours, or a setting is no key.
    """
    kept = {} if raw and signing else _kept(folder / "ingest-keys.json")
    raw_keys = _given("CENTRALINO_INGEST_RAW_KEY", raw) if raw else kept["raw"]
    signing_key = (_given("CENTRALINO_INGEST_SIGNING_KEY", signing) if signing else kept["signing"])[0]
    return Sealer(raw_keys), Signer(signing_key)


def add_raw_key(folder: Path) -> None:
    """Puts a new key before the others of the key file, in one step; those go on to open what they sealed.

    Raises KeyFileError when the file is not one of ours.
    """
    path = folder / "ingest-keys.json"
    kept = _kept(path)
    value = {name: [base64.b64encode(key).decode() for key in keys] for name, keys in kept.items()}
    value["raw"].insert(0, _new())
    written = path.with_name(path.name + ".new")
    written.touch(mode=0o600)
    written.write_text(json.dumps(value))
    written.replace(path)


def _given(setting: str, text: str) -> list[bytes]:
    try:
        return [_decode(one) for one in text.split(",")]
    except ValueError as error:
        raise KeyFileError(
            f"{setting} is no key: {error}; expected {_KEY_BYTES} bytes in base64. Make one with: openssl rand"
            f" -base64 {_KEY_BYTES}"
        ) from error


def _decode(text: str) -> bytes:
    """One key. ValueError says what was seen instead."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        raise ValueError(f"{len(text)} characters that are no base64") from None
    if len(key) != _KEY_BYTES:
        raise ValueError(f"{len(key)} bytes")
    return key


def _new() -> str:
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()


def _kept(path: Path) -> dict[str, list[bytes]]:
    text = read_or_make_key_file(
        path, lambda: json.dumps({"raw": [_new()], "signing": [_new()]}), "read payloads"
    )
    try:
        value = json.loads(text)
        kept = {name: [_decode(str(one)) for one in value[name]] for name in ("raw", "signing")}
        if not all(kept.values()):
            raise ValueError("a list of keys is empty")
        return kept
    except (ValueError, KeyError, TypeError) as error:
        raise unusable_key_file(
            path, _seen(error), _EXPECTED, "payloads that were sealed with the old one stay closed"
        ) from error


def _seen(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON ({error})"
    return str(error) if isinstance(error, ValueError) else "the lists raw and signing are not there"
