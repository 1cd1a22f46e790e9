"""How far a group has come in a partition, and the epoch that fences an owner who slept too long."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all
from libs.streams.errors import Fenced
from libs.streams.transport import TopicPartition


@dataclass(slots=True)
class Position:
    """How far a group has come in a partition, and the epoch under which this process may move it."""

    number: int
    offset: int
    generation: int
    epoch: int


async def claim(
    connection: AsyncConnection,
    schema: str,
    group: str,
    owner: str,
    beginnings: Mapping[TopicPartition, int],
) -> dict[TopicPartition, Position]:
    """Raises the epoch of each partition, which fences every earlier owner; a first claim starts at its beginning."""
    sources = sorted(beginnings)
    result = await fetch_all(
        connection,
        f"INSERT INTO {schema}.positions AS p (group_name, topic, partition, number, epoch, owner)"
        " SELECT $1, t, n, b, 1, $2 FROM unnest($3::text[], $4::int[], $5::bigint[]) AS u(t, n, b)"
        " ON CONFLICT (group_name, topic, partition) DO UPDATE SET epoch = p.epoch + 1, owner = excluded.owner"
        ' RETURNING topic, partition, number, "offset", generation, epoch',
        group,
        owner,
        [source.topic for source in sources],
        [source.partition for source in sources],
        [beginnings[source] for source in sources],
    )
    return {TopicPartition(t, p): Position(n, o, g, e) for t, p, n, o, g, e in result}


async def fence(
    connection: AsyncConnection, schema: str, group: str, positions: Mapping[TopicPartition, Position]
) -> None:
    """Locks the position rows and proves that the epochs are still ours. Raises Fenced."""
    sources = sorted(positions)
    result = await fetch_all(
        connection,
        f"SELECT p.topic, p.partition FROM {schema}.positions p"
        " JOIN unnest($2::text[], $3::int[], $4::bigint[]) AS u(t, n, e)"
        " ON p.topic = u.t AND p.partition = u.n AND p.epoch = u.e"
        " WHERE p.group_name = $1 ORDER BY p.topic, p.partition FOR UPDATE OF p",
        group,
        [source.topic for source in sources],
        [source.partition for source in sources],
        [positions[source].epoch for source in sources],
    )
    _refuse_lost(group, sources, result)


@dataclass(frozen=True, slots=True)
class Move:
    """Where a position goes, and the epoch under which it may."""

    source: TopicPartition
    epoch: int
    number: int
    offset: int
    generation: int


async def advance(connection: AsyncConnection, schema: str, group: str, moves: Sequence[Move]) -> None:
    """Locks the position rows, proves that the epochs are still ours and stores the new positions. Raises Fenced."""
    moves = sorted(moves, key=lambda move: move.source)
    result = await fetch_all(
        connection,
        f'UPDATE {schema}.positions p SET number = u.n, "offset" = u.o, generation = u.g'
        " FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::int[]) AS u(t, p, e, n, o, g)"
        " WHERE p.group_name = $1 AND p.topic = u.t AND p.partition = u.p AND p.epoch = u.e"
        " RETURNING p.topic, p.partition",
        group,
        [move.source.topic for move in moves],
        [move.source.partition for move in moves],
        [move.epoch for move in moves],
        [move.number for move in moves],
        [move.offset for move in moves],
        [move.generation for move in moves],
    )
    _refuse_lost(group, [move.source for move in moves], result)


def _refuse_lost(group: str, sources: Sequence[TopicPartition], held: Sequence[tuple[str, int]]) -> None:
    ours = {TopicPartition(topic, partition) for topic, partition in held}
    lost = [source for source in sources if source not in ours]
    if lost:
        raise Fenced(f"{group}: another owner has {', '.join(f'{s.topic}/{s.partition}' for s in lost)}")
