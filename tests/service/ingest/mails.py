"""Mails as people and their programs write them."""

from email.message import EmailMessage
from typing import Any


def mail(
    text: str = "Where is my parcel?",
    *,
    sender: str = "Ada Rossi <ada@example.org>",
    to: str = "support@localhost.localdomain",
    subject: str = "Parcel",
    message_id: str = "<1@example.org>",
    **headers: str,
) -> bytes:
    """A plain mail. Header names are given with underscores."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = message_id
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


async def post_mail(client: Any, raw: bytes, **headers: str) -> Any:
    """Hands a mail over as a mail server does."""
    given = {"Content-Type": "message/rfc822", **{name.replace("_", "-"): v for name, v in headers.items()}}
    return await client.post("/v1/mail", content=raw, headers=given)
