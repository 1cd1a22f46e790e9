"""How each provider writes its webhooks, signs them, and answers what is sent by it."""

import base64
import hashlib
import hmac
import json
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"


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


def _json(value: Any) -> Payload:
    # Escaped, as Meta writes: who signs the text again after reading it gets other bytes.
    return Payload(json.dumps(value, ensure_ascii=True).encode(), _JSON)


def _hex(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


class _Twilio:
    token = "AC" + "0" * 32 + ":auth"

    def __init__(self, name: str, channel: str, prefix: str) -> None:
        self.name, self.channel, self._prefix = name, channel, prefix
        self.sender = "+15005550006"

    def _form(self, **fields: str) -> Payload:
        base = {"AccountSid": "AC" + "0" * 32, "ApiVersion": "2010-04-01"}
        return Payload(urllib.parse.urlencode({**base, **fields}).encode(), _FORM)

    def message_id(self, number: int) -> str:
        return f"SM{number:032x}"

    def message(self, number: int, sender: str, text: str) -> Payload:
        sid = f"SM{number:032x}"
        to = self._prefix + self.sender
        return self._form(
            MessageSid=sid,
            SmsSid=sid,
            From=self._prefix + sender,
            To=to,
            Body=text,
            NumMedia="0",
            NumSegments="1",
        )

    def strange(self, number: int, sender: str) -> Payload:
        sid = f"SM{number:032x}"
        return self._form(
            MessageSid=sid, From=self._prefix + sender, Body="", NumMedia="0", MessageType="hologram"
        )

    def status(self, id_: str, recipient: str, status: str) -> Payload | None:
        extra = {"ErrorCode": "30003"} if status == "failed" else {}
        return self._form(
            MessageSid=id_,
            MessageStatus=status,
            To=self._prefix + recipient,
            From=self._prefix + self.sender,
            **extra,
        )

    def sign(self, body: bytes, url: str, secret: str, now_s: int) -> Mapping[str, str]:
        parameters: dict[str, set[str]] = {}
        for name, value in urllib.parse.parse_qsl(body.decode(), keep_blank_values=True):
            parameters.setdefault(name, set()).add(value)
        text = url
        for name in sorted(parameters):
            for value in sorted(parameters[name]):
                text += name + value
        mac = hmac.new(secret.encode(), text.encode(), hashlib.sha1)
        return {"X-Twilio-Signature": base64.b64encode(mac.digest()).decode()}

    def taken(self, body: bytes) -> tuple[str, str]:
        form = dict(urllib.parse.parse_qsl(body.decode()))
        recipient = form["To"].removeprefix(self._prefix)
        if "ContentSid" in form:
            if "Body" in form or not form["ContentSid"].startswith("HX"):
                raise ValueError("a template goes by its ContentSid, without a Body")
            values = json.loads(form["ContentVariables"])
            return recipient, template_text(form["ContentSid"], values.values())
        return recipient, form["Body"]

    def answer(self, number: int) -> tuple[int, bytes]:
        return 201, json.dumps(
            {"sid": self.answer_id(number), "status": "queued", "error_code": None}
        ).encode()

    def answer_id(self, number: int) -> str:
        return f"SMOUT{number:029x}"

    def refusal(self) -> tuple[int, bytes]:
        return 400, json.dumps(
            {"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400}
        ).encode()


class _TwilioVoice(_Twilio):
    def __init__(self) -> None:
        super().__init__("twilio-voice", "voice", "")

    def message_id(self, number: int) -> str:
        return f"CA{number:032x}:TranscriptionSid:TR{number:032x}:completed"

    def message(self, number: int, sender: str, text: str) -> Payload:
        return self._form(
            CallSid=f"CA{number:032x}", TranscriptionSid=f"TR{number:032x}", TranscriptionText=text,
            TranscriptionStatus="completed", From=sender, To=self.sender, Direction="inbound",
        )  # fmt: skip

    def strange(self, number: int, sender: str) -> Payload:
        return self._form(
            CallSid=f"CA{number:032x}",
            From=sender,
            To=self.sender,
            Direction="inbound",
            CallStatus="no-answer",
        )

    def status(self, id_: str, recipient: str, status: str) -> Payload | None:
        return None


def template_text(name: str, values: Iterable[str]) -> str:
    """How a template that was taken is noted: its name, and what stands in its places."""
    return f"[{name}] " + " | ".join(values)


class _Meta:
    token = "graph-token"

    def sign(self, body: bytes, url: str, secret: str, now_s: int) -> Mapping[str, str]:
        return {"X-Hub-Signature-256": "sha256=" + _hex(secret, body)}

    def refusal(self) -> tuple[int, bytes]:
        error = {"message": "(#131026) Message undeliverable", "type": "OAuthException", "code": 131026}
        return 400, json.dumps({"error": error}).encode()


class _WhatsAppCloud(_Meta):
    name, channel, sender = "whatsapp-cloud", "whatsapp", "106540352242922"

    def _value(self, **parts: Any) -> Payload:
        metadata = {"display_phone_number": "15550783881", "phone_number_id": self.sender}
        value = {"messaging_product": "whatsapp", "metadata": metadata, **parts}
        entry = {"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}
        return _json({"object": "whatsapp_business_account", "entry": [entry]})

    def _message(self, number: int, sender: str, **content: Any) -> Payload:
        message = {
            "from": sender,
            "id": f"wamid.{number}",
            "timestamp": str(1_780_000_000 + number),
            **content,
        }
        return self._value(contacts=[{"profile": {"name": "Ada"}, "wa_id": sender}], messages=[message])

    def message_id(self, number: int) -> str:
        return f"wamid.{number}"

    def message(self, number: int, sender: str, text: str) -> Payload:
        return self._message(number, sender, type="text", text={"body": text})

    def strange(self, number: int, sender: str) -> Payload:
        errors = [{"code": 131051, "title": "Message type unknown"}]
        return self._message(number, sender, type="hologram", errors=errors)

    def status(self, id_: str, recipient: str, status: str) -> Payload | None:
        told: dict[str, Any] = {
            "id": id_,
            "status": status,
            "timestamp": "1780000100",
            "recipient_id": recipient,
        }
        if status == "failed":
            told["errors"] = [{"code": 131026, "title": "Message undeliverable"}]
        return self._value(statuses=[told])

    def taken(self, body: bytes) -> tuple[str, str]:
        value = json.loads(body)
        if value["type"] == "template":
            template = value["template"]
            parameters = [
                one["text"]
                for part in template.get("components", [])
                if part["type"] == "body"
                for one in part["parameters"]
            ]
            return value["to"], template_text(
                f"{template['name']} {template['language']['code']}", parameters
            )
        return value["to"], value["text"]["body"]

    def answer(self, number: int) -> tuple[int, bytes]:
        ids = [{"id": self.answer_id(number)}]
        return 200, json.dumps({"messaging_product": "whatsapp", "contacts": [], "messages": ids}).encode()

    def answer_id(self, number: int) -> str:
        return f"wamid.out.{number}"


class _Messaging(_Meta):
    def __init__(self, name: str, object_: str) -> None:
        self.name = self.channel = name
        self._object = object_
        self.sender = "1010101010"

    def _event(self, sender: str, **content: Any) -> Payload:
        event = {
            "sender": {"id": sender},
            "recipient": {"id": self.sender},
            "timestamp": 1_780_000_000_000,
            **content,
        }
        return _json(
            {
                "object": self._object,
                "entry": [{"id": self.sender, "time": 1_780_000_000_000, "messaging": [event]}],
            }
        )

    def message_id(self, number: int) -> str:
        return f"m_{number}"

    def message(self, number: int, sender: str, text: str) -> Payload:
        return self._event(sender, message={"mid": f"m_{number}", "text": text})

    def strange(self, number: int, sender: str) -> Payload:
        return self._event(sender, hologram={"number": number})

    def status(self, id_: str, recipient: str, status: str) -> Payload | None:
        if status == "delivered":
            return self._event(recipient, delivery={"mids": [id_], "watermark": 1_780_000_100_000})
        return None

    def taken(self, body: bytes) -> tuple[str, str]:
        value = json.loads(body)
        return value["recipient"]["id"], value["message"]["text"]

    def answer(self, number: int) -> tuple[int, bytes]:
        return 200, json.dumps({"recipient_id": "1", "message_id": self.answer_id(number)}).encode()

    def answer_id(self, number: int) -> str:
        return f"m_out_{number}"


class _Telegram:
    name = channel = "telegram"
    sender, token = "shop_bot", "1234:bot"

    def _update(self, number: int, sender: str, **content: Any) -> Payload:
        person = {"id": int(sender), "is_bot": False, "first_name": "Ada", "language_code": "it-IT"}
        message = {"message_id": number, "from": person, "chat": {"id": int(sender), "type": "private"}}
        return _json({"update_id": 10_000 + number, "message": {**message, "date": 1_780_000_000, **content}})

    def message_id(self, number: int) -> str:
        return str(10_000 + number)

    def message(self, number: int, sender: str, text: str) -> Payload:
        return self._update(number, sender, text=text)

    def strange(self, number: int, sender: str) -> Payload:
        return self._update(number, sender, hologram={"size": 3})

    def status(self, id_: str, recipient: str, status: str) -> Payload | None:
        return None

    def sign(self, body: bytes, url: str, secret: str, now_s: int) -> Mapping[str, str]:
        return {"X-Telegram-Bot-Api-Secret-Token": secret}

    def taken(self, body: bytes) -> tuple[str, str]:
        value = json.loads(body)
        return str(value["chat_id"]), value["text"]

    def answer(self, number: int) -> tuple[int, bytes]:
        return 200, json.dumps({"ok": True, "result": {"message_id": number}}).encode()

    def answer_id(self, number: int) -> str:
        return str(number)

    def refusal(self) -> tuple[int, bytes]:
        told = {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}
        return 403, json.dumps(told).encode()


class _Line:
    name, channel, sender, token = "line", "webhook", "U-shop", "line-token"

    def _event(self, number: int, sender: str, message: dict[str, Any]) -> Payload:
        event = {"type": "message", "webhookEventId": f"01H{number}", "timestamp": 1_780_000_000_000 + number}
        source = {"type": "user", "userId": sender}
        return _json(
            {"destination": self.sender, "events": [{**event, "source": source, "message": message}]}
        )

    def message_id(self, number: int) -> str:
        return f"01H{number}"

    def message(self, number: int, sender: str, text: str) -> Payload:
        return self._event(number, sender, {"id": str(number), "type": "text", "text": text})

    def strange(self, number: int, sender: str) -> Payload:
        return self._event(number, sender, {"id": str(number), "type": "hologram"})

    def status(self, id_: str, recipient: str, status: str) -> Payload | None:
        return None

    def sign(self, body: bytes, url: str, secret: str, now_s: int) -> Mapping[str, str]:
        mac = hmac.new(secret.encode(), body, hashlib.sha256)
        return {"x-line-signature": base64.b64encode(mac.digest()).decode()}

    def taken(self, body: bytes) -> tuple[str, str]:
        value = json.loads(body)
        return value["to"], value["messages"][0]["text"]

    def answer(self, number: int) -> tuple[int, bytes]:
        return 200, json.dumps({"sentMessages": [{"id": self.answer_id(number)}]}).encode()

    def answer_id(self, number: int) -> str:
        return f"46123{number}"

    def refusal(self) -> tuple[int, bytes]:
        return 400, json.dumps({"message": "The property, 'to', in the request body is invalid"}).encode()


class _Viber:
    name, channel, sender, token = "viber", "webhook", "Shop", "viber-token"

    def message_id(self, number: int) -> str:
        return str(49_000 + number)

    def message(self, number: int, sender: str, text: str) -> Payload:
        return self._told(number, sender, {"type": "text", "text": text})

    def strange(self, number: int, sender: str) -> Payload:
        return self._told(number, sender, {"type": "hologram"})

    def _told(self, number: int, sender: str, message: dict[str, Any]) -> Payload:
        head = {"event": "message", "timestamp": 1_780_000_000_000 + number, "message_token": 49_000 + number}
        return _json({**head, "sender": {"id": sender, "name": "Ada"}, "message": message})

    def status(self, id_: str, recipient: str, status: str) -> Payload | None:
        event = {"delivered": "delivered", "read": "seen", "failed": "failed"}.get(status)
        if event is None:
            return None
        told = {
            "event": event,
            "timestamp": 1_780_000_100_000,
            "message_token": int(id_),
            "user_id": recipient,
        }
        return _json({**told, "desc": "could not be delivered"} if event == "failed" else told)

    def sign(self, body: bytes, url: str, secret: str, now_s: int) -> Mapping[str, str]:
        return {"X-Viber-Content-Signature": _hex(secret, body)}

    def taken(self, body: bytes) -> tuple[str, str]:
        value = json.loads(body)
        return value["receiver"], value["text"]

    def answer(self, number: int) -> tuple[int, bytes]:
        told = {"status": 0, "status_message": "ok", "message_token": int(self.answer_id(number))}
        return 200, json.dumps(told).encode()

    def answer_id(self, number: int) -> str:
        return str(77_000 + number)

    def refusal(self) -> tuple[int, bytes]:
        return 200, json.dumps({"status": 6, "status_message": "receiverNotSubscribed"}).encode()


SHAPES: Final[Mapping[str, Shape]] = {
    shape.name: shape
    for shape in (
        _Twilio("twilio-sms", "sms", ""),
        _Twilio("twilio-whatsapp", "whatsapp", "whatsapp:"),
        _TwilioVoice(),
        _WhatsAppCloud(),
        _Messaging("messenger", "page"),
        _Messaging("instagram", "instagram"),
        _Telegram(),
        _Line(),
        _Viber(),
    )
}
