"""Where the files are that providers keep for us: how each is asked for, step by step."""

import base64
import json
import urllib.parse
from collections.abc import Mapping
from typing import Final

from services.ingest.adapters.channels.meta import GRAPH
from services.ingest.adapters.channels.port import Call, Credentials
from services.ingest.adapters.channels.reading import at, text_at
from services.ingest.ports import SendRefused, SendUnavailable

MOST_STEPS: Final = 4
_TELEGRAM: Final = "https://api.telegram.org"
_ADDRESSES: Final = ("http://", "https://")
_TWILIO: Final = "api.twilio.com"


def first_call(kind: str, source: str, credentials: Credentials) -> Call:
    """The first request for a file, by the provider's name for it. Raises SendRefused."""
    if kind == "whatsapp-cloud":
        base = credentials.base_url or GRAPH
        return Call("GET", f"{base}/{urllib.parse.quote(source, safe='')}", _bearer(credentials))
    if kind == "telegram":
        query = urllib.parse.urlencode({"file_id": source})
        return Call("GET", f"{credentials.base_url or _TELEGRAM}/bot{credentials.token}/getFile?{query}")
    if not source.startswith(_ADDRESSES):
        raise SendRefused("the provider gave no address for this file")
    return Call("GET", source, _basic(credentials) if _is_twilio(kind, source, credentials) else {})


def next_call(
    kind: str,
    step: int,
    asked: Call,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    credentials: Credentials,
) -> Call | None:
    """The request that follows an answer, or None when the answer is the file itself; `body` is that of a description.
    Raises SendRefused or SendUnavailable by what the answer says.

    Credentials go to the provider alone: never along with a redirect.
    """
    if status in (301, 302, 303, 307, 308):
        target = urllib.parse.urljoin(asked.url, headers.get("location", ""))
        return Call("GET", target)
    if status in (408, 425, 429) or status >= 500:
        raise SendUnavailable(f"the provider answered {status}")
    if not 200 <= status < 300:
        raise SendRefused(f"the provider answered {status}")
    if not describes(kind, step):
        return None
    if kind == "whatsapp-cloud":
        url = text_at(_json(body), "url")
        if not url.startswith(_ADDRESSES):
            raise SendRefused("the provider names no address for this file")
        return Call("GET", url, _bearer(credentials))
    path = text_at(at(_json(body), "result"), "file_path")
    if not path:
        raise SendRefused("the provider names no path for this file")
    base = credentials.base_url or _TELEGRAM
    return Call("GET", f"{base}/file/bot{credentials.token}/{urllib.parse.quote(path)}")


def describes(kind: str, step: int) -> bool:
    """Whether the answer to a request, counted from 0, tells of the file instead of being it."""
    return step == 0 and kind in ("whatsapp-cloud", "telegram")


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise SendUnavailable("the provider's answer about the file is no JSON") from None


def _is_twilio(kind: str, source: str, credentials: Credentials) -> bool:
    if not kind.startswith("twilio"):
        return False
    own = urllib.parse.urlsplit(credentials.base_url).netloc if credentials.base_url else _TWILIO
    return urllib.parse.urlsplit(source).netloc == own


def _bearer(credentials: Credentials) -> dict[str, str]:
    return {"Authorization": f"Bearer {credentials.token}"}


def _basic(credentials: Credentials) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(credentials.token.encode()).decode()}
