"""`centralino log send-again`, `mend` and `accept-loss`: a partition whose next row is not the one that was expected."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from libs.contracts import PARTITIONS, TOPICS
from libs.runtime import PlatformSettings
from libs.runtime.transports import broker_of
from libs.storage import Engines
from libs.streams import ANY, Log, Record, TopicPartition, dead_letters, gaps
from services.operators.running import on_database
from services.registry import services

Topic = Annotated[str, typer.Argument(help="As `centralino topics` lists it.")]
Group = Annotated[str, typer.Argument(help="The group that stands still.")]
Partition = Annotated[int, typer.Argument(min=0, max=PARTITIONS - 1)]


def _known(topic: str) -> str:
    if topic not in TOPICS:
        raise typer.BadParameter(f"got {topic!r}; expected one of {', '.join(sorted(TOPICS))}")
    return topic


def send_again(
    topic: Topic,
    partition: Partition,
    after: Annotated[int, typer.Argument(min=0, help="The last number that readers have.")],
) -> None:
    """Has the relay of a topic send the rows behind a number again, as far as the log has them.

    Restart the processes of the topic's service afterwards. Readers drop what they have had; a group that stands still
    goes on with them after `log mend`.
    """
    source = TopicPartition(_known(topic), partition)
    if TOPICS[topic].local:
        raise typer.BadParameter(f"{topic} is not relayed: it is read where it lies")

    async def work(engines: Engines, _log: Log) -> None:
        async with engines.web.begin() as connection:
            oldest = await gaps.next_in_log(connection, source, after)
            if oldest != after + 1:
                seen = f"the next one it has is {oldest}" if oldest else "it has nothing behind that"
                raise typer.BadParameter(
                    f"the log has no row {after + 1} of {topic}/{partition}, {seen}: it cannot be sent again"
                )
            if not await gaps.send_again(connection, TOPICS[topic].producer, source, after):
                raise typer.BadParameter(f"the relay of {topic}/{partition} is not behind {after} yet")
        typer.echo(
            f"{topic}/{partition} is sent again behind {after}, once the processes of {TOPICS[topic].producer}"
            " have been restarted"
        )

    on_database(work)


def mend(group: Group, topic: Topic, partition: Partition) -> None:
    """Lets a stopped group go on with the rows it misses, where they have come to Kafka after later ones."""
    source, settings = TopicPartition(_known(topic), partition), PlatformSettings()
    if settings.transport != "kafka" or TOPICS[topic].local:
        raise typer.BadParameter(
            f"{topic} is read from the log itself, in order: `dead-letters resume {group}` is enough"
        )

    async def work(engines: Engines, _log: Log) -> None:
        async with engines.web.begin() as connection:
            owner, number = await _stopped_at(connection, group, source)
            rows = await _on_broker(settings, source, number)
            wanted = next((row for row in rows if row.number == number + 1), None)
            if wanted is None:
                raise typer.BadParameter(
                    f"Kafka has no row {number + 1} of {topic}/{partition}: `log send-again {topic} {partition} {number}`"
                    f" where the log still has it, `log accept-loss {group} {topic} {partition}` where not"
                )
            await gaps.go_to(connection, owner, group, source, wanted)
        typer.echo(f"{group} goes on at row {number + 1} of {topic}/{partition}, offset {wanted.offset}")

    on_database(work)


def accept_loss(group: Group, topic: Topic, partition: Partition) -> None:
    """Moves a stopped group over rows that are gone for good, and lets it go on."""
    source, settings = TopicPartition(_known(topic), partition), PlatformSettings()

    async def work(engines: Engines, _log: Log) -> None:
        async with engines.web.begin() as connection:
            owner, number = await _stopped_at(connection, group, source)
            if settings.transport == "kafka" and not TOPICS[topic].local:
                rows = await _on_broker(settings, source, number)
                following = min((row.number for row in rows), default=None)
            else:
                following = await gaps.next_in_log(connection, source, number)
            if following is None or number == ANY or following == number + 1:
                raise typer.BadParameter(f"nothing is missing behind row {number} of {topic}/{partition}")
            await gaps.give_up(connection, owner, group, source, following - 1)
        typer.echo(
            f"{group} goes on at row {following} of {topic}/{partition}; rows {number + 1} to {following - 1} are given up"
        )

    on_database(work)


async def _stopped_at(connection: AsyncConnection, group: str, source: TopicPartition) -> tuple[str, int]:
    """The service of a group that stands still, and the number behind which it stands. Raises BadParameter."""
    owner = next((d.name for d in services() if group in {stream.group for stream in d.streams}), None)
    if owner is None:
        raise typer.BadParameter(
            f"no service has a group {group}; `centralino dead-letters list` names those that stand still"
        )
    if await dead_letters.stop_reason(connection, owner, group) is None:
        raise typer.BadParameter(f"{group} does not stand still: nothing was changed")
    number = await gaps.position_of(connection, owner, group, source)
    if number is None:
        raise typer.BadParameter(f"{group} has never read {source.topic}/{source.partition}")
    return owner, number


async def _on_broker(settings: PlatformSettings, source: TopicPartition, number: int) -> list[Record]:
    """The rows behind a number that the broker has, in the order in which it has them."""
    from libs.streams.broker import read_through

    rows = read_through(broker_of(settings), source.topic)
    return [row async for row in rows if row.source == source and row.number > number]
