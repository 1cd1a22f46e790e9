"""Requests to S3 are signed: AWS Signature Version 4, in the header."""

import hashlib
import hmac
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

EMPTY: Final = hashlib.sha256(b"").hexdigest()
"""Digest of no body."""


@dataclass(frozen=True, slots=True)
class S3Credentials:
    """Who asks, and in which region."""

    key_id: str
    secret: str
    region: str


def signed_headers(
    credentials: S3Credentials,
    method: str,
    host: str,
    path: str,
    query: Mapping[str, str],
    digest: str,
    now_ms: int,
    more: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """All headers of a request, names in small letters. `path` is not quoted yet, `digest` is the SHA-256 of the body in
    hex, `more` are further headers to sign.

    Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header".
    """
    at = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": at, **(more or {})}
    names = sorted(headers)
    canonical = "\n".join(
        [
            method,
            quoted_path(path),
            quoted_query(query),
            *[f"{name}:{' '.join(headers[name].split())}" for name in names],
            "",
            ";".join(names),
            digest,
        ]
    )
    scope = f"{at[:8]}/{credentials.region}/s3/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", at, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{credentials.secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.key_id}/{scope},SignedHeaders={';'.join(names)},Signature={signature}"
    )
    return headers


def quoted_path(path: str) -> str:
    """A path as it is signed and sent."""
    return urllib.parse.quote(path, safe="/-_.~")


def quoted_query(query: Mapping[str, str]) -> str:
    """A query as it is signed and sent."""
    quote = urllib.parse.quote
    return "&".join(f"{quote(name, safe='-_.~')}={quote(query[name], safe='-_.~')}" for name in sorted(query))
