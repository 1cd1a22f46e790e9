"""The parts of ingest that more than one route or worker uses, made once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from libs.runtime import Platform
from libs.storage import BlobStore, UnitOfWork
from libs.web import GuardedClient, parse_networks
from services.ingest.accounts import Accounts
from services.ingest.adapters.arrivals import Arrivals
from services.ingest.adapters.channels.port import ChannelAdapter
from services.ingest.adapters.channels.registry import channels_for
from services.ingest.adapters.credentials import revealed
from services.ingest.adapters.desk import Desk
from services.ingest.adapters.keys import Sealer, Signer, load_keys
from services.ingest.adapters.outreach_book import OutreachBook
from services.ingest.adapters.providing import Reveal
from services.ingest.adapters.raw_writer import RawWriter
from services.ingest.adapters.signals import Signals
from services.ingest.api.accepting import Accepting
from services.ingest.composing import all_accounts, blobs_of, endpoints_of
from services.ingest.context import IngestContext, make_context
from services.ingest.domain.notices import Endpoint
from services.ingest.domain.ways import Senders
from services.ingest.operations.outreach import OutreachDesk
from services.ingest.settings import IngestSettings

_PROVIDER_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Parts:
    """What routes and workers are made of."""

    platform: Platform
    settings: IngestSettings
    sealer: Sealer
    signer: Signer
    accounts: Accounts
    senders: Senders
    arrivals: Arrivals
    signals: Signals
    adapters: Mapping[str, ChannelAdapter]
    reveal: Reveal
    blobs: BlobStore
    desk: Desk
    accepting: Accepting
    client: GuardedClient
    book: OutreachBook
    outreach: OutreachDesk
    targets: Mapping[str, tuple[Endpoint, tuple[str, ...]]]
    """Who is told by webhook, each with its secrets."""

    @staticmethod
    def of(platform: Platform, settings: IngestSettings) -> "Parts":
        """Reads the keys and the accounts. Raises KeyFileError, AccountsFileError, OutgoingRefused."""
        database = platform.database
        sealer, signer = load_keys(
            platform.data, settings.raw_key.get_secret_value(), settings.signing_key.get_secret_value()
        )
        accounts, arrivals = all_accounts(settings), Arrivals()
        adapters, blobs = channels_for(accounts, settings), blobs_of(database, platform.data, settings)
        senders, signals, book = accounts.senders, Signals(platform.bells), OutreachBook(database)
        outreach = OutreachDesk(
            database,
            senders,
            signals,
            book,
            zone=settings.outreach_zone,
            reopen_window_ms=settings.reopen_window_ms,
            poll_s=settings.delivery_poll_ms / 1000,
        )
        writer = RawWriter(database, most_pending=settings.most_pending, group_rows=settings.group_rows)
        return Parts(
            platform,
            settings,
            sealer,
            signer,
            accounts,
            senders,
            arrivals,
            signals,
            adapters,
            partial(revealed, sealer),
            blobs,
            Desk(database, sealer, signer, accounts, adapters, blobs),
            Accepting(
                database,
                platform.clock,
                platform.tokens,
                accounts,
                sealer,
                signer,
                writer,
                arrivals,
                settings,
            ),
            GuardedClient(allowed=parse_networks(settings.outgoing_allowed), deadline_s=_PROVIDER_SECONDS),
            book,
            outreach,
            endpoints_of(settings),
        )

    @property
    def hooks_url(self) -> str:
        """Where providers send what customers write."""
        return f"{self.platform.public_url}/ingest/v1/hooks"

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Who is told by webhook."""
        return tuple(endpoint for endpoint, _ in self.targets.values())

    def context(self, uow: UnitOfWork) -> IngestContext:
        """What a handler has in one transaction."""
        return make_context(
            uow,
            self.desk.items,
            self.settings.reopen_window_ms,
            self.arrivals,
            self.signals,
            self.senders,
            self.endpoints,
            self.settings.auto_replies_per_day,
        )
