"""Events through one handler with state on the PostgreSQL transport, beside a plain asyncpg loop with the same rows."""

import argparse
import asyncio
import time

import asyncpg
from sqlalchemy.engine import make_url

from bench.report import spread, write
from libs.contracts import (
    CATALOGUE,
    ConversationTriaged,
    Envelope,
    Kind,
    MessageReceived,
    full_name,
    pack,
    partition_of,
    unpack,
)
from libs.primitives import new_id_bytes
from tests.support.rig import SCHEMA, Behaviour, Rig, counting_router, message, postgres_rig

BATCH = 200


async def fill(rig: Rig, events: int, keys: int) -> None:
    for start in range(0, events, 1000):
        await rig.publish(
            *(
                message(f"conversation-{i % keys}", i // keys + 1, "x" * 280)
                for i in range(start, start + 1000)
            )
        )


async def ours(events: int, keys: int) -> float:
    """Events a second through the processor."""
    async with postgres_rig() as rig:
        await fill(rig, events, keys)
        member = rig.member(counting_router("bench", Behaviour()), max_rows=BATCH)
        await member.round()
        started = time.perf_counter()
        await rig.drain(member, most_seconds=600)
        seconds = time.perf_counter() - started
        assert sum(seen.count for seen in (await rig.seen()).values()) == events
        return (events - BATCH) / seconds


async def plain(events: int, keys: int) -> float:
    """Events a second through the fewest statements that leave the same state, events and positions."""
    async with postgres_rig() as rig:
        await fill(rig, events, keys)
        url = make_url(rig.url)
        connection = await asyncpg.connect(
            user=url.username, database=url.database, host=str(url.query["host"])
        )
        topic = await connection.fetchval("SELECT id FROM log.topics WHERE name = 'ingest.messages.v1'")
        out = await connection.fetchval("SELECT id FROM log.topics WHERE name = 'triage.decisions.v1'")
        await connection.execute(
            f"INSERT INTO {SCHEMA}.positions SELECT 'plain', 'ingest.messages.v1', p, 0, -1, 1, 1, 'plain'"
            " FROM generate_series(0, 11) p"
        )
        positions = dict.fromkeys(range(12), 0)
        done, started = 0, time.perf_counter()
        while done < events:
            rows = await connection.fetch(
                "SELECT e.partition, e.number, e.data FROM unnest($2::int[], $3::bigint[]) u(p, n) CROSS JOIN LATERAL"
                " (SELECT partition, number, data FROM log.events WHERE topic = $1 AND partition = u.p AND number > u.n"
                " ORDER BY number LIMIT $4) e",
                topic,
                list(positions),
                list(positions.values()),
                BATCH // 12,
            )
            counts: dict[str, int] = {}
            trails: dict[str, str] = {}
            datas, partitions = [], []
            for row in rows:
                event = MessageReceived.FromString(unpack(row["data"]).payload)
                key = event.conversation_id
                counts[key] = counts.get(key, 0) + 1
                trails[key] = trails.get(key, "") + f",{event.message_seq}"
                answer = ConversationTriaged(
                    conversation_id=key,
                    message_id=event.message_id,
                    message_seq=event.message_seq,
                    kind=Kind.KIND_REQUEST,
                )
                name = full_name(ConversationTriaged)
                datas.append(pack(Envelope(new_id_bytes(), 1, 1, name, key, "", answer.SerializeToString())))
                partitions.append(partition_of(key))
                positions[row["partition"]] = row["number"]
            async with connection.transaction():
                await connection.execute(
                    f"INSERT INTO {SCHEMA}.seen AS s SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])"
                    " ON CONFLICT (key) DO UPDATE SET count = s.count + excluded.count, trail = s.trail || excluded.trail",
                    list(counts),
                    list(counts.values()),
                    list(trails.values()),
                )
                await connection.execute(
                    f"UPDATE {SCHEMA}.positions SET number = u.n FROM unnest($1::int[], $2::bigint[]) u(p, n)"
                    " WHERE group_name = 'plain' AND partition = u.p",
                    list(positions),
                    list(positions.values()),
                )
                await connection.fetch(
                    "SELECT * FROM log.append($1::smallint[], $2::int[], $3::bytea[], 1)",
                    [out] * len(datas),
                    partitions,
                    datas,
                )
            done += len(rows)
        seconds = time.perf_counter() - started
        await connection.close()
        assert sum(seen.count for seen in (await rig.seen()).values()) == events
        return events / seconds


async def measure(events: int, keys: int, runs: int) -> None:
    assert CATALOGUE
    mine, peers = [], []
    for _ in range(runs):
        mine.append(await ours(events, keys))
        peers.append(await plain(events, keys))
    ratios = [a / b for a, b in zip(mine, peers, strict=True)]
    write(
        "streams",
        "Events through one handler with state, PostgreSQL transport",
        f"python -m bench.streams --events {events} --runs {runs}",
        ["what", "events/s, median (range)"],
        [
            ["one handler, batches of 200", spread(mine)],
            ["plain asyncpg loop, the same rows", spread(peers)],
            ["ratio, run by run (goal 0.4)", spread(ratios, 2)],
        ],
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--keys", type=int, default=4_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    asyncio.run(measure(given.events, given.keys, given.runs))
