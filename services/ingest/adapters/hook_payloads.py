"""Happenings of webhooks as they are put away, and what they say when they are read again."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from libs.runtime import new_id
from services.ingest.adapters.channels.port import ChannelAdapter, Hook
from services.ingest.adapters.keys import Sealer
from services.ingest.adapters.payloads import Origin, pack_payload
from services.ingest.adapters.raw_writer import RawHook, RawMessage
from services.ingest.domain.channels import ChannelMessage, Item, StatusNews
from services.ingest.domain.model import PROVIDED, ChannelName, IdentityKey, Inbound
from services.ingest.domain.texts import storable

HOOK: Final = "hook:"
UNREAD: Final = "unread"
"""Names the body of a webhook in which nothing was found: kept until somebody can read it."""


def pack_item(item: Item) -> bytes:
    """The content of a happening as JSON."""
    return json.dumps(item.content, separators=(",", ":"), default=str).encode()


def seal_hook(sealer: Sealer, provider: str, account: str, hook: Hook) -> RawHook:
    """A whole webhook as it is kept, so that it can be split and read again by better rules."""
    said = json.dumps([1, hook.method, hook.url, dict(hook.query), dict(hook.headers), hook.now_ms])
    identity = f"{provider}/{account}\n".encode() + hook.body
    id_ = hashlib.sha256(identity).hexdigest()
    sealed = sealer.seal(said.encode("utf-8", "surrogatepass") + b"\n" + hook.body, id_)
    return RawHook(id_, provider, account, sealer.key_id, sealed, hook.now_ms)


def open_hook(payload: bytes) -> Hook:
    """The webhook again, from its opened payload. Raises ValueError."""
    head, _, body = payload.partition(b"\n")
    version, method, url, query, headers, now_ms = json.loads(head)
    if version != 1:
        raise ValueError(f"webhook of version {version}, expected 1")
    return Hook(method, url, query, headers, body, now_ms)


def raws_of(
    items: Sequence[Item],
    channel: ChannelName,
    provider: str,
    account: str,
    sealer: Sealer,
    received_at_ms: int,
    hook: RawHook,
) -> list[RawMessage]:
    """The happenings of a webhook as durable rows, each known by its key within the account."""
    raws = []
    for item in items:
        message_id = new_id()
        key = item.key if len(item.key) <= 255 else "long:" + hashlib.sha256(item.key.encode()).hexdigest()
        payload = pack_payload(Origin(HOOK + provider, account, True), pack_item(item))
        raws.append(
            RawMessage(
                id=message_id,
                scope=f"{provider}/{account}",
                provider_id=storable(key),
                # The key says all: providers repeat a happening with other bytes around it.
                body_hash=hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest(),
                channel=channel,
                key_id=sealer.key_id,
                sealed=sealer.seal(payload, message_id),
                received_at_ms=received_at_ms,
                sender_key=storable(f"{provider}/{account}/{item.sender or message_id}"),
                hook=hook,
            )
        )
    return raws


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
            # The provider has signed who wrote.
            verified=True,
            language=message.language if message.language.isalpha() else "",
            automatic=message.automatic,
            media=message.media[:20],
        ),
        news,
    )
