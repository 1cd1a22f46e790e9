"""The PostgreSQL transport: consumers read the log tables themselves, partitions are owned by leases."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from libs.contracts import PARTITIONS
from libs.primitives import new_id
from libs.storage import fetch_all
from libs.streams.leases import Leases
from libs.streams.log import Log
from libs.streams.transport import Patience, Place, Record, TopicPartition

# A partition gives at most this many rows at once, so that one full partition does not starve the others; octet_length
# of a value out of line is known without reading it, so the size limit costs nothing.
_READ = """
SELECT u.t, u.p, e.number, e.data
FROM unnest($1::smallint[], $2::int[], $3::bigint[]) AS u(t, p, n)
CROSS JOIN LATERAL (
    SELECT number, data FROM (
        SELECT number, data, sum(octet_length(data)) OVER w AS size, row_number() OVER w AS nth
        FROM (
            SELECT number, data FROM log.events
            WHERE topic = u.t AND partition = u.p AND number > u.n
            ORDER BY number LIMIT $4
        ) AS rows
        WINDOW w AS (ORDER BY number)
    ) AS sized
    WHERE size <= $5 OR nth = 1
    ORDER BY number
) AS e
"""


class PostgresTransport:
    """Makes subscriptions on one database's log."""

    def __init__(
        self, engine: AsyncEngine, log: Log, *, lease_seconds: float = 5.0, process: str = ""
    ) -> None:
        """`process` begins the names of its members, which gives it the same partitions in all its groups."""
        self._engine = engine
        self._log = log
        self._leases = Leases(engine, process or new_id(), PARTITIONS, lease_seconds)

    def subscribe(self, group: str, topics: Iterable[str], position_schema: str) -> "PostgresSubscription":
        return PostgresSubscription(
            self._engine, self._log, group, frozenset(topics), position_schema, self._leases
        )


class PostgresSubscription:
    """One member of a group: see the port."""

    def __init__(
        self,
        engine: AsyncEngine,
        log: Log,
        group: str,
        topics: frozenset[str],
        position_schema: str,
        leases: Leases,
    ) -> None:
        self._engine = engine
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._log = log
        self._group = group
        self._topics = topics
        self._schema = position_schema
        self._leases = leases
        self._member = leases.member(group)
        log.read_by(self._reads)
        self._owned: frozenset[int] = frozenset()
        self._registered = False
        self._turn = 0
        self._patience = Patience()

    async def owned(self) -> frozenset[int]:
        if not self._registered:
            await self._register()
        owned = await self._leases.held(self._member)
        if owned != self._owned:
            self._owned = owned
            # What others have appended there they may have told nobody.
            await self._log.refresh()
        return self._owned

    def _reads(self, source: TopicPartition) -> bool:
        return source.topic in self._topics and source.partition in self._member.held

    def reassigned(self) -> bool:
        # Rows are read from the positions in memory: old ones meet the fence before anything else.
        return False

    async def _register(self) -> None:
        async with self._engine.begin() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO log.readers (name, topic, position_schema)"
                " SELECT $1, t, $3 FROM unnest($2::smallint[]) AS t ON CONFLICT DO NOTHING",
                (self._group, [self._log.topic_id(topic) for topic in sorted(self._topics)], self._schema),
            )
        self._registered = True

    async def beginning(self, sources: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        wanted = list(sources)
        async with self._engine.connect() as connection:
            result = await fetch_all(
                connection,
                "SELECT coalesce((SELECT min(e.number) - 1 FROM log.events e WHERE e.topic = u.t AND e.partition = u.p),"
                " c.number) FROM unnest($1::smallint[], $2::int[]) WITH ORDINALITY AS u(t, p, o)"
                " JOIN log.counters c ON c.topic = u.t AND c.partition = u.p ORDER BY u.o",
                [self._log.topic_id(s.topic) for s in wanted],
                [s.partition for s in wanted],
            )
            return dict(zip(wanted, (row[0] for row in result), strict=True))

    async def poll(
        self, places: Mapping[TopicPartition, Place], max_rows: int, max_bytes: int, wait_ms: int
    ) -> list[Record]:
        if not places:
            await self._patience.sleep(wait_ms)
            return []
        positions = {source: place.number for source, place in places.items()}
        async with self._patience.wait():
            await self._log.wait(self._topics, lambda: bool(self._log.behind(positions)), wait_ms)
        behind = self._log.behind(positions)
        if not behind:
            return []
        self._turn += 1
        start = self._turn % len(behind)
        behind = (behind[start:] + behind[:start])[:max_rows]
        share = max(1, max_rows // len(behind))
        most = max(1, max_bytes // len(behind))
        records, unknown = [], []
        for source in behind:
            rows = self._log.recent.after(source, positions[source], share, most)
            records += [Record(source.topic, source.partition, number, -1, data) for number, data in rows]
            if not rows:
                unknown.append(source)
        if unknown:
            records += await self._read(unknown, positions, share, most)
        return records

    async def _read(
        self,
        sources: Sequence[TopicPartition],
        positions: Mapping[TopicPartition, int],
        share: int,
        most: int,
    ) -> list[Record]:
        """What the database has behind the positions, at most so many rows and bytes of each source."""
        ids = {self._log.topic_id(topic): topic for topic in self._topics}
        async with self._reading.connect() as connection:
            result = await fetch_all(
                connection,
                _READ,
                [self._log.topic_id(source.topic) for source in sources],
                [source.partition for source in sources],
                [positions[source] for source in sources],
                share,
                most,
            )
            return [Record(ids[t], p, number, -1, data) for t, p, number, data in result]

    def lag(self, places: Mapping[TopicPartition, Place]) -> Mapping[TopicPartition, int]:
        return self._log.lags(places)

    def hurry(self) -> None:
        self._patience.end()

    async def close(self) -> None:
        self._owned = frozenset()
        await self._leases.release(self._member)
