"""The routing service, put together."""

from libs.contracts import PoolCommand, TeamChanged, WaitPredicted
from libs.runtime import Platform, Service, ServiceDefinition
from libs.streams import Subscriber
from services.routing import gauges, snapshots, waits, workers
from services.routing.adapters.known_directories import KnownDirectories
from services.routing.api.answering import commands
from services.routing.api.directory import directory
from services.routing.api.orders import orders
from services.routing.api.overview import overview
from services.routing.api.pools import pools
from services.routing.api.presence import presence
from services.routing.api.shadow import shadow
from services.routing.api.supervision import supervision
from services.routing.api.work import work
from services.routing.context import engine_context, intake_context
from services.routing.handlers import engine, stream
from services.routing.operations import Desk
from services.routing.pools import Pools
from services.routing.settings import RoutingSettings


def build(platform: Platform, settings: RoutingSettings) -> Service:
    """Routes, the two consumer groups, leases and the pool of a fresh installation."""
    database = platform.database
    hub, owned = platform.bells, Pools()
    desk, directories = Desk(database, hub, settings), KnownDirectories(settings.pool)

    async def start() -> None:
        await workers.make_pool(database, settings.pool, workers.default_directory())
        await workers.extend_leases(database, settings.lease_seconds)

    return Service(
        routers=[
            presence(database, desk, hub, directories, settings),
            work(database, desk, directories),
            directory(database, desk, settings),
            orders(database, desk),
            supervision(database, desk, settings),
            overview(database, platform.clock, directories, settings),
            shadow(database, desk, settings),
            pools(database, settings),
            commands(desk),
        ],
        subscribers=[
            Subscriber(stream, intake_context(settings.pool)),
            Subscriber(engine.stream, engine_context(owned, hub), state=owned),
        ],
        tasks=[
            lambda stop: workers.watch_leases(database, stop),
            lambda stop: workers.forget_old(database, settings, stop),
            lambda stop: waits.watch(
                database, directories, settings.predict_seconds, settings.predict_after_seconds, stop
            ),
            lambda stop: snapshots.watch(database, settings, stop),
            lambda stop: gauges.watch(database, platform.clock, directories, stop),
        ],
        start=start,
    )


definition = ServiceDefinition(
    name="routing",
    title="Routing",
    purpose="Who gets which conversation, and by when",
    settings=RoutingSettings,
    build=build,
    migrations="services.routing.migrations",
    streams=(stream, engine.stream),
    emits=(PoolCommand, TeamChanged, WaitPredicted),
)
