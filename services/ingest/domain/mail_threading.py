"""Mail finds its conversation again by what only we can have written: signed message ids and signed addresses."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from services.ingest.domain.model import NO_PARTY, Party

_ID: Final = re.compile(r"<c\.([a-z2-7]{26})\.([a-z2-7]{26})\.([a-z2-7]{16})@[^<>@\s]+>", re.I | re.A)
# Short, since a local part has at most 64 characters.
_PLUS: Final = re.compile(r"\+c([a-z2-7]{26})([a-z2-7]{12})@", re.I | re.A)
_REFERENCE: Final = re.compile(r"<[^<>\s]{1,998}>")
_MOST_REFERENCES: Final = 100
_MOST_ADDRESSEES: Final = 5
_NOTED_REFERENCES: Final = 3


def _text(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()


def _seal(key: bytes, length: int, *parts: str) -> str:
    return _text(hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).digest())[:length]


def _packed(id_: str) -> str:
    """26 letters and digits for a UUID; for another id those of its digest."""
    try:
        return _text(UUID(id_).bytes)
    except ValueError:
        return _text(hashlib.sha256(id_.encode()).digest()[:16])


def _uuid(packed: str) -> str:
    return str(UUID(bytes=base64.b32decode(packed.upper() + "======")))


def message_id(key: bytes, conversation_id: str, source_id: str, domain: str) -> str:
    """Our Message-ID for something sent: the same for the same source, so that a resend is seen as one."""
    conversation, source = _packed(conversation_id), _packed(source_id)
    seal = _seal(key, 16, "id", conversation, source)
    return f"<c.{conversation}.{source}.{seal}@{domain}>"


def plus_address(key: bytes, conversation_id: str, address: str) -> str:
    """The address that answers to a conversation come back to: `support+c....@domain`."""
    local, _, domain = address.rpartition("@")
    conversation = _packed(conversation_id)
    return f"{local}+c{conversation}{_seal(key, 12, 'address', conversation)}@{domain}"


def without_extension(address: str) -> str:
    """The mailbox of a plus-address: `support@domain` of `support+anything@domain`."""
    local, at, domain = address.rpartition("@")
    return local.partition("+")[0] + at + domain


def references_of(in_reply_to: str, references: str) -> list[str]:
    """Message ids a mail refers to, nearest first: In-Reply-To, then References from right to left."""
    ids = _REFERENCE.findall(in_reply_to)[:1] + _REFERENCE.findall(references)[-_MOST_REFERENCES:][::-1]
    return list(dict.fromkeys(ids))


def conversations_of(key: bytes, references: Iterable[str], recipients: Iterable[str]) -> list[str]:
    """Conversations whose signed ids stand in the references, then those of signed addresses; forged ones are left out."""
    found: list[str] = []
    for reference in references:
        match = _ID.fullmatch(reference)
        if match is None:
            continue
        conversation, source, seal = (part.lower() for part in match.groups())
        if hmac.compare_digest(seal, _seal(key, 16, "id", conversation, source)):
            found.append(_uuid(conversation))
    for recipient in recipients:
        for conversation, seal in _PLUS.findall(recipient):
            if hmac.compare_digest(seal.lower(), _seal(key, 12, "address", conversation.lower())):
                found.append(_uuid(conversation.lower()))
    return list(dict.fromkeys(found))


def party_of(writer: str, addressees: Iterable[str], list_id: str) -> Party:
    """Who may go on in the conversation of a mail.

    A mail joins the conversation of one it refers to when one person wrote both, when the writer of one was addressed
    (To, Cc) by the other, or when both came by one mailing list. To have seen a Message-ID alone joins nothing, and to
    have been addressed together neither: everybody writes to our mailbox.
    """
    if not writer:
        return NO_PARTY
    others = [one for one in dict.fromkeys(addressees) if one != writer][:_MOST_ADDRESSEES]
    lists = (f"list:{list_id}",) if list_id else ()
    return Party(
        noted=(writer, *(f"to:{one}" for one in others), *lists),
        sought=(writer, f"to:{writer}", *others, *lists),
    )


def noted_ids(mail_id: str, references: Sequence[str]) -> list[str]:
    """Ids under which a mail is found again: its own, the nearest it refers to and the oldest, so that mails which
    arrive before the one they answer meet as well."""
    chosen = [mail_id, *references[: _NOTED_REFERENCES - 1], *references[-1:]]
    return list(dict.fromkeys(one for one in chosen if one))
