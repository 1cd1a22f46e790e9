"""How each provider writes its webhooks, signs them, and answers what is sent by it."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

_JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Payload:
    """A webhook before it is signed."""

    body: bytes
    media_type: str


class Shape(Protocol):
    """One provider."""

    name: str
    channel: str
    sender: str
    """What our account is called there."""
    token: str

    def message(self, number: int, sender: str, text: str) -> Payload:
        """A customer's text; the same number is the same message."""
        ...

    def message_id(self, number: int) -> str:
        """The id under which it tells that message."""
        ...

    def strange(self, number: int, sender: str) -> Payload:
        """A message of a kind that does not exist yet."""
        ...

    def status(self, id_: str, recipient: str, status: str) -> Payload | None:
        """`sent`, `delivered`, `read` or `failed`; None where the provider tells nothing."""
        ...

    def sign(self, body: bytes, url: str, secret: str, now_s: int) -> Mapping[str, str]:
        """The headers that show a webhook to be genuine."""
        ...

    def taken(self, body: bytes) -> tuple[str, str]:
        """(recipient, text) of what is sent by it."""
        ...

    def answer(self, number: int) -> tuple[int, bytes]:
        """What it answers when it has taken a message of ours; `answer_id` is in it."""
        ...

    def answer_id(self, number: int) -> str:
        """Its id of that message, as statuses name it."""
        ...

    def refusal(self) -> tuple[int, bytes]:
        """What it answers when it will never take a message."""
        ...


def json_payload(value: Any) -> Payload:
    """A webhook of JSON."""
    # Escaped, as Meta writes: who signs the text again after reading it gets other bytes.
    return Payload(json.dumps(value, ensure_ascii=True).encode(), _JSON)


def hex_hmac(secret: str, message: bytes) -> str:
    """Hex HMAC-SHA256."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def template_text(name: str, values: Iterable[str]) -> str:
    """How a template that was taken is noted: its name, and what stands in its places."""
    return f"[{name}] " + " | ".join(values)
