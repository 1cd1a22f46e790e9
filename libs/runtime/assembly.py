"""A service put together: its migrations, its app, its processors and what every service has for forgetting a customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi import FastAPI

from libs.contracts import TOPICS
from libs.runtime.erasures import erasures_router
from libs.runtime.service import Platform, Service, ServiceDefinition
from libs.runtime.transports import RelayLike
from libs.storage import Database, Engines, fetch_all
from libs.storage.migrate import migrate
from libs.streams import LogEraser, Processor, Transport, register_topics
from libs.web import OK, WebSettings, create_app

VERSION = "0.1.0"


def histories(definitions: Sequence[ServiceDefinition]) -> list[tuple[str, str, str]]:
    """The migration histories of the log and of services, in the order in which they run."""
    result = [("libs.streams.migrations.log", "log", "alembic_version")]
    for definition in definitions:
        result.append(("libs.streams.migrations.service", definition.name, "alembic_version_streams"))
        result.append((definition.migrations, definition.name, "alembic_version"))
    return result


async def prepare_database(url: str, definitions: Sequence[ServiceDefinition]) -> None:
    """Migrates every schema and registers the topics. Safe to run again and by several processes at once."""
    await migrate(url, histories(definitions))
    engines = Engines.connect(url, web_connections=1, stream_connections=1)
    try:
        async with engines.web.begin() as connection:
            await register_topics(connection)
    finally:
        await engines.dispose()


@dataclass(frozen=True, slots=True)
class Assembled:
    """One service, put together and not yet running."""

    definition: ServiceDefinition
    service: Service
    app: FastAPI
    processors: Sequence[Processor[Any]]
    relays: Sequence[RelayLike]
    database: Database


def assemble(
    definition: ServiceDefinition,
    platform: Platform,
    transport: Transport,
    settings: Any = None,
    web: WebSettings | None = None,
    relays: Sequence[RelayLike] = (),
) -> Assembled:
    """Builds a service, its app and its processors, and takes its relays in."""
    service = _erasing(definition, platform, definition.build(platform, settings or definition.settings()))
    processors = [
        Processor(subscriber, platform.database, transport, platform.clock)
        for subscriber in service.subscribers
    ]

    async def readiness() -> Mapping[str, str]:
        checks = dict(await service.readiness())
        async with platform.database.read() as connection:
            await fetch_all(connection, "SELECT 1")
        checks["database"] = OK
        for processor in processors:
            checks[f"group {processor.group}"] = processor.trouble or OK
        for relay in relays:
            checks[relay.group] = relay.trouble or OK
        return checks

    app = create_app(
        definition.name,
        definition.title,
        VERSION,
        service.routers,
        readiness=readiness,
        settings=web or WebSettings(),
        tokens=platform.tokens,
        own_origins=service.own_origins,
    )
    return Assembled(definition, service, app, processors, relays, platform.database)


def _erasing(definition: ServiceDefinition, platform: Platform, service: Service) -> Service:
    """The service with what all have to forget a customer: a report, and the log's rows that are blanked."""
    own = [name for name, topic in TOPICS.items() if topic.producer == definition.name]
    eraser = LogEraser(platform.database, platform.log, own)
    return replace(
        service,
        routers=[*service.routers, erasures_router(platform.database)],
        tasks=[*service.tasks, eraser.run],
    )
