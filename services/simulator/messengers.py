"""Telegram, LINE and Viber as they write and read."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from services.simulator.shape import Payload, hex_hmac, json_payload


class Telegram:
    name = channel = "telegram"
    sender, token = "shop_bot", "1234:bot"

    def _update(self, number: int, sender: str, **content: Any) -> Payload:
        person = {"id": int(sender), "is_bot": False, "first_name": "Ada", "language_code": "it-IT"}
        message = {"message_id": number, "from": person, "chat": {"id": int(sender), "type": "private"}}
        return json_payload(
            {"update_id": 10_000 + number, "message": {**message, "date": 1_780_000_000, **content}}
        )

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


class Line:
    name, channel, sender, token = "line", "webhook", "U-shop", "line-token"

    def _event(self, number: int, sender: str, message: dict[str, Any]) -> Payload:
        event = {"type": "message", "webhookEventId": f"01H{number}", "timestamp": 1_780_000_000_000 + number}
        source = {"type": "user", "userId": sender}
        return json_payload(
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


class Viber:
    name, channel, sender, token = "viber", "webhook", "Shop", "viber-token"

    def message_id(self, number: int) -> str:
        return str(49_000 + number)

    def message(self, number: int, sender: str, text: str) -> Payload:
        return self._told(number, sender, {"type": "text", "text": text})

    def strange(self, number: int, sender: str) -> Payload:
        return self._told(number, sender, {"type": "hologram"})

    def _told(self, number: int, sender: str, message: dict[str, Any]) -> Payload:
        head = {"event": "message", "timestamp": 1_780_000_000_000 + number, "message_token": 49_000 + number}
        return json_payload({**head, "sender": {"id": sender, "name": "Ada"}, "message": message})

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
        return json_payload({**told, "desc": "could not be delivered"} if event == "failed" else told)

    def sign(self, body: bytes, url: str, secret: str, now_s: int) -> Mapping[str, str]:
        return {"X-Viber-Content-Signature": hex_hmac(secret, body)}

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
