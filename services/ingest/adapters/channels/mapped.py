"""Any provider that a file declares."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.ingest.adapters.channels.genuine import check_any, check_time, made
from services.ingest.adapters.channels.mapping import ProviderFile
from services.ingest.adapters.channels.port import Call, Credentials, Hook, Outgoing, Reply
from services.ingest.adapters.channels.reading import (
    answer_of,
    dicts_at,
    digest,
    fitting,
    id_at,
    read_json,
    taken_id,
    text_at,
    time_at,
)
from services.ingest.domain.channels import ChannelMessage, Item, StatusNews, unsupported
from services.ingest.domain.model import ChannelName
from services.ingest.ports import SendRefused, SendUnavailable

_UNITS: Final = {"s": 1000, "ms": 1}


class MappedWebhook:
    """One declared provider."""

    channel = ChannelName.WEBHOOK
    reply = Reply()

    def __init__(self, file: ProviderFile) -> None:
        self.kind = file.name
        self._file = file

    def verify(self, hook: Hook, credentials: Credentials) -> None:
        rule = self._file.verify
        given, what = hook.headers.get(rule.header), f"header {rule.header}"
        if rule.scheme == "header":
            check_any(given, credentials.secrets, what)
            return
        message = rule.message.encode().partition(b"{body}")
        timestamp = hook.headers.get(rule.timestamp_header, "") if rule.timestamp_header else ""
        head, tail = (part.replace(b"{timestamp}", timestamp.encode()) for part in (message[0], message[2]))
        signed = head + hook.body + tail

        def sign(key: bytes) -> str:
            mac = hmac.new(key, signed, getattr(hashlib, rule.algorithm))
            made_ = mac.hexdigest() if rule.encoding == "hex" else base64.b64encode(mac.digest()).decode()
            return rule.prefix + made_

        check_any(given, made(credentials, sign), what)
        if rule.timestamp_header:
            check_time(timestamp, _UNITS[rule.timestamp_unit], hook.now_ms)

    def greet(self, hook: Hook, credentials: Credentials) -> Reply | None:
        return None

    def split(self, hook: Hook) -> Sequence[Item]:
        body = read_json(hook.body)
        found = list(dicts_at(body, *_steps(self._file.items))) if self._file.items else [body]
        return [self._item(one) for one in found if not _meets(self._file.skip, one, empty=False)]

    def _item(self, one: dict[str, Any]) -> Item:
        status = self._file.status
        if self._is_status(one) and status is not None:
            id_, state = id_at(one, *_steps(status.id)), id_at(one, *_steps(status.status))
            return Item(f"status:{id_}:{state}", id_at(one, *_steps(status.recipient)), {"item": one})
        id_, sender = (
            id_at(one, *_steps(path)) for path in (self._file.message.id, self._file.message.sender)
        )
        return Item(f"message:{id_ or digest(one)}", sender, {"item": one})

    def _is_status(self, one: Any) -> bool:
        status = self._file.status
        return status is not None and _meets(status.when, one, empty=False)

    def read(self, item: Mapping[str, object]) -> Sequence[ChannelMessage | StatusNews]:
        one, shape, rule = item.get("item"), self._file.message, self._file.status
        if rule is not None and self._is_status(one):
            status, id_ = rule.map.get(text_at(one, *_steps(rule.status))), id_at(one, *_steps(rule.id))
            reason = text_at(one, *_steps(rule.reason))[:300] if rule.reason else ""
            return [StatusNews(id_, status, reason)] if status and id_ else []
        kind = text_at(one, *_steps(shape.kind)) if shape.kind else ""
        text = text_at(one, *_steps(shape.text)) if _meets(shape.when, one, empty=True) else ""
        sender = id_at(one, *_steps(shape.sender))
        if not sender:
            return []
        media = text_at(one, *_steps(shape.media)) if shape.media else ""
        return [
            ChannelMessage(
                provider_id=id_at(one, *_steps(shape.id)) or digest(one),
                sender=sender,
                text=text or unsupported(kind),
                name=text_at(one, *_steps(shape.name))[:200] if shape.name else "",
                language=text_at(one, *_steps(shape.language))[:2].lower() if shape.language else "",
                sent_at_ms=time_at(one, *_steps(shape.sent_at), unit_ms=_UNITS[shape.time_unit])
                if shape.sent_at
                else 0,
                media=(media,) if media else (),
            )
        ]

    def compose(self, outgoing: Outgoing, credentials: Credentials) -> Call:
        shape = self._file.outgoing
        values = {
            "{recipient}": outgoing.recipient,
            "{text}": fitting(outgoing.text, shape.longest_text, self.kind),
            "{delivery_id}": outgoing.delivery_id,
            "{token}": credentials.token,
            "{sender}": credentials.sender,
            "{base_url}": credentials.base_url or shape.base_url,
        }
        headers = {name: _filled(value, values) for name, value in shape.headers.items()}
        body = json.dumps(_filled_all(shape.body, values)).encode()
        return Call(
            shape.method, _filled(shape.url, values), {"Content-Type": "application/json", **headers}, body
        )

    def outcome(self, status: int, body: bytes) -> str:
        shape = self._file.outgoing
        answer = answer_of(status, body)
        failure = shape.failure
        if failure is not None:
            said = text_at(answer, *_steps(failure.path))
            if said not in failure.ok:
                reason = text_at(answer, *_steps(failure.reason))[:300] if failure.reason else ""
                error = SendUnavailable if said in failure.busy or not said else SendRefused
                raise error(f"the provider answered {status} with {failure.path} = {said!r}: {reason}")
        return taken_id(answer, status, *_steps(shape.id)) if shape.id else ""


def _steps(path: str | None) -> list[str | int]:
    return [int(one) if one.lstrip("-").isdecimal() else one for one in path.split(".")] if path else [""]


def _meets(rule: Mapping[str, str | list[str]], value: Any, *, empty: bool) -> bool:
    """Whether all values stand where they must; `empty` for a rule that asks nothing."""
    if not rule:
        return empty
    return all(
        text_at(value, *_steps(path)) in (wanted if isinstance(wanted, list) else [wanted])
        for path, wanted in rule.items()
    )


def _filled(text: str, values: Mapping[str, str]) -> str:
    # One pass, so that what is filled in is never filled again.
    parts, rest = [], text
    while rest:
        places = [(rest.find(name), name) for name in values if name in rest]
        if not places:
            break
        place, name = min(places)
        parts += [rest[:place], values[name]]
        rest = rest[place + len(name) :]
    return "".join([*parts, rest])


def _filled_all(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _filled(value, values)
    if isinstance(value, dict):
        return {name: _filled_all(one, values) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled_all(one, values) for one in value]
    return value
