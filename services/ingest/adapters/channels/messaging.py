"""Messenger and Instagram by Meta's messaging webhooks."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.ingest.adapters.channels.meta import MetaHooks, graph_answer, graph_call
from services.ingest.adapters.channels.port import Call, Credentials, Hook, Outgoing
from services.ingest.adapters.channels.reading import (
    at,
    dicts_at,
    digest,
    fitting,
    id_at,
    read_json,
    taken_id,
    text_at,
    time_at,
)
from services.ingest.domain.channels import (
    ChannelMessage,
    Item,
    ProviderStatus,
    StatusNews,
    told,
    unsupported,
)
from services.ingest.domain.model import ChannelName

_LONGEST: Final = {"messenger": 2000, "instagram": 1000}


class MetaMessaging(MetaHooks):
    """Messages, postbacks, receipts. Echoes of what the page itself has said concern nobody."""

    def __init__(self, kind: str, channel: ChannelName) -> None:
        self.kind = kind
        self.channel = channel

    def split(self, hook: Hook) -> Sequence[Item]:
        body = read_json(hook.body)
        return [
            Item(_key(one), id_at(one, "sender", "id"), {"event": one})
            for entry in dicts_at(body, "entry")
            for one in (*dicts_at(entry, "messaging"), *dicts_at(entry, "standby"))
        ]

    def read(self, item: Mapping[str, object]) -> Sequence[ChannelMessage | StatusNews]:
        event: Any = item.get("event")
        sender, sent_at_ms = id_at(event, "sender", "id"), time_at(event, "timestamp", unit_ms=1)
        for receipt, status in (("delivery", ProviderStatus.DELIVERED), ("read", ProviderStatus.READ)):
            if isinstance(at(event, receipt), dict):
                return _receipts(at(event, receipt), status, sender)
        if at(event, "message", "is_echo") is True:
            return []
        text, files = (
            _text(event),
            tuple(
                url
                for one in dicts_at(event, "message", "attachments")
                if (url := text_at(one, "payload", "url"))
            ),
        )
        id_ = id_at(event, "message", "mid") or id_at(event, "postback", "mid") or digest(event)
        return [ChannelMessage(id_, sender, text, sent_at_ms=sent_at_ms, media=files)]

    def compose(self, outgoing: Outgoing, credentials: Credentials) -> Call:
        text = fitting(outgoing.text, _LONGEST[self.kind], self.kind)
        body = {
            "recipient": {"id": outgoing.recipient},
            "messaging_type": "RESPONSE",
            "message": {"text": text},
        }
        return graph_call(f"{credentials.sender}/messages", body, credentials)

    def outcome(self, status: int, body: bytes) -> str:
        return taken_id(graph_answer(status, body), status, "message_id")


def _key(event: Any) -> str:
    id_ = id_at(event, "message", "mid") or id_at(event, "postback", "mid")
    return f"message:{id_}" if id_ else digest(event)


def _receipts(receipt: Any, status: ProviderStatus, recipient: str) -> list[ChannelMessage | StatusNews]:
    named = at(receipt, "mids") if isinstance(at(receipt, "mids"), list) else []
    single = id_at(receipt, "mid")
    ids = [one for one in (single, *(id_at({"id": mid}, "id") for mid in named)) if one]
    if ids:
        return [StatusNews(one, status) for one in ids]
    through = time_at(receipt, "watermark", unit_ms=1)
    return [StatusNews("", status, recipient=recipient, through_ms=through)] if through and recipient else []


def _text(event: Any) -> str:
    text = text_at(event, "message", "text") or text_at(event, "postback", "title")
    if text:
        return text
    kinds = [text_at(one, "type") or "file" for one in dicts_at(event, "message", "attachments")]
    if kinds:
        return told(", ".join(kinds[:10]))
    if at(event, "message", "is_deleted") is True:
        return told("message deleted by its writer")
    known = {"sender", "recipient", "timestamp"}
    kind = (
        next((key for key in event if key not in known), "") if isinstance(event, dict) else json.dumps(event)
    )
    return unsupported(kind)
