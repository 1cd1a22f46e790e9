"""Ingest put together."""

from typing import Final

from libs.contracts import DeliveryFailed, MessageDelivered, PayloadAccepted
from libs.runtime import Platform, Service, ServiceDefinition
from libs.storage import UnitOfWork
from libs.streams import Subscriber
from services.ingest.adapters.arrivals import Arrivals
from services.ingest.adapters.desk import Desk
from services.ingest.adapters.keys import load_keys
from services.ingest.adapters.raw_writer import RawWriter
from services.ingest.adapters.smtp import NoMailer, SmtpMailer
from services.ingest.adapters.survey_links import PeerSurveyLinks
from services.ingest.api.accepting import Accepting
from services.ingest.api.mail import mail_router
from services.ingest.api.messages import messages_router
from services.ingest.api.threads import threads_router
from services.ingest.context import IngestContext, make_context
from services.ingest.handlers import normaliser, outbound
from services.ingest.retention import RawRetention
from services.ingest.sending import Sender
from services.ingest.settings import Accounts, IngestSettings
from services.ingest.signals import Signals
from services.ingest.watching import Watch


def build(platform: Platform, settings: IngestSettings) -> Service:
    """Reads the keys (KeyFileError stops the start) and wires routes, handlers and workers."""
    database, tokens = platform.database, platform.tokens
    sealer, signer = load_keys(
        platform.data, settings.raw_key.get_secret_value(), settings.signing_key.get_secret_value()
    )
    accounts, arrivals, signals = Accounts(settings.accounts), Arrivals(), Signals(platform.bells)
    desk = Desk(database, sealer, signer, accounts)
    writer = RawWriter(database, most_pending=settings.most_pending, group_rows=settings.group_rows)
    accepting = Accepting(
        database, platform.clock, tokens, accounts, sealer, signer, writer, arrivals, settings
    )
    mailer = SmtpMailer(settings) if settings.smtp_host else NoMailer()
    links = PeerSurveyLinks(platform.peers)
    into_threads, by_mail = (
        Sender(database, settings, signals, signer, mailer, links, mail=mail) for mail in (False, True)
    )

    def context(uow: UnitOfWork) -> IngestContext:
        return make_context(uow, desk.items, settings.reopen_window_ms, arrivals, signals)

    return Service(
        routers=[
            messages_router(accepting),
            mail_router(accepting),
            threads_router(database, tokens, signals),
        ],
        subscribers=[Subscriber(normaliser, context, resources=desk), Subscriber(outbound, context)],
        tasks=[
            into_threads.run,
            by_mail.run,
            RawRetention(database, settings).run,
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
