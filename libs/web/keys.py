"""The Ed25519 keys that sign tokens: made on the first start, kept in one file only its owner reads."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey


class KeyFileError(Exception):
    """The key file cannot be trusted or read. The text says what was seen and what to do; stop and fix it."""


class TokenKeys:
    """A key set: the first private key signs, all verify. Order is the rotation: newest first.

    The text form is a JWK Set (RFC 7517), `{"keys": [...]}`, or one JWK, or a PEM private or public key.
    A process that only verifies is given the public form and cannot sign.
    """

    def __init__(self, keys: Sequence[OKPKey]) -> None:
        if not keys:
            raise KeyFileError("The key set is empty; at least one Ed25519 key is needed.")
        for key in keys:
            if key.curve_name != "Ed25519":
                raise KeyFileError(f"A key of curve {key.curve_name} was found; only Ed25519 is used.")
            key.ensure_kid()
        self._by_id: dict[str, OKPKey] = {_kid(key): key for key in keys}
        self._signing = next((key for key in keys if key.is_private), None)

    @classmethod
    def generate(cls) -> Self:
        """A set of one new key."""
        return cls([OKPKey.generate_key("Ed25519", auto_kid=True)])

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read any of the text forms (an environment variable, a mounted secret)."""
        try:
            if text.lstrip().startswith("{"):
                value = json.loads(text)
                return cls([OKPKey.import_key(one) for one in value.get("keys", [value])])
            return cls([OKPKey.import_key(text)])
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise KeyFileError("The token key is not a JWK, a JWK Set or a PEM of an Ed25519 key.") from error

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Read the file, or make it (mode 0600, whole or not at all) when it is not there.

        Several processes may do this at once: one of them makes the file, all read the same.
        """
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            own = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
            descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(cls.generate().private_text())
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
            raise KeyFileError(f"{path} has mode {mode:04o}; others could sign tokens. Run: chmod 600 {path}")
        return cls.from_text(path.read_text())

    def signing_key(self) -> tuple[str, OKPKey]:
        """The id and the key that signs; KeyFileError in a process that was given public keys only."""
        if self._signing is None:
            raise KeyFileError("This process has only public keys and cannot issue tokens.")
        return _kid(self._signing), self._signing

    def verifying_key(self, kid: str) -> OKPKey | None:
        """The key of that id, or None."""
        return self._by_id.get(kid)

    def public_set(self) -> Mapping[str, Any]:
        """The JWK Set without private parts: what other processes need to verify."""
        return {"keys": [dict(key.as_dict(private=False)) for key in self._by_id.values()]}

    def private_text(self) -> str:
        """The JWK Set with private parts, for the key file."""
        keys = [dict(key.as_dict(private=key.is_private)) for key in self._by_id.values()]
        return json.dumps({"keys": keys})

    def rotated(self) -> "TokenKeys":
        """A set with a new signing key in front; the old ones go on verifying."""
        return TokenKeys([OKPKey.generate_key("Ed25519", auto_kid=True), *self._by_id.values()])


def _kid(key: OKPKey) -> str:
    kid = key.kid
    if kid is None:
        raise KeyFileError("A key has no id.")
    return kid
