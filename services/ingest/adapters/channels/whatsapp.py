"""WhatsApp by Meta's Cloud API."""

from collections.abc import Iterator, Mapping, Sequence
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
from services.ingest.domain.templates import Filled

_FILES: Final = ("image", "audio", "video", "document", "sticker")
_STATUSES: Final = {one.value: one for one in ProviderStatus}


class WhatsAppCloud(MetaHooks):
    """Messages and statuses; several of both in one webhook."""

    kind = "whatsapp-cloud"
    channel = ChannelName.WHATSAPP

    def split(self, hook: Hook) -> Sequence[Item]:
        return list(_items(read_json(hook.body)))

    def read(self, item: Mapping[str, object]) -> Sequence[ChannelMessage | StatusNews]:
        if "status" in item:
            status = _STATUSES.get(text_at(item, "status", "status"))
            reason = text_at(item, "status", "errors", 0, "title") or text_at(
                item, "status", "errors", 0, "message"
            )
            id_ = id_at(item, "status", "id")
            return [StatusNews(id_, status, reason[:300])] if status and id_ else []
        message: Any = item.get("message")
        sender = id_at(message, "from") or id_at(item, "contact", "user_id") or id_at(message, "from_user_id")
        return [
            ChannelMessage(
                provider_id=id_at(message, "id") or digest(message),
                sender=sender,
                text=_text(message),
                name=text_at(item, "contact", "profile", "name")[:200],
                sent_at_ms=time_at(message, "timestamp"),
                automatic=text_at(message, "type") == "system",
                media=tuple(id_ for kind in _FILES if (id_ := id_at(message, kind, "id"))),
            )
        ]

    def compose(self, outgoing: Outgoing, credentials: Credentials) -> Call:
        body: dict[str, Any] = {"messaging_product": "whatsapp", "recipient_type": "individual"}
        body |= {"to": outgoing.recipient, "biz_opaque_callback_data": outgoing.delivery_id}
        if outgoing.filled is not None:
            body |= {"type": "template", "template": _template(outgoing.filled)}
        else:
            body |= {
                "type": "text",
                "text": {"body": fitting(outgoing.text, 4096, self.kind), "preview_url": False},
            }
        return graph_call(f"{credentials.sender}/messages", body, credentials)

    def outcome(self, status: int, body: bytes) -> str:
        return taken_id(graph_answer(status, body), status, "messages", 0, "id")


def _template(filled: Filled) -> dict[str, Any]:
    template = filled.template
    body: dict[str, Any] = {"name": template.name, "language": {"code": template.language}}
    parameters = [
        {"type": "text", "text": value} | ({} if template.numbered else {"parameter_name": place})
        for place, value in filled.values
    ]
    return body | ({"components": [{"type": "body", "parameters": parameters}]} if parameters else {})


def _items(body: dict[str, Any]) -> Iterator[Item]:
    for entry in dicts_at(body, "entry"):
        for change in dicts_at(entry, "changes"):
            value = at(change, "value")
            contacts = {id_at(one, "wa_id"): one for one in dicts_at(value, "contacts")}
            first = next(dicts_at(value, "contacts"), {})
            for message in dicts_at(value, "messages"):
                contact = contacts.get(id_at(message, "from"), first)
                sender = id_at(message, "from") or id_at(contact, "user_id")
                key = f"message:{id_at(message, 'id') or digest(message)}"
                yield Item(key, sender, {"message": message, "contact": contact})
            for status in dicts_at(value, "statuses"):
                key = f"status:{id_at(status, 'id')}:{id_at(status, 'status')}"
                yield Item(key, id_at(status, "recipient_id"), {"status": status})


def _text(message: Any) -> str:
    kind = text_at(message, "type")
    if kind == "text":
        return text_at(message, "text", "body") or unsupported("empty text")
    if kind in _FILES:
        name = text_at(message, kind, "filename")
        return told(f"{kind}: {name}" if name else kind, caption=text_at(message, kind, "caption"))
    if kind == "button":
        return text_at(message, "button", "text") or unsupported(kind)
    if kind == "interactive":
        chosen = at(message, "interactive", text_at(message, "interactive", "type"))
        return text_at(chosen, "title") or text_at(chosen, "body") or unsupported(kind)
    if kind == "reaction":
        return told(f"reaction {text_at(message, 'reaction', 'emoji') or 'removed'}")
    if kind == "location":
        place = [text_at(message, "location", one) for one in ("name", "address", "latitude", "longitude")]
        return told("location: " + ", ".join(one for one in place if one))
    if kind == "system":
        return text_at(message, "system", "body") or unsupported(kind)
    return unsupported(kind)
