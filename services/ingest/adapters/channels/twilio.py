"""Twilio: SMS, WhatsApp and what becomes of calls."""

import base64
import hashlib
import hmac
import json
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.ingest.adapters.channels.genuine import check_any
from services.ingest.adapters.channels.port import (
    Call,
    Credentials,
    Forged,
    Hook,
    Outgoing,
    Reply,
    Unreadable,
)
from services.ingest.adapters.channels.reading import answer_of, at, digest, fitting, id_at, taken_id, text_at
from services.ingest.domain.channels import (
    ChannelMessage,
    Item,
    ProviderStatus,
    StatusNews,
    told,
    unsupported,
)
from services.ingest.domain.model import ChannelName
from services.ingest.ports import SendRefused, SendUnavailable

_API: Final = "https://api.twilio.com/2010-04-01"
_MOST_FIELDS: Final = 500
_STATUSES: Final = {
    "accepted": ProviderStatus.ACCEPTED,
    "scheduled": ProviderStatus.ACCEPTED,
    "queued": ProviderStatus.ACCEPTED,
    "sending": ProviderStatus.ACCEPTED,
    "sent": ProviderStatus.SENT,
    "delivered": ProviderStatus.DELIVERED,
    "read": ProviderStatus.READ,
    "undelivered": ProviderStatus.FAILED,
    "failed": ProviderStatus.FAILED,
    "canceled": ProviderStatus.FAILED,
}
_MISSED: Final = frozenset({"no-answer", "busy", "failed", "canceled"})


def fields_of(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form. Raises Unreadable."""
    try:
        pairs = urllib.parse.parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise Unreadable(f"the body is not a form: {str(error)[:200]}") from None
    return pairs


def signature(secret: bytes, url: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Base64 of HMAC-SHA1 over the public URL and every field, sorted by name, equal ones once."""
    message = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.new(secret, message.encode(), hashlib.sha1).digest()).decode()


class TwilioHooks:
    """The signature and the answer of all of Twilio's webhooks."""

    reply = Reply(200, "text/xml", "<Response/>")

    def verify(self, hook: Hook, credentials: Credentials) -> None:
        pairs: Sequence[tuple[str, str]] = ()
        given = hook.query.get("bodySHA256")
        if given is not None:
            check_any(given.lower(), [hashlib.sha256(hook.body).hexdigest()], "bodySHA256")
        else:
            try:
                pairs = fields_of(hook.body)
            except Unreadable as error:
                raise Forged(str(error)) from None
        check_any(
            hook.headers.get("x-twilio-signature"),
            [
                signature(secret.encode(), url, pairs)
                for secret in credentials.secrets
                if secret
                for url in _urls(hook.url)
            ],
            "header x-twilio-signature",
        )

    def greet(self, hook: Hook, credentials: Credentials) -> Reply | None:
        return None


def _urls(url: str) -> list[str]:
    """With and without the standard port, since Twilio signs either."""
    parts = urllib.parse.urlsplit(url)
    standard = {"https": 443, "http": 80}.get(parts.scheme, 0)
    host = parts.hostname or ""
    if parts.port in (None, standard) and standard:
        return [
            urllib.parse.urlunsplit(parts._replace(netloc=host)),
            urllib.parse.urlunsplit(parts._replace(netloc=f"{host}:{standard}")),
        ]
    return [url]


class TwilioMessages(TwilioHooks):
    """SMS, and WhatsApp under numbers that begin with `whatsapp:`."""

    def __init__(self, kind: str, channel: ChannelName) -> None:
        self.kind = kind
        self.channel = channel
        self._prefix = "whatsapp:" if channel == ChannelName.WHATSAPP else ""

    def split(self, hook: Hook) -> Sequence[Item]:
        form = dict(fields_of(hook.body))
        id_, status = id_at(form, "MessageSid") or id_at(form, "SmsSid"), id_at(form, "MessageStatus")
        if status:
            return [Item(f"status:{id_}:{status}", id_at(form, "To"), {"status": form})]
        return [Item(f"message:{id_}" if id_ else digest(form), id_at(form, "From"), {"message": form})]

    def read(self, item: Mapping[str, object]) -> Sequence[ChannelMessage | StatusNews]:
        form: Any = item.get("message")
        if form is None:
            form = item.get("status")
            status, id_ = _STATUSES.get(text_at(form, "MessageStatus")), id_at(form, "MessageSid")
            code = text_at(form, "ErrorCode")
            reason = f"the provider says error {code}" if code else ""
            return [StatusNews(id_, status, reason)] if status and id_ else []
        sender = id_at(form, "From").removeprefix(self._prefix)
        if not sender:
            return []
        count = int(text_at(form, "NumMedia") or 0) if text_at(form, "NumMedia").isdecimal() else 0
        media = [
            (text_at(form, f"MediaUrl{n}"), text_at(form, f"MediaContentType{n}"))
            for n in range(min(count, 20))
        ]
        text = text_at(form, "Body") or text_at(form, "ButtonText")
        if not text:
            kinds = ", ".join(kind.partition("/")[0] or "file" for _, kind in media)
            text = told(kinds) if kinds else unsupported(text_at(form, "MessageType") or "empty")
        return [
            ChannelMessage(
                provider_id=id_at(form, "MessageSid") or digest(form),
                sender=sender,
                text=text,
                name=text_at(form, "ProfileName")[:200],
                # Stop words are answered by the provider itself.
                automatic=bool(text_at(form, "OptOutType")),
                media=tuple(url for url, _ in media if url),
            )
        ]

    def compose(self, outgoing: Outgoing, credentials: Credentials) -> Call:
        account, _, _secret = credentials.token.partition(":")
        form = {"To": self._prefix + outgoing.recipient}
        if outgoing.filled is not None:
            form["ContentSid"] = outgoing.filled.template.provider_id
            form["ContentVariables"] = json.dumps(dict(outgoing.filled.values))
        else:
            form["Body"] = fitting(outgoing.text, 1600, self.kind)
        key = "MessagingServiceSid" if credentials.sender.startswith("MG") else "From"
        form[key] = credentials.sender if key != "From" else self._prefix + credentials.sender
        if outgoing.status_url:
            form["StatusCallback"] = outgoing.status_url
        headers = {
            "Authorization": "Basic " + base64.b64encode(credentials.token.encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
            "I-Twilio-Idempotency-Token": outgoing.delivery_id,
        }
        url = f"{credentials.base_url or _API}/Accounts/{account}/Messages.json"
        return Call("POST", url, headers, urllib.parse.urlencode(form).encode())

    def outcome(self, status: int, body: bytes) -> str:
        answer = answer_of(status, body)
        if at(answer, "status") in ("failed", "undelivered") or at(answer, "error_code"):
            raise SendRefused(
                f"the provider refused it ({at(answer, 'error_code')}): {text_at(answer, 'error_message')[:300]}"
            )
        return taken_id(answer, status, "sid")


class TwilioVoice(TwilioHooks):
    """Calls: one that nobody took, a voicemail and a transcript are messages; the rest of a call's life is not."""

    kind = "twilio-voice"
    channel = ChannelName.VOICE

    def split(self, hook: Hook) -> Sequence[Item]:
        form = dict(fields_of(hook.body))
        call = id_at(form, "CallSid") or digest(form)
        what = next(
            (
                f"{name}:{id_at(form, name)}:{id_at(form, 'TranscriptionStatus')}"
                for name in ("TranscriptionSid", "RecordingSid")
                if id_at(form, name)
            ),
            f"call:{id_at(form, 'CallStatus')}",
        )
        return [Item(f"{call}:{what}", id_at(form, "From") or id_at(form, "Caller"), {"call": form})]

    def read(self, item: Mapping[str, object]) -> Sequence[ChannelMessage | StatusNews]:
        form: Any = item.get("call")
        sender = id_at(form, "From") or id_at(form, "Caller")
        text = _of_call(form)
        if not text or not sender or text_at(form, "Direction").startswith("outbound"):
            return []
        id_ = id_at(form, "TranscriptionSid") or id_at(form, "RecordingSid") or id_at(form, "CallSid")
        return [ChannelMessage(id_ or digest(form), sender, text, media=_recording(form))]

    def compose(self, outgoing: Outgoing, credentials: Credentials) -> Call:
        raise SendRefused("a call takes no text: answer by SMS or WhatsApp, or call back")

    def outcome(self, status: int, body: bytes) -> str:
        raise SendUnavailable("calls are not placed from here")


def _recording(form: Any) -> tuple[str, ...]:
    url = text_at(form, "RecordingUrl")
    return (url,) if url else ()


def _of_call(form: Any) -> str:
    transcript = text_at(form, "TranscriptionText")
    if transcript:
        return f"(voicemail) {transcript}"
    if text_at(form, "TranscriptionStatus") == "failed":
        return told("voicemail, its transcription failed: listen to it")
    if id_at(form, "RecordingSid"):
        seconds = text_at(form, "RecordingDuration")
        return told(f"voicemail of {seconds} seconds" if seconds else "voicemail")
    status = text_at(form, "CallStatus")
    if status in _MISSED:
        return told(f"missed call, {status}: call back")
    if status == "completed":
        return told(f"call of {text_at(form, 'CallDuration') or '0'} seconds")
    return ""
