"""What ingest does beside HTTP and its handlers: senders, mail doors, files, notices, retention, gauges."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from services.ingest.adapters.providing import Providers
from services.ingest.adapters.signals import LANES
from services.ingest.adapters.smtp import NoMailer, SmtpMailer
from services.ingest.adapters.survey_links import PeerSurveyLinks
from services.ingest.parts import Parts
from services.ingest.workers.doors import mail_doors
from services.ingest.workers.file_retention import FileRetention
from services.ingest.workers.media import MediaFetcher
from services.ingest.workers.notifying import Notifier
from services.ingest.workers.retention import RawRetention
from services.ingest.workers.sending import Sender
from services.ingest.workers.watching import Watch

_MEGABYTE = 1024 * 1024
Task = Callable[[asyncio.Event], Awaitable[None]]


def workers_of(parts: Parts) -> Sequence[Task]:
    """Each runs until it is told to stop."""
    database, settings = parts.platform.database, parts.settings
    most_bytes = int(settings.most_attachment_mb * _MEGABYTE)
    return [
        *_senders(parts),
        *mail_doors(parts.accepting, parts.accounts, settings, parts.sealer, database, parts.client),
        RawRetention(database, settings).run,
        FileRetention(database, parts.blobs, settings.attachment_retention_days).run,
        MediaFetcher(
            database, parts.blobs, parts.accounts, parts.client, parts.reveal, parts.signals, most_bytes
        ).run,
        Notifier(database, parts.targets, parts.client, parts.signals, settings.webhook_attempts).run,
        parts.outreach.run,
        Watch(database, parts.platform.log).run,
    ]


def _senders(parts: Parts) -> Sequence[Task]:
    """One for each lane: what a provider is slow with holds nothing else up."""
    settings, platform = parts.settings, parts.platform
    mailer = SmtpMailer(settings) if settings.smtp_host else NoMailer()
    providers = Providers(
        parts.accounts, parts.adapters, parts.client, platform.clock, parts.reveal, parts.hooks_url
    )
    return [
        Sender(
            platform.database,
            settings,
            parts.signals,
            parts.signer,
            mailer,
            PeerSurveyLinks(platform.peers),
            accounts=parts.accounts,
            lane=lane,
            providers=providers,
            endpoints=parts.endpoints,
        ).run
        for lane in LANES
    ]
