"""A visitor's message as it is put away, and what it says when it is read again."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from services.ingest.domain.files import KeptFile
from services.ingest.domain.model import ChannelName, Inbound
from services.ingest.domain.visitors import Visitor

WIDGET: Final = "widget"


def pack_visitor(
    visitor: Visitor, text: str, subject: str, name: str, email: str, files: Sequence[KeptFile] = ()
) -> bytes:
    """The message with who wrote it. What the site has signed wins over what the visitor says of themselves."""
    content = {
        "visitor": visitor.id,
        "text": text,
        "subject": subject,
        "name": visitor.name or name,
        "email": visitor.email or email,
        "language": visitor.language,
        "files": [asdict(file) for file in files],
    }
    return json.dumps({key: value for key, value in content.items() if value}).encode()


def read_visitor(
    account: str,
    verified: bool,
    message: dict[str, Any],
    message_id: str,
    channel: ChannelName,
    received_at_ms: int,
) -> Inbound:
    """The inbound message of a payload."""
    visitor = Visitor(channel, account, message["visitor"], verified)
    return Inbound(
        message_id=message_id,
        channel=channel,
        account=account,
        received_at_ms=received_at_ms,
        text=message.get("text", ""),
        identity=visitor.identity,
        verified=verified,
        one_thread=True,
        name=message.get("name", ""),
        address=message.get("email", "").lower(),
        language=message.get("language", ""),
        subject=message.get("subject", ""),
        files=tuple(KeptFile(**file) for file in message.get("files", ())),
    )
