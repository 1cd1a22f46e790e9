"""Happenings of webhooks as they are put away, and what they say when they are read again."""

import json
from collections.abc import Mapping
from typing import Any, Final

from services.ingest.adapters.channels.port import ChannelAdapter
from services.ingest.domain.channels import ChannelMessage, Item, StatusNews
from services.ingest.domain.model import PROVIDED, IdentityKey, Inbound
from services.ingest.domain.texts import storable

HOOK: Final = "hook:"
UNREAD: Final = "unread"
"""Names the body of a webhook in which nothing was found: kept until somebody can read it."""


def pack_item(item: Item) -> bytes:
    """The content of a happening as JSON."""
    return json.dumps(item.content, separators=(",", ":"), default=str).encode()


def read_item(
    adapter: ChannelAdapter, account: str, body: bytes, message_id: str, received_at_ms: int
) -> tuple[Inbound | None, tuple[StatusNews, ...]]:
    """(the customer's message, news of ours): one of them, or neither where nothing is said to anybody."""
    content: Mapping[str, Any] = json.loads(body)
    said = () if UNREAD in content else adapter.read(content)
    news = tuple(one for one in said if isinstance(one, StatusNews))
    message = next((one for one in said if isinstance(one, ChannelMessage)), None)
    if message is None:
        return None, news
    assert adapter.channel in PROVIDED
    sender = storable(message.sender)
    return (
        Inbound(
            message_id=message_id,
            channel=adapter.channel,
            account=account,
            received_at_ms=received_at_ms,
            text=storable(message.text),
            identity=IdentityKey(adapter.channel, account, sender) if sender else None,
            name=storable(message.name),
            language=message.language if message.language.isalpha() else "",
            automatic=message.automatic,
            media=message.media[:20],
        ),
        news,
    )
