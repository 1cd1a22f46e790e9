"""What would be made of a mail or a payload, for people to look at."""

import hashlib
from dataclasses import asdict
from typing import Any

from services.ingest.adapters.channels.port import Hook, Refused
from services.ingest.adapters.channels.registry import adapters
from services.ingest.adapters.mime import parse_mail
from services.ingest.domain.automatic import automatic_reason
from services.ingest.domain.mail_threading import conversations_of, party_of, references_of
from services.ingest.domain.quotations import without_quotation
from services.ingest.domain.reference import find_references


def inspect_mail(raw: bytes, signing_key: bytes) -> dict[str, Any]:
    """The mail as ingest reads it: sender, subject, text, stripped text, thread keys, automatic or not, attachments."""
    mail = parse_mail(raw)
    references = references_of(mail.in_reply_to, mail.references)
    party = party_of(mail.sender, mail.addressees, mail.list_id)
    reason = automatic_reason(mail.headers, mail.sender)
    return {
        "sender": {"address": mail.sender, "name": mail.name},
        "recipients": list(mail.recipients),
        "subject": mail.subject,
        "text": mail.text,
        "stripped_text": without_quotation(mail.text),
        "thread_keys": {
            "message_id": mail.message_id,
            "references": references,
            "conversations": conversations_of(signing_key, references, mail.recipients)
            if signing_key
            else [],
            "case_references": find_references(mail.subject),
            "party": list(party.noted),
        },
        "automatic": reason is not None,
        "automatic_reason": reason,
        "attachments": [
            {
                "name": one.name,
                "declared_type": one.declared,
                "type": one.media_type,
                "inline": one.inline,
                "bytes": len(one.data),
                "sha256": hashlib.sha256(one.data).hexdigest(),
            }
            for one in mail.attachments
        ],
        "attachments_left_out": mail.left_out,
    }


def inspect_payload(kind: str, body: bytes) -> dict[str, Any]:
    """A provider's webhook as its channel reads it, unverified. Raises ValueError for another kind or no shape."""
    known = adapters()
    if kind not in known:
        raise ValueError(f"{kind!r} is no channel; expected mail or one of {', '.join(sorted(known))}")
    adapter = known[kind]
    try:
        items = adapter.split(Hook("POST", "", {}, {}, body, 0))
    except Refused as error:
        raise ValueError(str(error)) from None
    read = [
        {"key": item.key, "sender": item.sender, "says": [asdict(one) for one in adapter.read(item.content)]}
        for item in items
    ]
    return {"channel": str(adapter.channel), "items": read}
