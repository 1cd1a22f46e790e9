"""Webhooks out: events become rows in their own transaction, and a worker posts them, signed, by a guarded client.

Signed as Standard Webhooks has it: `webhook-id`, `webhook-timestamp`, `webhook-signature` over the three of id, time and
body, one signature for each secret.
"""

import asyncio
import json
import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from standardwebhooks import Webhook

from libs.runtime import new_id
from libs.storage import Database, Rows
from libs.web import GuardedClient, OutgoingFailed, OutgoingRefused
from services.ingest.adapters.signals import Signals
from services.ingest.adapters.tables import NOTICES
from services.ingest.domain.deliveries import backoff_ms
from services.ingest.domain.notices import TYPES, Endpoint, Notice, NoticeState
from services.ingest.domain.pacing import Paces
from services.ingest.ports import SendRefused, SendUnavailable
from services.ingest.workers.leased import LeasedWork

_AT_ONCE: Final = 32
_RATE: Final = 50.0
_LEASE_MS: Final = 60_000
_DEADLINE_S: Final = 15.0
_FIRST_PAUSE_MS: Final = 5_000
_POLL_S: Final = 1.0
_GONE: Final = 410


def note(events: Iterable[Message], endpoints: Iterable[Endpoint], notices: Rows[Notice], now_ms: int) -> int:
    """Puts what the endpoints want to hear on its way, in the transaction of the events. Returns how much that is."""
    count = 0
    for event in events:
        type_ = TYPES.get(event.DESCRIPTOR.name)
        wanting = [one for one in endpoints if type_ in one.types]
        if type_ is None or not wanting:
            continue
        data = MessageToDict(event, preserving_proto_field_name=True)
        told = {
            "type": type_,
            "timestamp": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(),
            "data": data,
        }
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        for one in wanting:
            notices.put(Notice(new_id(), one.id, type_, body, NoticeState.WAITING, 0, now_ms, "", now_ms, 0))
            count += 1
    return count


def signed(notice: Notice, secrets: Iterable[str], now_s: int) -> dict[str, str]:
    """The headers of an attempt."""
    at = datetime.fromtimestamp(now_s, UTC)
    signatures = [Webhook(secret).sign(notice.notice_id, at, notice.body) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "webhook-id": notice.notice_id,
        "webhook-timestamp": str(now_s),
        "webhook-signature": " ".join(signatures),
    }


class Notifier:
    """Posts what waits. A webhook whose fate is unknown after a crash is posted again under the same id."""

    def __init__(
        self,
        database: Database,
        endpoints: Mapping[str, tuple[Endpoint, tuple[str, ...]]],
        client: GuardedClient,
        signals: Signals,
        most_attempts: int,
    ) -> None:
        """`endpoints` by id, each with its secrets, the newest first."""
        self._database = database
        self._waiting = LeasedWork(
            database, NOTICES, "notice_id", lease_ms=_LEASE_MS, at_once=_AT_ONCE, poll_seconds=_POLL_S
        )
        self._endpoints = endpoints
        self._client = client
        self._signals = signals
        self._most_attempts = most_attempts
        self._paces = Paces[str]()

    async def run(self, stop: asyncio.Event) -> None:
        """Posts until stopped."""
        await self._waiting.run(stop, self._signals.watch_notices, self._attempt)

    async def _attempt(self, notice: Notice) -> Notice:
        now_ms = self._database.clock.now_ms()
        known = self._endpoints.get(notice.endpoint)
        if known is None:
            return notice.failed(f"endpoint {notice.endpoint!r} is not configured any more", now_ms)
        if wait_ms := self._paces.wait_ms(notice.endpoint, now_ms, _RATE):
            return notice.put_off("waits for its turn", now_ms + wait_ms, tried=False)
        answered = False
        try:
            await self._post(notice, *known)
            answered = True
            return notice.delivered(self._database.clock.now_ms())
        except (SendRefused, OutgoingRefused) as error:
            answered = True
            return notice.failed(str(error), now_ms)
        except (SendUnavailable, OutgoingFailed) as error:
            if notice.attempts >= self._most_attempts:
                return notice.failed(str(error), now_ms)
            pause = backoff_ms(notice.attempts, _FIRST_PAUSE_MS, random.random())
            return notice.put_off(str(error), now_ms + pause, tried=True)
        finally:
            at_ms = self._database.clock.now_ms()
            self._paces.heard(notice.endpoint, at_ms, answered=answered)

    async def _post(self, notice: Notice, endpoint: Endpoint, secrets: tuple[str, ...]) -> None:
        headers = signed(notice, secrets, self._database.clock.now_ms() // 1000)
        answer = await self._client.request(
            "POST", endpoint.url, content=notice.body.encode(), headers=headers, deadline_s=_DEADLINE_S
        )
        if answer.status == _GONE:
            raise SendRefused("the other side answered 410: it wants no more of this")
        if not 200 <= answer.status < 300:
            raise SendUnavailable(f"the other side answered {answer.status}")
