"""What carries events in this process, as its settings say. Kafka's client is loaded only where it is used."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from libs.primitives import new_id
from libs.runtime.settings import PlatformSettings
from libs.storage import Database, Engines
from libs.streams import Log, PostgresTransport, Transport

if TYPE_CHECKING:
    from libs.streams.broker import Broker


class RelayLike(Protocol):
    """What the process needs of a relay."""

    group: str

    @property
    def trouble(self) -> str | None:
        """Why nothing is copied at the moment, or None."""
        ...

    async def run(self, stop: asyncio.Event) -> None:
        """Copies until stopped."""
        ...


@dataclass(frozen=True, slots=True)
class Transports:
    """Where groups read, and what copies a service's topics there."""

    events: Transport
    relays: Callable[[str, Database], Sequence[RelayLike]]
    """The relays of a service."""
    check: Callable[[str, Database], Awaitable[None]]
    """Raises LogRestored when the broker is ahead of a service's log, Retry when it cannot be asked."""

    @staticmethod
    def of(settings: PlatformSettings, engines: Engines, log: Log) -> "Transports":
        """Raises ValueError for settings of Kafka that cannot be used."""
        process = f"centralino-{new_id()}"
        own = PostgresTransport(engines.streams, log, lease_seconds=settings.lease_seconds, process=process)
        if settings.transport == "postgres":
            return Transports(own, lambda _service, _database: (), _nothing_to_check)
        from libs.streams.kafka import KafkaTransport
        from libs.streams.relay import Relay, relayed
        from libs.streams.restored import refuse_if_restored

        broker = replace(broker_of(settings), process=process)
        broker.options()

        def relays(service: str, database: Database) -> Sequence[RelayLike]:
            return [Relay(topic, database, own, broker) for topic in relayed(service)]

        async def check(service: str, database: Database) -> None:
            await refuse_if_restored(database, broker, relayed(service))

        return Transports(KafkaTransport(broker, own), relays, check)


async def _nothing_to_check(_service: str, _database: Database) -> None:
    """Without a broker nobody else keeps rows of the log."""


def broker_of(settings: PlatformSettings) -> "Broker":
    """How the settings say Kafka is reached."""
    from libs.streams.broker import Broker

    return Broker(
        settings.kafka_bootstrap,
        settings.kafka_prefix,
        settings.kafka_security_protocol,
        settings.kafka_sasl_mechanism,
        settings.kafka_username,
        settings.kafka_password.get_secret_value(),
        settings.kafka_ca_file,
        settings.kafka_session_seconds,
    )
