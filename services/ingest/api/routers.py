"""All routes of ingest."""

from collections.abc import Sequence

from fastapi import APIRouter

from libs.web import parse_networks
from services.ingest.adapters.uploads import Uploads
from services.ingest.adapters.visitor_threads import VisitorThreads
from services.ingest.api.activity import activity_router
from services.ingest.api.customer_context import context_router
from services.ingest.api.customers import customers_router
from services.ingest.api.deliveries import deliveries_router
from services.ingest.api.erasures import erasures_router
from services.ingest.api.events import events_router
from services.ingest.api.files import files_router
from services.ingest.api.hooks import Hooks, hooks_router
from services.ingest.api.mail import mail_router
from services.ingest.api.messages import messages_router
from services.ingest.api.outreach import outreach_router
from services.ingest.api.reaching import reaching_router
from services.ingest.api.threads import threads_router
from services.ingest.api.told import told_router
from services.ingest.api.widget import widget_router
from services.ingest.api.widget_access import Rates, WidgetAccess
from services.ingest.api.widget_files import widget_files_router
from services.ingest.api.widget_uploads import widget_uploads_router
from services.ingest.composing import context_hook_of
from services.ingest.operations.erasing import Erasing
from services.ingest.operations.reaching import Reaching
from services.ingest.parts import Parts


def routers_of(parts: Parts) -> Sequence[APIRouter]:
    """By what they serve: messages in, what was delivered, threads and files, the widget."""
    platform, settings, accepting, signals = parts.platform, parts.settings, parts.accepting, parts.signals
    database, tokens = platform.database, platform.tokens
    visitors = VisitorThreads(database)
    access = WidgetAccess(
        parts.accounts,
        tokens,
        settings,
        parts.reveal,
        Rates(platform.clock),
        parse_networks(settings.proxies),
        platform.public_url,
    )
    uploads = Uploads(database, parts.blobs, int(settings.visitor_file_mb * 1024 * 1024))
    return [
        messages_router(accepting),
        mail_router(accepting),
        hooks_router(Hooks(accepting, parts.adapters, parts.reveal, parts.hooks_url)),
        told_router(accepting),
        customers_router(database),
        context_router(database, context_hook_of(settings, parts.client, platform.clock)),
        erasures_router(Erasing(database, parts.sealer, parts.blobs, platform.peers)),
        deliveries_router(database, signals),
        reaching_router(Reaching(database, parts.senders)),
        events_router(database, parts.outreach),
        outreach_router(database, parts.book),
        files_router(database, tokens, parts.blobs),
        threads_router(database, tokens, signals),
        activity_router(visitors, signals),
        widget_router(access, accepting, visitors, signals, uploads),
        widget_uploads_router(access, visitors, uploads),
        widget_files_router(),
    ]
