"""Parts that the service and the commands beside it are both put together of."""

import re
from pathlib import Path

from libs.runtime import Clock
from libs.storage import BlobStore, Bucket, Database, DatabaseBlobs, FolderBlobs, S3Blobs, S3Credentials
from libs.web import GuardedClient, check_target
from services.ingest.accounts import Accounts
from services.ingest.adapters.channels.registry import channels_for
from services.ingest.adapters.context_hook import ContextHook
from services.ingest.adapters.credentials import read_accounts
from services.ingest.adapters.desk import Desk
from services.ingest.adapters.keys import load_keys
from services.ingest.adapters.raw_writer import RawWriter
from services.ingest.domain.notices import Endpoint
from services.ingest.operations.renormalising import Renormaliser
from services.ingest.settings import IngestSettings


def all_accounts(settings: IngestSettings) -> Accounts:
    """Those of the settings and those of the file. Raises AccountsFileError."""
    from_file = read_accounts(settings.accounts_file) if settings.accounts_file else ()
    return Accounts((*settings.accounts, *from_file))


def endpoints_of(settings: IngestSettings) -> dict[str, tuple[Endpoint, tuple[str, ...]]]:
    """Who is told by webhook, each with its secrets. Raises OutgoingRefused for an address that is none."""
    found = {}
    for one in settings.webhooks:
        check_target(one.url)
        secrets = tuple(secret.get_secret_value() for secret in one.secrets)
        found[one.id] = (Endpoint(one.id, one.url, frozenset(one.events)), secrets)
    return found


def context_hook_of(settings: IngestSettings, client: GuardedClient, clock: Clock) -> ContextHook:
    """Who is asked about customers. Raises OutgoingRefused for an address that is none."""
    if settings.context_hook_url:
        check_target(settings.context_hook_url)
    return ContextHook(
        settings.context_hook_url,
        [secret.get_secret_value() for secret in settings.context_hook_secrets],
        client,
        clock,
        deadline_ms=settings.context_hook_ms,
        cache_s=settings.context_hook_cache_s,
    )


def blobs_of(database: Database, data: Path, settings: IngestSettings) -> BlobStore:
    """Where files of customers are kept. Raises ValueError."""
    if settings.attachments_in == "database":
        return DatabaseBlobs(database)
    if settings.attachments_in == "folder":
        return FolderBlobs(data / "attachments")
    return S3Blobs(bucket_of(settings))


def bucket_of(settings: IngestSettings) -> Bucket:
    """Where files are kept in S3. Raises ValueError that names what is not set, or is no address and no bucket."""
    secret = settings.s3_secret.get_secret_value()
    given = {
        "s3_endpoint": settings.s3_endpoint,
        "s3_bucket": settings.s3_bucket,
        "s3_key_id": settings.s3_key_id,
        "s3_secret": secret,
    }
    if lacking := [name for name, value in given.items() if not value]:
        raise ValueError(f"attachments_in is s3: set {', '.join(lacking)} too")
    if not re.fullmatch(r"https?://[^/\s]+", settings.s3_endpoint.rstrip("/")):
        raise ValueError(
            f"s3_endpoint is {settings.s3_endpoint[:80]!r}; expected an address such as https://s3.example"
        )
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", settings.s3_bucket):
        raise ValueError(f"s3_bucket is {settings.s3_bucket[:80]!r}; expected the name of a bucket")
    credentials = S3Credentials(settings.s3_key_id, secret, settings.s3_region)
    return Bucket(settings.s3_endpoint, settings.s3_bucket, credentials, settings.s3_prefix)


def renormaliser_of(database: Database, data: Path, settings: IngestSettings) -> Renormaliser:
    """What `centralino ingest renormalise` works with, beside the service. Raises KeyFileError."""
    sealer, signer = load_keys(
        data, settings.raw_key.get_secret_value(), settings.signing_key.get_secret_value()
    )
    accounts = all_accounts(settings)
    adapters, blobs = channels_for(accounts, settings), blobs_of(database, data, settings)
    desk = Desk(database, sealer, signer, accounts, adapters, blobs)
    writer = RawWriter(database, most_pending=settings.most_pending, group_rows=settings.group_rows)
    return Renormaliser(database, desk, adapters, sealer, writer, blobs)
