"""The triage service, put together."""

from collections.abc import Mapping
from functools import partial
from zoneinfo import ZoneInfo

from libs.runtime import Platform, Service, ServiceDefinition
from libs.streams import Subscriber
from services.triage import drifting, learning, retention
from services.triage.adapters.endpoint import second_opinion
from services.triage.adapters.knowledge import HERE, Sources, model_in_use, taxonomy_for
from services.triage.adapters.lessons import Reader
from services.triage.adapters.rule_book import RuleBook
from services.triage.adapters.taxonomy_file import load_taxonomy
from services.triage.adapters.worker_pool import WorkerPool, default_workers
from services.triage.api.routers import routers
from services.triage.context import Outside, context_of
from services.triage.domain.drift import Limits
from services.triage.handlers import stream
from services.triage.settings import TriageSettings


def build(platform: Platform, settings: TriageSettings) -> Service:
    """Worker processes, the consumer group, the routes. Raises TaxonomyError with file, line and reason."""
    taxonomy = load_taxonomy(settings.taxonomy or taxonomy_for(settings.model))
    sources = Sources(taxonomy, model=settings.model or HERE / "models", encoder=settings.encoder)
    pool = WorkerPool(sources, settings.workers or default_workers())
    database = platform.database
    rules = RuleBook(database, taxonomy)
    reader = Reader(database)
    limits = Limits(settings.drift_index)
    outside = Outside(pool, database, rules, second_opinion(database, taxonomy, settings))

    async def start() -> None:
        await pool.start()
        await learning.teach(reader, pool)

    async def readiness() -> Mapping[str, str]:
        return {"classifier": "ok" if pool.process_ids else "no classification process is running"}

    return Service(
        routers=routers(database, pool, taxonomy, rules, limits),
        subscribers=[Subscriber(stream, context_of(taxonomy, ZoneInfo(settings.time_zone)), outside)],
        tasks=[
            partial(retention.run, database, settings.decision_days),
            partial(drifting.run, database, limits),
            partial(learning.run, reader, pool, partial(model_in_use, settings.model)),
        ],
        start=start,
        close=pool.close,
        readiness=readiness,
    )


definition = ServiceDefinition(
    name="triage",
    title="Triage",
    purpose="What each message is about, how sure that is, and why",
    settings=TriageSettings,
    build=build,
    migrations="services.triage.migrations",
    streams=(stream,),
)
