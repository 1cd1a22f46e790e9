"""Files of mails are put away before the transaction that tells of their message."""

from collections.abc import Sequence
from dataclasses import replace

from libs.runtime import derived_id
from libs.storage import BlobStore, pieces_of
from libs.streams import Retry
from services.ingest.adapters.mail_parts import MailAttachment
from services.ingest.domain.attachments import safe_name
from services.ingest.domain.files import Attachment, FileState
from services.ingest.domain.model import Inbound
from services.ingest.domain.texts import storable


def _attachment(inbound: Inbound, position: int, name: str, state: FileState) -> Attachment:
    return Attachment(
        # The same at a second run, so that nothing is there twice.
        attachment_id=derived_id("attachment", f"{inbound.message_id}:{position}"),
        conversation_id="",
        message_id=inbound.message_id,
        position=position,
        name=name,
        declared="",
        media_type="",
        inline=False,
        size=0,
        blob_key="",
        state=state,
        reason="",
        source="",
        channel=inbound.channel,
        account=inbound.account,
        attempts=0,
        due_at_ms=inbound.received_at_ms,
        created_at_ms=inbound.received_at_ms,
    )


async def put_away(
    inbound: Inbound, files: Sequence[MailAttachment], blobs: BlobStore
) -> tuple[Attachment, ...]:
    """The files of a mail, kept. Raises Retry when the store cannot take them now: the mail waits with them."""
    kept = []
    for position, file in enumerate(files):
        found = _attachment(inbound, position, file.name, FileState.STORED)
        try:
            blob = await blobs.put(pieces_of(file.data), len(file.data))
        except OSError as error:
            raise Retry(f"files of mails cannot be stored: {type(error).__name__}: {error}") from error
        stored = found.stored(blob.key, blob.size, file.media_type, file.name)
        kept.append(replace(stored, declared=storable(file.declared[:200]), inline=file.inline))
    return tuple(kept)


def kept_before(inbound: Inbound) -> tuple[Attachment, ...]:
    """The files that a visitor had sent before their message."""
    return tuple(
        replace(
            _attachment(inbound, position, file.name, FileState.STORED).stored(
                file.blob_key, file.size, file.media_type, file.name
            ),
            declared=file.declared,
        )
        for position, file in enumerate(inbound.files)
    )


def to_be_fetched(inbound: Inbound) -> tuple[Attachment, ...]:
    """The files that a provider keeps for us until they are asked for."""
    return tuple(
        replace(_attachment(inbound, position, safe_name("", ""), FileState.WAITING), source=source[:2000])
        for position, source in enumerate(inbound.media)
    )
