"""Raw payloads: how they are put away, and how they become inbound messages."""

import json
from dataclasses import dataclass
from typing import Any, Final

from services.ingest.adapters.keys import Signer
from services.ingest.adapters.mail_parts import MailAttachment
from services.ingest.adapters.mime import parse_mail
from services.ingest.adapters.widget_payloads import WIDGET, read_visitor
from services.ingest.domain.automatic import automatic_reason
from services.ingest.domain.customers import identity_key, mail_identity
from services.ingest.domain.mail_threading import conversations_of, party_of, references_of
from services.ingest.domain.model import MOST_TEXT_BYTES, ChannelName, Inbound
from services.ingest.domain.quotations import without_quotation
from services.ingest.domain.reference import find_references
from services.ingest.domain.texts import cut_to_bytes, storable

MAIL: Final = "mail"
MESSAGE: Final = "message"
_MOST_FULL_BYTES: Final = 1024 * 1024
_MOST_REFERENCES: Final = 10


@dataclass(frozen=True, slots=True)
class Origin:
    """What the edge knows of a payload besides its body."""

    kind: str
    """`message` (a JSON message of the API), `widget` (a visitor's) or `mail` (raw MIME)."""
    account: str
    trusted: bool
    """The operator's own system sent it, or has signed who the customer is."""
    conversation_id: str = ""
    """Proven by a visitor's token, or named by a trusted caller."""


def pack_payload(origin: Origin, body: bytes) -> bytes:
    """One line that says where it came from, then the body as it came."""
    head = json.dumps([1, origin.kind, origin.account, origin.trusted, origin.conversation_id])
    return head.encode() + b"\n" + body


def unpack_payload(data: bytes) -> tuple[Origin, bytes]:
    """The reverse. Raises ValueError."""
    head, _, body = data.partition(b"\n")
    version, kind, account, trusted, conversation_id = json.loads(head)
    if version != 1:
        raise ValueError(f"raw payload of version {version}, expected 1")
    return Origin(kind, account, trusted, conversation_id), body


def read_inbound(
    data: bytes, message_id: str, channel: str, received_at_ms: int, signer: Signer
) -> tuple[Inbound, tuple[MailAttachment, ...]]:
    """The message in a payload, and the files of a mail. Raises ValueError for what no edge has let in."""
    origin, body = unpack_payload(data)
    if origin.kind == MAIL:
        return _from_mail(origin, body, message_id, received_at_ms, signer)
    if origin.kind == WIDGET:
        written = read_visitor(
            origin.account, origin.trusted, json.loads(body), message_id, ChannelName(channel), received_at_ms
        )
        return written, ()
    return _from_message(origin, json.loads(body), message_id, ChannelName(channel), received_at_ms), ()


def _from_message(
    origin: Origin, message: dict[str, Any], message_id: str, channel: ChannelName, received_at_ms: int
) -> Inbound:
    sender = message.get("sender") or {}
    external_id, address = sender.get("external_id") or "", (sender.get("email") or "").lower()
    threads = (origin.conversation_id,) if origin.conversation_id else ()
    identity = identity_key(channel, origin.account, external_id, address, trusted=origin.trusted)
    return Inbound(
        message_id=message_id,
        channel=channel,
        account=origin.account,
        received_at_ms=received_at_ms,
        text=message["text"],
        identity=identity,
        verified=origin.trusted,
        name=sender.get("name") or "",
        address=address,
        language=sender.get("language") or "",
        subject=message.get("subject") or "",
        threads=threads,
    )


def _from_mail(
    origin: Origin, raw: bytes, message_id: str, received_at_ms: int, signer: Signer
) -> tuple[Inbound, tuple[MailAttachment, ...]]:
    mail = parse_mail(raw)
    visible = without_quotation(mail.text) or mail.subject
    text, cut = cut_to_bytes(visible, MOST_TEXT_BYTES)
    full, _ = cut_to_bytes(mail.text, _MOST_FULL_BYTES)
    references = references_of(mail.in_reply_to, mail.references)
    inbound = Inbound(
        message_id=message_id,
        channel=ChannelName.MAIL,
        account=origin.account,
        received_at_ms=received_at_ms,
        text=storable(text),
        identity=mail_identity(origin.account, mail.sender),
        name=mail.name,
        address=mail.sender,
        subject=mail.subject,
        full_text="" if full == text else full,
        truncated=cut,
        automatic=automatic_reason(mail.headers, mail.sender) is not None,
        mail_id=mail.message_id,
        mail_references=tuple(storable(one) for one in _near_and_oldest(references)),
        party=party_of(mail.sender, mail.addressees, mail.list_id),
        threads=tuple(conversations_of(signer.key, references, mail.recipients)[:5]),
        case_references=tuple(find_references(mail.subject)[:5]),
    )
    return inbound, mail.attachments


def _near_and_oldest(references: list[str]) -> list[str]:
    if len(references) <= _MOST_REFERENCES:
        return references
    return [*references[: _MOST_REFERENCES - 1], references[-1]]
