"""Puts analytics together."""

from functools import partial
from typing import Final

from libs.runtime import Platform, Service, ServiceDefinition
from libs.streams import Subscriber
from services.analytics import retention
from services.analytics.api import attainment, episodes, outcomes, summary
from services.analytics.context import context_of
from services.analytics.handlers import stream
from services.analytics.settings import AnalyticsSettings

_GATHER_SECONDS: Final = 0.25
"""Figures may come so much later: it is the group that reads the most."""


def build(platform: Platform, settings: AnalyticsSettings) -> Service:
    """Analytics on a platform."""
    feed_bell = platform.bells
    return Service(
        routers=[
            outcomes.router(platform.database, feed_bell),
            episodes.router(platform.database),
            summary.router(platform.database, settings),
            attainment.router(platform.database),
        ],
        subscribers=[Subscriber(stream, context_of(settings, feed_bell), gather_seconds=_GATHER_SECONDS)],
        tasks=[partial(retention.run, platform.database, settings)],
    )


definition = ServiceDefinition(
    name="analytics",
    title="Analytics",
    purpose="Facts, figures, and the stream of resolutions and customer satisfaction",
    settings=AnalyticsSettings,
    build=build,
    migrations="services.analytics.migrations",
    streams=(stream,),
)
