"""The Ed25519 keys that sign tokens: made on the first start, kept in one file only its owner reads."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from libs.web.key_files import KeyFileError, read_or_make_key_file, unusable_key_file

_EXPECTED: Final = 'a JWK Set, {"keys": [...]}, one JWK or a PEM, of Ed25519 keys'


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
            return cls(_read(text))
        except ValueError as error:
            raise KeyFileError(f"The token key is not usable: {error}; expected {_EXPECTED}") from error

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Read the file, or make it when it is not there (see `read_or_make_key_file`)."""
        text = read_or_make_key_file(path, lambda: cls.generate().private_text(), "sign tokens")
        try:
            return cls(_read(text))
        except ValueError as error:
            raise unusable_key_file(path, str(error), _EXPECTED, "everybody has to sign in again") from error

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


def _read(text: str) -> list[OKPKey]:
    """The keys of any of the text forms. ValueError says what was seen instead, without a part of it."""
    if not text.strip():
        raise ValueError("it is empty")
    forms: list[Any] = [text]
    if text.lstrip().startswith("{"):
        try:
            value = json.loads(text)
        except ValueError as error:
            raise ValueError(f"it begins like JSON and is none ({error})") from None
        forms = value.get("keys", [value])
        if not isinstance(forms, list) or not forms:
            raise ValueError("its list of keys is empty or no list")
    return [_key(form, number) for number, form in enumerate(forms, 1)]


def _key(form: Any, number: int) -> OKPKey:
    try:
        key = OKPKey.import_key(form)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"key {number} of it is none of Ed25519") from None
    if key.curve_name != "Ed25519":
        raise ValueError(f"key {number} of it is of curve {key.curve_name}")
    return key
