"""What HTTP does with the pools: append a command to the right one and wait for its answer; keep leases."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic

from fastapi import Request

from libs.runtime import derived_id, new_id
from libs.storage import Database, UnitOfWork, execute, fetch_all, fetch_one
from libs.web import Broadcast, Idempotency, KeyedRequest, NotFound, Principal, keyed_request
from services.routing.adapters import queries, where
from services.routing.adapters.contracts import pool_command
from services.routing.adapters.repositories import ASKED, RESULTS
from services.routing.adapters.rows import AskedRow, ResultRow
from services.routing.adapters.tables import idempotency_keys
from services.routing.domain.commands import Command, Transfer
from services.routing.domain.orders import Move
from services.routing.settings import RoutingSettings

_LOOK_SECONDS = 0.25
_KEPT_STATUS = 202
_NO_POOL = "This installation has no such pool; GET /routing/v1/pools names those it has."


@dataclass(frozen=True, slots=True)
class Ask:
    """A request on its way: the id its command must carry, and its key, if it had one."""

    command_id: str
    caller: str
    keyed: KeyedRequest | None


class Desk:
    """Appends commands and waits for what became of them."""

    def __init__(self, database: Database, hub: Broadcast, settings: RoutingSettings) -> None:
        self._database = database
        self._hub = hub
        self._settings = settings
        self._idempotency = Idempotency(idempotency_keys)

    async def begin(self, request: Request, me: Principal) -> Ask:
        """Reads the Idempotency-Key: the same caller, route and key give the same command id."""
        keyed = await keyed_request(request, me.subject, required=me.role == "service")
        if keyed is None:
            return Ask(new_id(), me.subject, None)
        return Ask(derived_id("command", keyed.caller, keyed.route, keyed.key), me.subject, keyed)

    async def repeated(self, ask: Ask) -> bool:
        """Whether the request is one that was sent before: its preconditions held then, and are not asked again."""
        return ask.keyed is not None and await self.asked_by(ask.command_id) is not None

    async def ask(
        self, ask: Ask, command: Command, *, lease_of: str = "", pool: str | None = None
    ) -> ResultRow | None:
        """The answer to the command, or None when it takes longer than `answer_seconds`.

        A repeated key appends nothing and waits for the first command's answer. With `lease_of` the agent's lease
        begins in the same transaction. Without `pool` it goes to the pool of what it is about, else to the first.
        Raises NotFound for a pool that is not there: nobody would ever answer.
        """
        with self._hub.listen(command.command_id) as bell:
            async with self._database.begin() as uow:
                if pool is not None and pool not in await queries.pools(uow.connection):
                    raise NotFound(_NO_POOL)
                if ask.keyed is None or not await self._seen(uow, ask.keyed):
                    if lease_of:
                        await self._lease(uow, lease_of)
                    uow.rows(ASKED).put(AskedRow(command.command_id, ask.caller, uow.now_ms))
                    if isinstance(command, Transfer | Move):
                        command = replace(command, to_pool=await where.target(uow.connection, command))
                    found = pool or await where.pool_of(uow.connection, command)
                    uow.emit(pool_command(found or self._settings.pool, command))
                await uow.commit()
            until = monotonic() + self._settings.answer_seconds
            while True:
                rang = await bell.wait(min(_LOOK_SECONDS, max(0.0, until - monotonic())))
                answer = await self.answer(command.command_id)
                if answer is not None or (not rang and monotonic() >= until):
                    return answer

    async def answer(self, command_id: str) -> ResultRow | None:
        """The answer to a command, if there is one."""
        async with self._database.read() as connection:
            row = await fetch_one(
                connection,
                f"SELECT {RESULTS.columns} FROM routing.results WHERE command_id = $1",
                command_id,
            )
        return RESULTS.value_of(row) if row else None

    async def asked_by(self, command_id: str) -> str | None:
        """Who sent the command, or None for an unknown one."""
        async with self._database.read() as connection:
            row = await fetch_one(
                connection, "SELECT caller FROM routing.asked WHERE command_id = $1", command_id
            )
        return row[0] if row else None

    async def renew(self, agent_id: str) -> int | None:
        """A heartbeat: the new end of the lease, or None when there is none to renew."""
        return (await self.renew_all([agent_id]))[0]

    async def renew_all(self, agent_ids: Sequence[str]) -> list[int | None]:
        """The same for several at once, in their order."""
        async with self._database.begin() as uow:
            until_ms = uow.now_ms + int(self._settings.lease_seconds * 1000)
            rows = await fetch_all(
                uow.connection,
                "UPDATE routing.leases SET lease_until_ms = $2 WHERE agent_id IN (SELECT agent_id"
                " FROM routing.leases WHERE agent_id = ANY($1::text[]) ORDER BY agent_id FOR UPDATE)"
                " RETURNING agent_id",
                list(agent_ids),
                until_ms,
            )
            await uow.commit()
        renewed = {agent_id for (agent_id,) in rows}
        return [until_ms if agent_id in renewed else None for agent_id in agent_ids]

    async def _lease(self, uow: UnitOfWork, agent_id: str) -> None:
        await execute(
            uow.connection,
            "INSERT INTO routing.leases (agent_id, lease_until_ms) VALUES ($1, $2)"
            " ON CONFLICT (agent_id) DO UPDATE SET lease_until_ms = excluded.lease_until_ms",
            agent_id,
            uow.now_ms + int(self._settings.lease_seconds * 1000),
        )

    async def _seen(self, uow: UnitOfWork, keyed: KeyedRequest) -> bool:
        if await self._idempotency.begin(uow.connection, keyed, uow.now_ms) is not None:
            return True
        await self._idempotency.store(uow.connection, keyed, _KEPT_STATUS, b"{}")
        return False
