"""Ingest put together."""

from functools import partial
from typing import Final

from libs.contracts import DeliveryFailed, MessageDelivered, PayloadAccepted
from libs.runtime import Platform, Service, ServiceDefinition
from libs.storage import UnitOfWork
from libs.streams import Subscriber
from libs.web import GuardedClient, parse_networks
from services.ingest.adapters.arrivals import Arrivals
from services.ingest.adapters.channels.registry import channels_for
from services.ingest.adapters.credentials import revealed
from services.ingest.adapters.desk import Desk
from services.ingest.adapters.keys import load_keys
from services.ingest.adapters.raw_writer import RawWriter
from services.ingest.adapters.smtp import NoMailer, SmtpMailer
from services.ingest.adapters.survey_links import PeerSurveyLinks
from services.ingest.adapters.visitor_threads import VisitorThreads
from services.ingest.api.accepting import Accepting
from services.ingest.api.activity import activity_router
from services.ingest.api.deliveries import deliveries_router
from services.ingest.api.files import files_router
from services.ingest.api.hooks import Hooks, hooks_router
from services.ingest.api.mail import mail_router
from services.ingest.api.messages import messages_router
from services.ingest.api.threads import threads_router
from services.ingest.api.widget import PREFIX, widget_router
from services.ingest.api.widget_access import Rates, WidgetAccess
from services.ingest.api.widget_files import widget_files_router
from services.ingest.composing import all_accounts, blobs_of, endpoints_of
from services.ingest.context import IngestContext, make_context
from services.ingest.doors import mail_doors
from services.ingest.file_retention import FileRetention
from services.ingest.handlers import normaliser, outbound
from services.ingest.media import MediaFetcher
from services.ingest.notifying import Notifier
from services.ingest.providing import Providers
from services.ingest.retention import RawRetention
from services.ingest.sending import Sender
from services.ingest.settings import IngestSettings
from services.ingest.signals import LANES, Signals
from services.ingest.watching import Watch


def build(platform: Platform, settings: IngestSettings) -> Service:
    """Reads the keys (KeyFileError stops the start) and wires routes, handlers and workers."""
    database, tokens = platform.database, platform.tokens
    sealer, signer = load_keys(
        platform.data, settings.raw_key.get_secret_value(), settings.signing_key.get_secret_value()
    )
    accounts, arrivals, signals = all_accounts(settings), Arrivals(), Signals(platform.bells)
    adapters = channels_for(accounts, settings)
    reveal = partial(revealed, sealer)
    blobs = blobs_of(database, platform.data, settings)
    desk = Desk(database, sealer, signer, accounts, adapters, blobs)
    writer = RawWriter(database, most_pending=settings.most_pending, group_rows=settings.group_rows)
    accepting = Accepting(
        database, platform.clock, tokens, accounts, sealer, signer, writer, arrivals, settings
    )
    mailer = SmtpMailer(settings) if settings.smtp_host else NoMailer()
    links = PeerSurveyLinks(platform.peers)
    hooks_url = f"{platform.public_url}/ingest/v1/hooks"
    visitors = VisitorThreads(database)
    rates = Rates(platform.clock)
    proxies = parse_networks(settings.proxies)
    access = WidgetAccess(accounts, tokens, settings, reveal, rates, proxies, platform.public_url)
    client = GuardedClient(allowed=parse_networks(settings.outgoing_allowed), deadline_s=15)
    providers = Providers(accounts, adapters, client, platform.clock, reveal, hooks_url)
    media = MediaFetcher(
        database, blobs, accounts, client, reveal, signals, int(settings.most_attachment_mb * 1024 * 1024)
    )
    targets = endpoints_of(settings)
    endpoints = tuple(one for one, _ in targets.values())
    notifier = Notifier(database, targets, client, signals, settings.webhook_attempts)
    senders = [
        Sender(
            database,
            settings,
            signals,
            signer,
            mailer,
            links,
            accounts=accounts,
            lane=lane,
            providers=providers,
            endpoints=endpoints,
        )
        for lane in LANES
    ]

    def context(uow: UnitOfWork) -> IngestContext:
        return make_context(
            uow, desk.items, settings.reopen_window_ms, arrivals, signals, accounts.sms, endpoints
        )

    return Service(
        routers=[
            messages_router(accepting),
            mail_router(accepting),
            hooks_router(Hooks(accepting, adapters, reveal, hooks_url)),
            deliveries_router(database, signals),
            files_router(database, tokens, blobs),
            threads_router(database, tokens, signals),
            activity_router(visitors, signals),
            widget_router(access, accepting, visitors, signals),
            widget_files_router(),
        ],
        own_origins=(PREFIX,),
        subscribers=[Subscriber(normaliser, context, resources=desk), Subscriber(outbound, context)],
        tasks=[
            *[sender.run for sender in senders],
            *mail_doors(accepting, accounts, settings, sealer, database),
            RawRetention(database, settings).run,
            FileRetention(database, blobs, settings.attachment_retention_days).run,
            media.run,
            notifier.run,
            Watch(database, platform.log).run,
        ],
    )


definition: Final = ServiceDefinition(
    name="ingest",
    title="Centralino ingest",
    purpose="Takes messages from every channel, threads and numbers them, and delivers what is answered",
    settings=IngestSettings,
    build=build,
    migrations="services.ingest.migrations",
    streams=(normaliser, outbound),
    emits=(PayloadAccepted, MessageDelivered, DeliveryFailed),
)
