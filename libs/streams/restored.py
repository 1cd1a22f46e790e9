"""Notices a log that was restored from a back-up without a new generation.

Only the relay writes a service's topics, and only what its log has committed. So a row on the broker that is ahead of the
log means that the log is older than it was: its next numbers would be taken for repeats of other rows.
"""

from collections.abc import Iterable, Mapping, Sequence

from libs.storage import Database
from libs.streams.broker import Broker, read_newest
from libs.streams.errors import LogRestored
from libs.streams.generations import heads
from libs.streams.transport import Record, TopicPartition


def ahead(newest: Iterable[Record], generation: int, numbers: Mapping[TopicPartition, int]) -> list[Record]:
    """The rows that a log of this generation, with these newest numbers, has not written. A torn row proves nothing."""
    return [
        row
        for row in newest
        if row.generation > generation
        or (row.generation == generation and row.number > numbers.get(row.source, 0))
    ]


async def refuse_if_restored(database: Database, broker: Broker, topics: Sequence[str]) -> None:
    """Compares the newest rows of the topics with the log that they come from. Raises LogRestored, Retry."""
    newest = [row for topic in topics for row in await read_newest(broker, topic)]
    # The log is read second: what it gains meanwhile cannot look like a loss.
    async with database.read() as connection:
        generation, numbers = await heads(connection, topics)
    if later := ahead(newest, generation, numbers):
        row = max(later, key=lambda one: (one.generation, one.number))
        raise LogRestored(
            f"{row.topic}/{row.partition} on Kafka ends with row {row.number} of generation {row.generation}, and the log"
            f" it comes from with row {numbers.get(row.source, 0)} of generation {generation}: was the database restored"
            " from a back-up? Stop every process and run `centralino log new-generation` before any starts again;"
            " if processes have worked on the restored database already, restore it once more first"
        )
