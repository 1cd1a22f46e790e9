"""Generations of a log: what happens to its numbers when its database is restored from a back-up.

The numbers behind the back-up were used once already, by rows that the topics on the broker may still hold. Which way is
right depends on where the readers keep their positions:

cut      Readers and log were restored together, from the same moment. That moment is where the history goes on: rows of
         the generations before, with numbers above the restored ones, are withdrawn, and these readers pass them over.
recover  Readers elsewhere have handled those rows, so they must stay true: they are read back from the broker into the
         log, and what its handlers emit again when they catch up is not appended a second time.

Either way the new rows carry a higher generation, which no reader takes for repeats.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.contracts import PARTITIONS, TornEnvelope, pack, unpack
from libs.primitives import new_id_bytes
from libs.storage import execute, fetch_all
from libs.streams.errors import StillRunning
from libs.streams.transport import Record, TopicPartition

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a restored log goes on."""

    next: int
    """The generation that began there."""
    number: int
    """The last number of the generations before that is true."""


def withdrawn(cuts: Iterable[Cut], generation: int, number: int) -> bool:
    """Whether a row is of a history that was given up."""
    return any(generation < cut.next and number > cut.number for cut in cuts)


async def cuts_of(
    connection: AsyncConnection, sources: Sequence[TopicPartition]
) -> dict[TopicPartition, list[Cut]]:
    """The cuts of those partitions that have any, the oldest first."""
    rows = await fetch_all(
        connection,
        "SELECT t.name, c.partition, c.next, c.number FROM log.cuts c JOIN log.topics t ON t.id = c.topic"
        " JOIN unnest($1::text[], $2::int[]) AS u(t, p) ON t.name = u.t AND c.partition = u.p ORDER BY c.next",
        [source.topic for source in sources],
        [source.partition for source in sources],
    )
    found: dict[TopicPartition, list[Cut]] = {}
    for topic, partition, generation, number in rows:
        found.setdefault(TopicPartition(topic, partition), []).append(Cut(generation, number))
    return found


async def refuse_while_running(connection: AsyncConnection) -> None:
    """Raises StillRunning while a process of the platform works on the database."""
    rows = await fetch_all(
        connection,
        "SELECT DISTINCT group_name FROM log.members WHERE expires_at > clock_timestamp() ORDER BY 1",
    )
    sessions = await fetch_all(
        connection,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'centralino' AND pid <> pg_backend_pid()",
    )
    if rows or sessions[0][0]:
        seen = f"groups {', '.join(row[0] for row in rows[:5])}" if rows else f"{sessions[0][0]} sessions"
        raise StillRunning(
            f"{seen} of a running service are on this database; nothing was changed."
            " Stop every process of the installation, wait for ten seconds, and run this again"
        )


async def heads(connection: AsyncConnection, topics: Iterable[str]) -> tuple[int, dict[TopicPartition, int]]:
    """The log's generation, and the newest number of each partition of the topics."""
    ((generation,),) = await fetch_all(connection, "SELECT number FROM log.generation")
    rows = await fetch_all(
        connection,
        "SELECT t.name, c.partition, c.number FROM log.counters c JOIN log.topics t ON t.id = c.topic"
        " WHERE t.name = ANY($1::text[]) AND c.partition < $2",
        list(topics),
        PARTITIONS,
    )
    return generation, {TopicPartition(topic, partition): number for topic, partition, number in rows}


async def begin(connection: AsyncConnection, now_ms: int) -> int:
    """Starts a generation in the caller's transaction, and returns it.

    It is taken from the clock (minutes since 1970), so that a back-up that is restored twice begins two generations.
    """
    rows = await fetch_all(
        connection,
        "UPDATE log.generation SET number = greatest(number + 1, $1) RETURNING number",
        now_ms // _MINUTE_MS,
    )
    generation: int = rows[0][0]
    return generation


async def cut(connection: AsyncConnection, generation: int, topics: Sequence[str]) -> None:
    """Withdraws what older generations wrote to the topics above the log's own numbers."""
    await execute(
        connection,
        "INSERT INTO log.cuts (topic, partition, next, number)"
        " SELECT c.topic, c.partition, $2, c.number FROM log.counters c JOIN log.topics t ON t.id = c.topic"
        " WHERE t.name = ANY($1::text[])",
        list(topics),
        generation,
    )


async def repeat_newest(
    connection: AsyncConnection, later: Sequence[Record], generation: int, now_ms: int
) -> int:
    """Appends the true newest row of each key of `later` (rows of one compacted topic that are withdrawn) once more.

    Compaction keeps the last row of a key, which is a withdrawn one until a true one follows. Returns how many.
    """
    keys = {envelope.key.encode() for row in later if not row.fault and (envelope := unpack(row.data))}
    rows = await fetch_all(
        connection,
        "SELECT DISTINCT ON (log.key_of(e.data)) e.topic, e.partition, e.data FROM log.events e"
        " JOIN log.topics t ON t.id = e.topic WHERE t.name = $1 AND log.key_of(e.data) = ANY($2::bytea[])"
        " ORDER BY log.key_of(e.data), e.number DESC",
        later[0].topic,
        sorted(keys),
    )
    again = [replace(unpack(data), event_id=new_id_bytes(), generation=generation) for *_, data in rows]
    if again:
        await fetch_all(
            connection,
            "SELECT 1 FROM log.append($1::smallint[], $2::int[], $3::bytea[], $4)",
            [topic for topic, *_ in rows],
            [partition for _, partition, _ in rows],
            [pack(envelope) for envelope in again],
            now_ms,
        )
    return len(again)


async def recover(
    connection: AsyncConnection, schema: str, relay: str, rows: Sequence[Record], now_ms: int
) -> None:
    """Puts rows of one topic back into its log under their own numbers, as if they had never been lost.

    `relay` is the group that copies the topic, `schema` where it keeps its positions: it need not send them again.
    """
    topic = rows[0].topic
    await execute(
        connection,
        "INSERT INTO log.events (topic, partition, number, at_ms, data)"
        " SELECT t.id, u.p, u.n, u.a, u.d FROM log.topics t,"
        " unnest($2::int[], $3::bigint[], $4::bigint[], $5::bytea[]) AS u(p, n, a, d) WHERE t.name = $1"
        " ON CONFLICT DO NOTHING",
        topic,
        [row.partition for row in rows],
        [row.number for row in rows],
        [_at_ms(row, now_ms) for row in rows],
        [row.data for row in rows],
    )
    last = {row.partition: row for row in sorted(rows, key=lambda row: row.number)}
    await execute(
        connection,
        "UPDATE log.counters c SET number = greatest(c.number, u.n) FROM log.topics t,"
        " unnest($2::int[], $3::bigint[]) AS u(p, n) WHERE t.name = $1 AND c.topic = t.id AND c.partition = u.p",
        topic,
        list(last),
        [row.number for row in last.values()],
    )
    await execute(
        connection,
        f"UPDATE {schema}.positions p SET number = u.n, generation = u.g"
        " FROM unnest($3::int[], $4::bigint[], $5::int[]) AS u(p, n, g)"
        " WHERE p.group_name = $1 AND p.topic = $2 AND p.partition = u.p AND p.number < u.n",
        relay,
        topic,
        list(last),
        [row.number for row in last.values()],
        [max(1, row.generation) for row in last.values()],
    )
    await _remember(connection, rows, now_ms)


async def _remember(connection: AsyncConnection, rows: Iterable[Record], now_ms: int) -> None:
    """Keeps the ids of events that must not be appended again."""
    known = [envelope for row in rows if not row.fault and (envelope := unpack(row.data))]
    await execute(
        connection,
        "INSERT INTO log.recovered (event_id, type, at_ms) SELECT i, t, $3 FROM unnest($1::bytea[], $2::text[])"
        " AS u(i, t) ON CONFLICT DO NOTHING",
        [envelope.event_id for envelope in known],
        [envelope.type for envelope in known],
        now_ms,
    )


async def recovered(connection: AsyncConnection) -> frozenset[tuple[bytes, str]]:
    """Id and type of the events that were read back from the broker."""
    rows = await fetch_all(connection, "SELECT event_id, type FROM log.recovered")
    return frozenset((bytes(event_id), type_) for event_id, type_ in rows)


def beyond(rows: Iterable[Record], heads: Mapping[TopicPartition, int]) -> list[Record]:
    """The rows with numbers above the heads, each number once, the newest generation of it."""
    found: dict[tuple[TopicPartition, int], Record] = {}
    for row in rows:
        if row.number > heads.get(row.source, 0):
            before = found.get((row.source, row.number))
            if before is None or row.generation > before.generation:
                found[row.source, row.number] = row
    return [found[key] for key in sorted(found)]


def _at_ms(row: Record, now_ms: int) -> int:
    try:
        return unpack(row.data).at_ms
    except TornEnvelope:
        return now_ms
