"""PostgreSQL: transactions as units of work, tables as maps of values, timers, migrations, and a server from a wheel."""

from libs.storage.blobs import (
    Blob,
    BlobFault,
    BlobMissing,
    BlobStore,
    BlobTooLarge,
    FolderBlobs,
    pieces_of,
)
from libs.storage.database_blobs import DatabaseBlobs
from libs.storage.engine import Database, Engines, async_url
from libs.storage.repository import NotLoaded, Rows, TableRepository, Want, load_all
from libs.storage.s3_blobs import Bucket, S3Blobs, S3Fault
from libs.storage.s3_signing import S3Credentials
from libs.storage.sql import execute, fetch_all, fetch_one
from libs.storage.together import Statement, fetch_together
from libs.storage.unit_of_work import Emitted, Outbox, UnitOfWork

__all__ = [
    "Blob",
    "BlobFault",
    "BlobMissing",
    "BlobStore",
    "BlobTooLarge",
    "Bucket",
    "Database",
    "DatabaseBlobs",
    "Emitted",
    "Engines",
    "FolderBlobs",
    "NotLoaded",
    "Outbox",
    "Rows",
    "S3Blobs",
    "S3Credentials",
    "S3Fault",
    "Statement",
    "TableRepository",
    "UnitOfWork",
    "Want",
    "async_url",
    "execute",
    "fetch_all",
    "fetch_one",
    "fetch_together",
    "load_all",
    "pieces_of",
]
