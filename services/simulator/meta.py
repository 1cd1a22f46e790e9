"""Meta as it writes and reads: WhatsApp Cloud, Messenger, Instagram."""

import json
from collections.abc import Mapping
from typing import Any

from services.simulator.shape import Payload, hex_hmac, json_payload, template_text


class _Meta:
    token = "graph-token"

    def sign(self, body: bytes, url: str, secret: str, now_s: int) -> Mapping[str, str]:
        return {"X-Hub-Signature-256": "sha256=" + hex_hmac(secret, body)}

    def refusal(self) -> tuple[int, bytes]:
        error = {"message": "(#131026) Message undeliverable", "type": "OAuthException", "code": 131026}
        return 400, json.dumps({"error": error}).encode()


class WhatsAppCloud(_Meta):
    name, channel, sender = "whatsapp-cloud", "whatsapp", "106540352242922"

    def _value(self, **parts: Any) -> Payload:
        metadata = {"display_phone_number": "15550783881", "phone_number_id": self.sender}
        value = {"messaging_product": "whatsapp", "metadata": metadata, **parts}
        entry = {"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}
        return json_payload({"object": "whatsapp_business_account", "entry": [entry]})

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


class Messaging(_Meta):
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
        return json_payload(
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
