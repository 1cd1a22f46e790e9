"""A small server that speaks as S3 does: put, get, list, delete; it checks every signature and digest, and can be busy."""

import hashlib
import hmac
import re
import time
import urllib.parse
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from libs.storage import Bucket, S3Credentials

KEY_ID, SECRET, REGION, BUCKET = "AKEXAMPLE", "secret-of-the-bucket", "eu-south-1", "files"
_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request,SignedHeaders=([^,]+),Signature=([0-9a-f]{64})"
)


class FakeS3:
    """One bucket in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, float]] = {}
        """(content, when it was put) by name."""
        self.busy = 0
        """How many of the next requests are answered 503."""
        self.requests = 0
        self.app = Starlette(
            routes=[Route("/{path:path}", self._answer, methods=["GET", "PUT", "DELETE", "HEAD"])]
        )

    async def _answer(self, request: Request) -> Response:
        self.requests += 1
        body = await request.body()
        if self.busy:
            self.busy -= 1
            return _error(503, "SlowDown")
        fault = _forged(request, body)
        if fault:
            return _error(403, fault)
        path = request.path_params["path"]
        if path == BUCKET:
            return self._list(request.query_params.get("prefix", ""))
        name = path.removeprefix(f"{BUCKET}/")
        if name == path:
            return _error(404, "NoSuchBucket")
        if request.method == "PUT":
            self.objects[name] = (body, time.time())
            return Response(status_code=200)
        if request.method == "DELETE":
            self.objects.pop(name, None)
            return Response(status_code=204)
        if name not in self.objects:
            return _error(404, "NoSuchKey")
        return Response(self.objects[name][0], media_type="application/octet-stream")

    def _list(self, prefix: str) -> Response:
        found = "".join(
            f"<Contents><Key>{escape(name)}</Key><LastModified>{_iso(at)}</LastModified><Size>{len(data)}</Size></Contents>"
            for name, (data, at) in sorted(self.objects.items())
            if name.startswith(prefix)
        )
        body = f'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{found}</ListBucketResult>'
        return Response(body, media_type="application/xml")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _error(status: int, code: str) -> Response:
    return Response(f"<Error><Code>{code}</Code></Error>", status, media_type="application/xml")


def _forged(request: Request, body: bytes) -> str:
    """Why a request is not taken, or empty; written from Amazon's description, apart from the code that signs."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        return "AccessDenied"
    key_id, day, region, names, given = found.groups()
    digest, at = request.headers["x-amz-content-sha256"], request.headers["x-amz-date"]
    if key_id != KEY_ID or region != REGION:
        return "InvalidAccessKeyId"
    if hashlib.sha256(body).hexdigest() != digest:
        return "XAmzContentSHA256Mismatch"
    pairs = sorted(urllib.parse.parse_qsl(request.url.query, keep_blank_values=True))
    query = "&".join(f"{urllib.parse.quote(n, safe='')}={urllib.parse.quote(v, safe='')}" for n, v in pairs)
    lines = [request.method, request.scope["raw_path"].decode(), query]
    lines += [f"{name}:{request.headers[name]}" for name in names.split(";")]
    canonical = "\n".join([*lines, "", names, digest])
    scope = f"{day}/{region}/s3/aws4_request"
    signed = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + SECRET).encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    return "" if hmac.new(key, signed.encode(), "sha256").hexdigest() == given else "SignatureDoesNotMatch"


def bucket(endpoint: str, **changes: str) -> Bucket:
    """How it is reached by who has the key."""
    secret = changes.pop("secret", SECRET)
    return Bucket(endpoint, changes.pop("name", BUCKET), S3Credentials(KEY_ID, secret, REGION), **changes)
