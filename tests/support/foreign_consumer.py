"""Prints a topic's first events as JSON lines, knowing what is published alone: AsyncAPI document and protobuf image.

Usage: foreign_consumer.py BOOTSTRAP ASYNCAPI IMAGE TOPIC COUNT
"""

import asyncio
import json
import sys
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory


async def main(bootstrap: str, asyncapi: str, image: bytes, topic: str, count: int) -> None:
    document = json.loads(asyncapi)
    channel = next(c for c in document["channels"].values() if c["address"] == topic)
    names = {document["components"]["messages"][short]["name"] for short in channel["messages"]}
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(image).file:
        pool.Add(file)
    consumer = AIOKafkaConsumer(
        channel["bindings"]["kafka"]["topic"], bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    for _ in range(count):
        message = await consumer.getone()
        headers = {name: value.decode() for name, value in message.headers}
        assert headers["ce_type"] in names, headers
        kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(headers["ce_type"]))
        event = json_format.MessageToDict(kind.FromString(message.value))
        line = {"headers": headers, "key": message.key.decode(), "event": event}
        sys.stdout.write(f"{json.dumps(line)}\n")
    await consumer.stop()


if __name__ == "__main__":
    place, asyncapi, image, topic, count = sys.argv[1:]
    asyncio.run(main(place, Path(asyncapi).read_text(), Path(image).read_bytes(), topic, int(count)))
