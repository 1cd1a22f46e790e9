"""What could not be delivered, for people to see and to send again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from libs.storage import Database, fetch_all
from libs.web import Conflict, NotFound
from services.ingest.adapters.signals import Signals
from services.ingest.adapters.tables import DELIVERIES, NOTICES
from services.ingest.domain.deliveries import Delivery, DeliveryState
from services.ingest.domain.notices import Notice, NoticeState

_PAGE: Final = (
    f"SELECT {DELIVERIES.columns} FROM ingest.deliveries WHERE state = $1 AND delivery_id > $2"
    " ORDER BY delivery_id LIMIT $3"
)
_NOTICES: Final = (
    f"SELECT {NOTICES.columns} FROM ingest.notices WHERE state = $1 AND notice_id > $2"
    " ORDER BY notice_id LIMIT $3"
)


async def deliveries_of(database: Database, state: str, after: str, limit: int) -> Sequence[Delivery]:
    """Deliveries in a state, by their ids."""
    async with database.read() as connection:
        return [DELIVERIES.value_of(row) for row in await fetch_all(connection, _PAGE, state, after, limit)]


async def resend(database: Database, delivery_id: str, signals: Signals | None) -> Delivery:
    """Puts a failed delivery on its way again, with all its attempts. Raises NotFound, or Conflict in another state.

    What it goes by is decided anew by nobody: a closed window is refused again, and says so.
    """
    async with database.begin() as uow:
        rows = uow.rows(DELIVERIES)
        await rows.load([delivery_id])
        delivery = rows.get(delivery_id)
        if delivery is None:
            raise NotFound("There is no such delivery.", slug="unknown-delivery")
        if delivery.state != DeliveryState.FAILED:
            raise Conflict(
                f"The delivery is {delivery.state}; only a failed one is sent again.", slug="not-failed"
            )
        again = replace(
            delivery,
            state=DeliveryState.WAITING,
            attempts=0,
            due_at_ms=uow.now_ms,
            reason="",
            finished_at_ms=0,
        )
        rows.put(again)
        await uow.commit()
    if signals is not None:
        signals.delivery_waits(again.channel)
    return again


async def notices_of(database: Database, state: str, after: str, limit: int) -> Sequence[Notice]:
    """Webhooks out in a state, by their ids."""
    async with database.read() as connection:
        return [NOTICES.value_of(row) for row in await fetch_all(connection, _NOTICES, state, after, limit)]


async def resend_notice(database: Database, notice_id: str) -> None:
    """Puts a failed webhook on its way again, with all its attempts. Raises NotFound, or Conflict in another state."""
    async with database.begin() as uow:
        rows = uow.rows(NOTICES)
        await rows.load([notice_id])
        notice = rows.get(notice_id)
        if notice is None:
            raise NotFound("There is no such delivery or webhook.", slug="unknown-delivery")
        if notice.state != NoticeState.FAILED:
            raise Conflict(
                f"The webhook is {notice.state}; only a failed one is sent again.", slug="not-failed"
            )
        rows.put(
            replace(
                notice,
                state=NoticeState.WAITING,
                attempts=0,
                due_at_ms=uow.now_ms,
                reason="",
                finished_at_ms=0,
            )
        )
        await uow.commit()
