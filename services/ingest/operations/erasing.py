"""Forgetting a customer, with all who are the same person: one transaction here, an event for the others, their reports."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import httpx
from sqlalchemy.ext.asyncio import AsyncConnection

from libs.contracts import TOPICS, CustomerErased
from libs.runtime import Peers, derived_id
from libs.storage import BlobFault, BlobStore, Database, fetch_all
from libs.streams import Found, erase, report_of
from libs.telemetry import get_logger
from services.ingest.adapters.erasing import Forgetting, delete_hooks, next_hooks
from services.ingest.adapters.keys import SealBroken, Sealer
from services.ingest.adapters.people import ERASURE_REQUESTS
from services.ingest.domain.erasing import Request
from services.ingest.domain.model import PROVIDED
from services.ingest.operations.people import people_context, want_memberships

SERVICES: Final = tuple(sorted({topic.producer for topic in TOPICS.values()}))
_SAME: Final = f"SELECT {ERASURE_REQUESTS.columns} FROM ingest.erasure_requests WHERE customer_ids ? $1"
_FREE: Final = """
SELECT k FROM unnest($1::text[]) AS k WHERE NOT EXISTS (
    SELECT 1 FROM ingest.attachments a WHERE a.blob_key = k AND a.state <> 'expired'
)
"""
_log = get_logger("ingest")


@dataclass(frozen=True, slots=True)
class Erasing:
    """Erases customers and collects what the services report."""

    database: Database
    sealer: Sealer
    blobs: BlobStore
    peers: Peers

    async def request(self, customer_id: str, actor: str, reason: str) -> Request | None:
        """Forgets a customer and all who are the same person. None for an unknown one.

        Twice is once: whoever was erased before is answered with that request.
        """
        forgetting = Forgetting()
        async with self.database.begin() as uow:
            ctx = people_context(uow)
            for want in want_memberships([customer_id], ctx):
                await want.rows.load([want.key])
            members = ctx.membership(customer_id).members
            await ctx.customers.load(members)
            if ctx.customers.get(customer_id) is None:
                rows = await fetch_all(uow.connection, _SAME, customer_id)
                return ERASURE_REQUESTS.value_of(rows[0]) if rows else None
            made = Request(
                derived_id("erasure", customer_id), tuple(members), actor, reason, uow.now_ms, {}, 0
            )
            uow.rows(ERASURE_REQUESTS).put(made)
            for member in members:
                forget = partial(self._forget, forgetting, member, uow.now_ms)
                erase(uow, member, forget)
                uow.emit(CustomerErased(customer_id=member))
            await uow.commit()
        await self._remove_files(forgetting.blob_keys)
        return made

    async def _forget(
        self, forgetting: Forgetting, customer_id: str, now_ms: int, connection: AsyncConnection
    ) -> Found:
        known = len(forgetting.identities)
        found = await forgetting.forget(connection, customer_id, now_ms)
        hooks = await self._forget_hooks(connection, forgetting.identities[known:])
        return replace(found, counts={**found.counts, "raw_hooks": hooks})

    async def _forget_hooks(
        self, connection: AsyncConnection, identities: Sequence[tuple[str, str, str]]
    ) -> int:
        """Webhooks are kept as a whole to be read again: those that name the person go, with whatever else they told."""
        named = [
            (account, id_.lstrip("+").encode()) for channel, account, id_ in identities if channel in PROVIDED
        ]
        if not named:
            return 0
        accounts, ids = sorted({account for account, _ in named}), [id_ for _, id_ in named if id_]
        removed, after = 0, ""
        while hooks := await next_hooks(connection, accounts, after):
            opened = await asyncio.to_thread(self._opened, hooks)
            found = [id_ for id_, payload in opened.items() if any(one in payload for one in ids)]
            removed += await delete_hooks(connection, found) if found else 0
            after = hooks[-1][0]
        return removed

    def _opened(self, hooks: Sequence[tuple[str, str, bytes]]) -> dict[str, bytes]:
        opened = {}
        for id_, key_id, payload in hooks:
            try:
                opened[id_] = self.sealer.open(payload, id_, key_id)
            except SealBroken:
                continue
        return opened

    async def _remove_files(self, keys: set[str]) -> None:
        """What fails here is removed by the sweep of the files."""
        if not keys:
            return
        async with self.database.read() as connection:
            free = [str(key) for (key,) in await fetch_all(connection, _FREE, sorted(keys))]
        try:
            await self.blobs.remove(free, 0)
        except (OSError, BlobFault) as error:
            _log.warning("files_not_removed", files=len(free), error=str(error))

    async def with_reports(self, request: Request) -> Request:
        """The request with what the services have reported by now; kept once all six are in."""
        if request.done_at_ms:
            return request
        asked = [
            self._report(service, customer_id) for service in SERVICES for customer_id in request.customer_ids
        ]
        answers = iter(await asyncio.gather(*asked))
        reports: dict[str, Mapping[str, int]] = {}
        for service in SERVICES:
            told = [next(answers) for _ in request.customer_ids]
            known = [one for one in told if one is not None]
            if len(known) == len(told):
                names = {name for one in known for name in one}
                reports[service] = {name: sum(one.get(name, 0) for one in known) for name in sorted(names)}
        request = replace(request, reports=reports)
        if len(reports) < len(SERVICES):
            return request
        async with self.database.begin() as uow:
            rows = uow.rows(ERASURE_REQUESTS)
            await rows.load([request.request_id])
            request = replace(request, done_at_ms=uow.now_ms)
            rows.put(request)
            await uow.commit()
        return request

    async def _report(self, service: str, customer_id: str) -> Mapping[str, int] | None:
        """What a service has deleted or blanked; None while it has not, or cannot be asked."""
        if service == self.database.schema:
            found = await report_of(self.database, customer_id)
            return found.counts if found is not None and found.done_at_ms else None
        try:
            answer = await self.peers.client(service).get(f"/v1/erasure-reports/{customer_id}")
            body: Any = answer.json() if answer.status_code == 200 else {}
        except (httpx.HTTPError, ValueError, KeyError) as error:
            _log.warning("no_erasure_report", service=service, error=f"{type(error).__name__}: {error}")
            return None
        return body["counts"] if body.get("done") else None
