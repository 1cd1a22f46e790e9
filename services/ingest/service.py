"""Ingest put together."""

from typing import Final

from libs.contracts import CustomerErased, DeliveryFailed, MessageDelivered, PayloadAccepted
from libs.runtime import Platform, Service, ServiceDefinition
from libs.streams import Subscriber
from services.ingest.api.routers import routers_of
from services.ingest.api.widget import PREFIX
from services.ingest.handlers import normaliser, outbound
from services.ingest.parts import Parts
from services.ingest.settings import IngestSettings
from services.ingest.workers import workers_of


def build(platform: Platform, settings: IngestSettings) -> Service:
    """Routes, handlers and workers of the same parts. Raises what `Parts.of` raises: it stops the start."""
    parts = Parts.of(platform, settings)
    return Service(
        routers=routers_of(parts),
        own_origins=(PREFIX,),
        subscribers=[
            Subscriber(normaliser, parts.context, resources=parts.desk),
            Subscriber(outbound, parts.context),
        ],
        tasks=workers_of(parts),
    )


definition: Final = ServiceDefinition(
    name="ingest",
    title="Centralino ingest",
    purpose="Takes messages from every channel, threads and numbers them, and delivers what is answered",
    settings=IngestSettings,
    build=build,
    migrations="services.ingest.migrations",
    streams=(normaliser, outbound),
    emits=(PayloadAccepted, MessageDelivered, DeliveryFailed, CustomerErased),
)
