"""What every service needs to speak HTTP: the app, problems, tokens, pages, versions, keys, streams, clients.

A service gives `create_app` its routers; the host gives `create_host` the apps. Routes raise the problems of
`libs.web.problems`, ask for a role with `require_role`, and never build an error answer themselves.
"""

from libs.web.addresses import parse_address, parse_networks
from libs.web.app import OK, Readiness, create_app
from libs.web.auth import optional_principal, redeem_ticket, require_role, require_visitor
from libs.web.bodies import body_limit, raw_body, require_media_type
from libs.web.broadcast import Broadcast, Wakeup
from libs.web.client import HttpAuth, HttpClient, HttpFailure, HttpResponse, http_client, in_process
from libs.web.edge import add_answer_headers
from libs.web.etag import IfMatch, check_if_match, etag_of
from libs.web.host import Host, create_host
from libs.web.idempotency import (
    Idempotency,
    KeyedRequest,
    StoredResponse,
    idempotency_table,
    keyed_request,
)
from libs.web.key_files import KeyFileError, read_or_make_key_file, unusable_key_file
from libs.web.keys import TokenKeys
from libs.web.openapi import combined_openapi
from libs.web.outgoing import (
    GuardedClient,
    OutgoingAnswer,
    OutgoingDownload,
    OutgoingError,
    OutgoingFailed,
    OutgoingRefused,
    check_target,
)
from libs.web.pagination import Page, PageParams, PageQuery, decode_cursor, encode_cursor, make_page
from libs.web.passwords import hash_password, needs_rehash, verify_password
from libs.web.preferences import preferred_wait_s
from libs.web.problems import (
    BadRequest,
    Conflict,
    Forbidden,
    Gone,
    IdempotencyMismatch,
    IdempotencyRunning,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Problem,
    TooLarge,
    Unauthorized,
    Unavailable,
    Unprocessable,
    UnsupportedMedia,
)
from libs.web.settings import WebSettings
from libs.web.sse import SseEvent, last_event_id, sse_response
from libs.web.tokens import STAFF, Principal, Role, Tokens

__all__ = [
    "OK", "STAFF", "BadRequest", "Broadcast", "Conflict", "Forbidden", "Gone", "GuardedClient", "Host",
    "HttpAuth", "HttpClient", "HttpFailure", "HttpResponse", "Idempotency", "IdempotencyMismatch",
    "IdempotencyRunning", "IfMatch", "KeyFileError", "KeyedRequest", "NotFound", "OutgoingAnswer", "OutgoingDownload",
    "OutgoingError", "OutgoingFailed", "OutgoingRefused", "Page", "PageParams", "PageQuery",
    "PreconditionFailed", "PreconditionRequired", "Principal", "Problem", "Readiness", "Role", "SseEvent",
    "StoredResponse", "TokenKeys", "Tokens", "TooLarge", "Unauthorized", "Unavailable", "Unprocessable",
    "UnsupportedMedia", "Wakeup", "WebSettings", "add_answer_headers", "body_limit", "check_if_match", "check_target",
    "combined_openapi", "create_app", "create_host", "decode_cursor", "encode_cursor", "etag_of",
    "hash_password", "http_client", "idempotency_table", "in_process", "keyed_request", "last_event_id",
    "make_page", "needs_rehash", "optional_principal", "parse_address", "parse_networks", "preferred_wait_s",
    "raw_body", "read_or_make_key_file", "redeem_ticket", "require_media_type", "require_role", "require_visitor",
    "sse_response", "unusable_key_file", "verify_password",
]  # fmt: skip
