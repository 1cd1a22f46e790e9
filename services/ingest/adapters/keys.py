"""Secrets of ingest: keys that encrypt raw payloads, and one that signs receipts and mail ids."""

import base64
import binascii
import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.web import KeyFileError

_KEY_BYTES: Final = 32
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

    Raises KeyFileError when the file can be read by others or is not one of ours.
    """
    kept = {} if raw and signing else _read_or_create(folder / "ingest-keys.json")
    raw_keys = [_decode(text) for text in (raw.split(",") if raw else kept["raw"])]
    signing_key = _decode(signing or kept["signing"][0])
    if len(signing_key) != _KEY_BYTES:
        raise KeyFileError(f"The signing key is {_KEY_BYTES} bytes in base64.")
    return Sealer(raw_keys), Signer(signing_key)


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise KeyFileError("A key of ingest is not base64.") from error


def _new() -> str:
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()


def _read_or_create(path: Path) -> dict[str, list[str]]:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        own = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"raw": [_new()], "signing": [_new()]}, file)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(own, path)
        except FileExistsError:
            pass  # another process was first; its keys are read below
        finally:
            own.unlink()
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise KeyFileError(f"{path} has mode {mode:04o}; others could read payloads. Run: chmod 600 {path}")
    try:
        kept = json.loads(path.read_text())
        read = {name: [str(one) for one in kept[name]] for name in ("raw", "signing")}
        if not all(read.values()):
            raise ValueError("no keys")
        return read
    except (ValueError, KeyError, TypeError) as error:
        raise KeyFileError(f"{path} is not a key file of ingest.") from error
