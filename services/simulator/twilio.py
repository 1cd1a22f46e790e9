"""Twilio as it writes and reads: SMS, WhatsApp, calls."""

import base64
import hashlib
import hmac
import json
import urllib.parse
from collections.abc import Mapping

from services.simulator.shape import FORM, Payload, template_text


class Twilio:
    token = "AC" + "0" * 32 + ":auth"

    def __init__(self, name: str, channel: str, prefix: str) -> None:
        self.name, self.channel, self._prefix = name, channel, prefix
        self.sender = "+15005550006"

    def _form(self, **fields: str) -> Payload:
        base = {"AccountSid": "AC" + "0" * 32, "ApiVersion": "2010-04-01"}
        return Payload(urllib.parse.urlencode({**base, **fields}).encode(), FORM)

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


class TwilioVoice(Twilio):
    def __init__(self) -> None:
        super().__init__("twilio-voice", "voice", "")

    def call(self, number: int, caller: str, status: str) -> Payload:
        """A moment of a call's life, such as `ringing`, `no-answer` or `completed`."""
        return self._form(
            CallSid=f"CA{number:032x}", From=caller, To=self.sender, Direction="inbound", CallStatus=status
        )

    def call_id(self, number: int, status: str) -> str:
        """The id under which it tells that moment."""
        return f"CA{number:032x}:call:{status}"

    def message_id(self, number: int) -> str:
        return f"CA{number:032x}:TranscriptionSid:TR{number:032x}:completed"

    def message(self, number: int, sender: str, text: str) -> Payload:
        return self._form(
            CallSid=f"CA{number:032x}", TranscriptionSid=f"TR{number:032x}", TranscriptionText=text,
            TranscriptionStatus="completed", From=sender, To=self.sender, Direction="inbound",
        )  # fmt: skip

    def strange(self, number: int, sender: str) -> Payload:
        return self.call(number, sender, "no-answer")

    def status(self, id_: str, recipient: str, status: str) -> Payload | None:
        return None
