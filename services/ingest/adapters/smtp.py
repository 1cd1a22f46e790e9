"""Mail out by SMTP."""

import email.policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final

import aiosmtplib

from services.ingest.ports import OutgoingMail, SendRefused, SendUnavailable, ServerAway
from services.ingest.settings import IngestSettings

# Folding would turn long message ids into encoded words, which nobody reads back as ids.
_POLICY: Final = email.policy.SMTP.clone(max_line_length=998)


class NoMailer:
    """Where no server is configured: every mail is refused with the reason, so that the agent learns of it."""

    async def send(self, mail: OutgoingMail) -> None:
        raise SendRefused("no mail server is configured: set CENTRALINO_INGEST_SMTP_HOST")


class SmtpMailer:
    """Sends each mail on a connection of its own."""

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings

    async def send(self, mail: OutgoingMail) -> None:
        message = render(mail).as_bytes()
        settings = self._settings
        try:
            await aiosmtplib.send(
                message,
                sender=mail.sender,
                recipients=[mail.recipient],
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                use_tls=settings.smtp_tls == "tls",
                start_tls=settings.smtp_tls == "starttls",
                username=settings.smtp_user or None,
                password=settings.smtp_password.get_secret_value() or None,
                timeout=settings.smtp_timeout_s,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refused.code for refused in error.recipients]
            raise _failure(min(codes, default=550), "recipient refused") from error
        except aiosmtplib.SMTPResponseException as error:
            raise _failure(error.code, error.message) from error
        except ValueError as error:
            raise SendRefused(f"the mail cannot be written as SMTP: {error}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise ServerAway(f"mail server: {type(error).__name__}: {error}") from error


def _failure(code: int, message: str) -> SendRefused | SendUnavailable:
    text = f"mail server answered {code}: {message[:300]}"
    return SendRefused(text) if 500 <= code < 600 else SendUnavailable(text)


def render(mail: OutgoingMail) -> EmailMessage:
    """The mail with its headers. Raises SendRefused for an address that no mail can be written to."""
    message = EmailMessage(policy=_POLICY)
    try:
        message["From"] = Address(addr_spec=mail.sender)
        message["To"] = Address(addr_spec=mail.recipient)
        message["Reply-To"] = Address(addr_spec=mail.reply_to)
    except (ValueError, IndexError) as error:
        raise SendRefused(f"{mail.recipient!r} is not a mail address") from error
    message["Subject"] = mail.subject
    message["Date"] = formatdate()
    message["Message-ID"] = mail.message_id
    if mail.in_reply_to:
        message["In-Reply-To"] = mail.in_reply_to
        message["References"] = mail.in_reply_to
    if mail.automatic:
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
    if mail.may_stop:
        message["List-Unsubscribe"] = f"<mailto:{mail.reply_to}?subject=STOP>"
    message.set_content(mail.text, cte="8bit" if mail.text.isascii() else "base64")
    return message
