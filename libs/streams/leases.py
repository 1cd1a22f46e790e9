"""Who reads a partition: leases with the database's clock, shared among the living members of a group."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from libs.primitives import new_id
from libs.storage import fetch_all

_RENEWALS: Final = 3
"""So often is a lease renewed before it would end."""
_HASTE: Final = 4
"""So much more often while partitions move, for what one member gives up another waits for."""
_RENEW: Final = (
    "SELECT o, log.renew(g, m, $3, $4) FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS u(g, m, o)"
)


@dataclass(slots=True, eq=False)
class Member:
    """One reader of a group in this process, and what it held when it was renewed last."""

    group: str
    name: str
    held: frozenset[int] = frozenset()
    renewed: float = float("-inf")
    moved: float = float("-inf")
    """When what it holds has changed last."""
    at_work: bool = False
    """Has asked since it was renewed. One that has not is stuck in a batch and must be able to lose its lease."""


class Leases:
    """The leases of one process's members. By the order of their names the living members of a group have a range each of
    at most ceil(partitions / members), as the range assignor of Kafka gives it.

    A lease lasts `seconds` after its renewal. `process` begins the names of all members here, so that the process has the
    same partitions in all its groups. Those that are at work are renewed together.
    """

    def __init__(self, engine: AsyncEngine, process: str, partitions: int, seconds: float) -> None:
        self._engine = engine
        self._alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._process = process
        self._partitions = partitions
        self._seconds = seconds
        self._members: set[Member] = set()
        self._one_at_a_time = asyncio.Lock()

    def member(self, group: str) -> Member:
        """Another reader of a group, which joins when it first asks."""
        return Member(group, f"{self._process}-{new_id()}")

    async def held(self, member: Member) -> frozenset[int]:
        """What a member holds now. When it is due it is renewed: it keeps what is of its range, gives up the rest, and
        takes what of its range is free."""
        self._members.add(member)
        member.at_work = True
        if self._due(member):
            async with self._one_at_a_time:
                if self._due(member):
                    await self._renew(
                        [one for one in self._members if one.at_work and self._due(one, early=True)]
                    )
        return member.held

    def _due(self, member: Member, *, early: bool = False) -> bool:
        now = time.monotonic()
        period = self._seconds / _RENEWALS
        if now - member.moved < self._seconds:
            period /= _HASTE
        return now - member.renewed >= (period / 2 if early else period)

    async def _renew(self, members: Iterable[Member]) -> None:
        # In one order everywhere, for each takes its group's lock until all are done.
        together = sorted(members, key=lambda member: (member.group, member.name))
        async with self._alone.connect() as connection:
            rows = await fetch_all(
                connection,
                _RENEW,
                [member.group for member in together],
                [member.name for member in together],
                self._seconds,
                self._partitions,
            )
        now = time.monotonic()
        for nth, partitions in rows:
            member, held = together[nth - 1], frozenset(partitions)
            member.moved = member.moved if held == member.held else now
            member.held, member.renewed, member.at_work = held, now, False

    async def release(self, member: Member) -> None:
        """A member gives up everything at once and leaves, until it asks again."""
        async with self._one_at_a_time:
            self._members.discard(member)
            member.held, member.renewed = frozenset(), float("-inf")
            async with self._engine.begin() as connection:
                # In the order in which a renewal locks them.
                for table in ("members", "leases"):
                    await connection.exec_driver_sql(
                        f"DELETE FROM log.{table} WHERE group_name = $1 AND member = $2",
                        (member.group, member.name),
                    )
