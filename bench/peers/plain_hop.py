"""One hop written plainly with FastStream: a state row and one commit a message, then publish, then acknowledge.

No numbers, no fence, no outbox: a crash between commit and publish loses, one after it doubles. That favours this peer.
Usage: python -m bench.peers.plain_hop BOOTSTRAP DATABASE_URL FROM TO WORKERS
"""

import asyncio
import sys
from typing import Any

import asyncpg
import uvloop
from aiokafka import ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

STATE = "CREATE TABLE plain_state (hop text, key text, count bigint, trail text, PRIMARY KEY (hop, key))"
_COUNT = (
    "INSERT INTO plain_state AS s VALUES ($1, $2, 1, $3)"
    " ON CONFLICT (hop, key) DO UPDATE SET count = s.count + 1, trail = s.trail || excluded.trail"
)


async def hop(bootstrap: str, database_url: str, from_: str, to: str, workers: int) -> None:
    """Moves rows until it is ended."""
    several = workers > 1
    how: dict[str, Any] = {"max_workers": workers} if several else {}
    pool = await asyncpg.create_pool(database_url, min_size=4, max_size=max(4, workers))
    broker = KafkaBroker(bootstrap, logger=None)

    subscriber = broker.subscriber(
        from_,
        group_id=f"plain.{to}",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK_FIRST if several else AckPolicy.ACK,
        **how,
    )

    async def move(value: bytes, message: KafkaMessage) -> None:
        raw = message.raw_message
        assert isinstance(raw, ConsumerRecord)
        key = raw.key
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(_COUNT, to, key.decode(), ",1")
        await broker.publish(value, to, key=key)

    subscriber(move)
    await broker.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    place, database, begin, end, number = sys.argv[1:]
    uvloop.run(hop(place, database, begin, end, int(number)))
