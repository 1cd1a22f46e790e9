"""What WhatsApp Cloud, Messenger and Instagram have in common: the signature, the greeting, the API's answers."""

import json
from typing import Any, Final

from services.ingest.adapters.channels.genuine import check_any, check_hex_hmac
from services.ingest.adapters.channels.port import Call, Credentials, Hook, Reply
from services.ingest.adapters.channels.reading import answer_of, at, text_at
from services.ingest.ports import SendRefused, SendUnavailable

_BUSY: Final = frozenset({1, 2, 4, 17, 32, 341, 613, 80007, 130429, 131000, 131016, 131048, 131056, 133016})
"""Codes of the Graph API that mean: later."""
GRAPH: Final = "https://graph.facebook.com/v23.0"


class MetaHooks:
    """Signature and greeting of Meta's webhooks."""

    reply = Reply()

    def verify(self, hook: Hook, credentials: Credentials) -> None:
        """X-Hub-Signature-256 over the raw body. Raises Forged."""
        check_hex_hmac(hook, credentials, "x-hub-signature-256", "sha256=", hook.body)

    def greet(self, hook: Hook, credentials: Credentials) -> Reply | None:
        """Echoes the challenge to who knows the verify token."""
        if hook.method != "GET":
            return None
        check_any(hook.query.get("hub.verify_token"), [credentials.verify_token], "hub.verify_token")
        return Reply(200, "text/plain", hook.query.get("hub.challenge", "")[:200])


def graph_call(path: str, body: dict[str, Any], credentials: Credentials) -> Call:
    """A POST to the Graph API."""
    headers = {"Authorization": f"Bearer {credentials.token}", "Content-Type": "application/json"}
    return Call("POST", f"{credentials.base_url or GRAPH}/{path}", headers, json.dumps(body).encode())


def graph_answer(status: int, body: bytes) -> dict[str, Any]:
    """The answer without an error in it, whatever its status. Raises SendRefused or SendUnavailable."""
    if 400 <= status < 500 and status not in (408, 425, 429):
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            value = {}
    else:
        value = answer_of(status, body)
    error = at(value, "error")
    if error:
        code, reason = at(error, "code"), text_at(error, "message")[:300]
        if code in _BUSY or at(error, "is_transient") is True:
            raise SendUnavailable(f"the provider is busy ({code}): {reason}")
        raise SendRefused(f"the provider refused it ({code}): {reason}")
    if not 200 <= status < 300:
        answer_of(status, body)
    return dict(value) if isinstance(value, dict) else {}
