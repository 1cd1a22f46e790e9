"""One hop of the pass-through: reads a topic, inserts what came with one statement a batch, sends it on.

No engine, no state, no outbox, no fence: the least that moves rows along the same hops through the same two servers.
Usage: python -m bench.passthrough BOOTSTRAP DATABASE_URL FROM TO COUNT
"""

import asyncio
import sys

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from sqlalchemy.engine import make_url

from libs.contracts import PARTITIONS


async def hop(bootstrap: str, database_url: str, from_: str, to: str, count: int) -> None:
    """Moves so many rows, then ends."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    table = f"hop_{to.replace('.', '_')}"
    await connection.execute(f"CREATE TABLE {table} (id bytea, partition int, value bytea)")
    consumer = AIOKafkaConsumer(
        from_,
        bootstrap_servers=bootstrap,
        group_id=f"hop.{to}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=512 * 1024, linger_ms=0
    )
    await consumer.start()
    await producer.start()
    print("ready", flush=True)
    moved = 0
    while moved < count:
        found = await consumer.getmany(timeout_ms=200, max_records=1000)
        rows = [row for several in found.values() for row in several]
        if not rows:
            continue
        await connection.execute(
            f"INSERT INTO {table} SELECT * FROM unnest($1::bytea[], $2::int[], $3::bytea[])",
            [row.key for row in rows],
            [row.partition for row in rows],
            [row.value for row in rows],
        )
        sending = []
        for partition in range(PARTITIONS):
            batch = producer.create_batch()
            mine = [row for row in rows if row.partition == partition]
            for row in mine:
                batch.append(timestamp=None, key=row.key, value=row.value, headers=list(row.headers))
            if mine:
                batch.close()
                sending.append(await producer.send_batch(batch, to, partition=partition))
        await asyncio.gather(*sending)
        await consumer.commit()
        moved += len(rows)
    await consumer.stop()
    await producer.stop()
    await connection.close()


if __name__ == "__main__":
    place, database, begin, end, number = sys.argv[1:]
    uvloop.run(hop(place, database, begin, end, int(number)))
