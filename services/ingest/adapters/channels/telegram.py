"""Telegram bots."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.ingest.adapters.channels.genuine import check_any
from services.ingest.adapters.channels.port import Call, Credentials, Hook, Outgoing, Reply
from services.ingest.adapters.channels.reading import (
    answer_of,
    at,
    digest,
    fitting,
    id_at,
    read_json,
    taken_id,
    text_at,
    time_at,
)
from services.ingest.domain.channels import ChannelMessage, Item, StatusNews, told, unsupported
from services.ingest.domain.model import ChannelName
from services.ingest.ports import SendRefused, SendUnavailable

_API: Final = "https://api.telegram.org"
_FILES: Final = ("photo", "video", "voice", "audio", "document", "sticker", "animation", "video_note")
_MESSAGES: Final = ("message", "edited_message", "business_message", "channel_post")


class Telegram:
    """Updates by webhook, answers by sendMessage."""

    kind = "telegram"
    channel = ChannelName.TELEGRAM
    reply = Reply()

    def verify(self, hook: Hook, credentials: Credentials) -> None:
        header = "x-telegram-bot-api-secret-token"
        check_any(hook.headers.get(header), credentials.secrets, f"header {header}")

    def greet(self, hook: Hook, credentials: Credentials) -> Reply | None:
        return None

    def split(self, hook: Hook) -> Sequence[Item]:
        update = read_json(hook.body)
        key = id_at(update, "update_id")
        return [Item(f"update:{key}" if key else digest(update), _sender(update), {"update": update})]

    def read(self, item: Mapping[str, object]) -> Sequence[ChannelMessage | StatusNews]:
        update: Any = item.get("update")
        message = _message(update)
        sender = _sender(update)
        if not sender:
            return []
        person = at(update, "callback_query", "from") or at(message, "from")
        name = " ".join(one for one in (text_at(person, "first_name"), text_at(person, "last_name")) if one)
        id_ = id_at(update, "update_id") or digest(update)
        return [
            ChannelMessage(
                provider_id=id_,
                sender=sender,
                text=_text(update, message),
                name=name[:200],
                language=text_at(person, "language_code")[:2].lower(),
                sent_at_ms=time_at(message, "date"),
                media=_files(message),
            )
        ]

    def compose(self, outgoing: Outgoing, credentials: Credentials) -> Call:
        body = {"chat_id": outgoing.recipient, "text": fitting(outgoing.text, 4096, self.kind)}
        url = f"{credentials.base_url or _API}/bot{credentials.token}/sendMessage"
        return Call("POST", url, {"Content-Type": "application/json"}, json.dumps(body).encode())

    def outcome(self, status: int, body: bytes) -> str:
        answer = answer_of(status, body)
        if at(answer, "ok") is not True:
            code, reason = at(answer, "error_code"), text_at(answer, "description")[:300]
            busy = isinstance(code, int) and (code == 429 or code >= 500)
            raise (SendUnavailable if busy else SendRefused)(f"the provider refused it ({code}): {reason}")
        return taken_id(answer, status, "result", "message_id")


def _message(update: Any) -> Any:
    found = next((at(update, kind) for kind in _MESSAGES if at(update, kind)), None)
    return found or at(update, "callback_query", "message")


def _sender(update: Any) -> str:
    return id_at(_message(update), "chat", "id") or id_at(update, "callback_query", "from", "id")


def _text(update: Any, message: Any) -> str:
    pressed = text_at(update, "callback_query", "data")
    if pressed:
        return pressed
    text = text_at(message, "text")
    if text:
        return f"(edited) {text}" if at(update, "edited_message") else text
    for kind in _FILES:
        if at(message, kind):
            return told(kind.replace("_", " "), caption=text_at(message, "caption"))
    if at(message, "contact"):
        return told("contact: " + text_at(message, "contact", "phone_number"))
    if at(message, "location"):
        place = [text_at(message, "location", one) for one in ("latitude", "longitude")]
        return told("location: " + ", ".join(place))
    known = {"message_id", "from", "chat", "date", "update_id"}
    kinds = [key for key in message if key not in known] if isinstance(message, dict) else []
    return unsupported(kinds[0] if kinds else "empty")


def _files(message: Any) -> tuple[str, ...]:
    named = [id_at(message, kind, "file_id") for kind in _FILES if kind != "photo"]
    # Of a photo's sizes the last is the largest.
    return tuple(one for one in (id_at(message, "photo", -1, "file_id"), *named) if one)
