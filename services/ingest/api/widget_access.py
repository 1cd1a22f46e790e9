"""Who may use the widget of an account: sites by their origin, visitors by their session, both not too often."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from fastapi import Request

from libs.runtime import Clock, new_id
from libs.web import (
    Forbidden,
    NotFound,
    Principal,
    Problem,
    Tokens,
    Unauthorized,
    add_answer_headers,
    parse_address,
)
from services.ingest.accounts import VISITED, Accounts, ChannelAccount
from services.ingest.adapters.channels.port import Credentials
from services.ingest.adapters.visitor_identity import IdentityForged, read_identity
from services.ingest.api.widget_schemas import SessionIn
from services.ingest.domain.model import ChannelName
from services.ingest.domain.pacing import Pace, fresh, take
from services.ingest.domain.visitors import Visitor
from services.ingest.settings import IngestSettings

Network = IPv4Network | IPv6Network
SESSION: Final = "centralino/widget"
"""What a session's token is for, and for nothing else."""
_MOST_KEPT: Final = 20_000
_CORS: Final = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type, X-Widget-Session, Last-Event-ID, Prefer",
    "Access-Control-Expose-Headers": "Retry-After",
    "Access-Control-Max-Age": "7200",
}


class Rates:
    """Buckets of one minute by key, in this process. Bounded: those unused longest are forgotten."""

    def __init__(self, clock: Clock, most_kept: int = _MOST_KEPT) -> None:
        self._clock = clock
        self._most_kept = most_kept
        self._paces: OrderedDict[str, Pace] = OrderedDict()

    def check(self, key: str, per_minute: int) -> None:
        """Takes one. Raises a 429 that says when there is another."""
        now_ms, burst = self._clock.now_ms(), float(per_minute)
        # A bucket that holds a minute's worth: what `pacing` fills in a second is filled here in sixty.
        known = self._paces.pop(key, None) or fresh(now_ms // 60, burst)
        pace, wait_ms = take(known, now_ms // 60, burst)
        self._paces[key] = pace
        if len(self._paces) > self._most_kept:
            self._paces.popitem(last=False)
        if wait_ms:
            seconds = max(1, wait_ms * 60 // 1000)
            detail = f"At most {per_minute} a minute are taken from here; wait {seconds} s."
            raise Problem(
                429, "too-many-requests", "Too many requests", detail, headers={"Retry-After": str(seconds)}
            )


def address_of(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """The network address a request comes from: the peer's, or behind gateways of ours the last one they do not name as
    one of themselves. What stands left of that anybody may have written."""
    seen = peer
    for text in reversed([part.strip() for part in forwarded.split(",") if part.strip()][-10:]):
        address = parse_address(seen)
        if address is None or not any(address in network for network in proxies):
            break
        seen = text
    return seen[:64]


@dataclass(frozen=True, slots=True)
class WidgetAccess:
    """Checks of the widget's routes."""

    accounts: Accounts
    tokens: Tokens
    settings: IngestSettings
    reveal: Callable[[ChannelAccount], Credentials]
    rates: Rates
    proxies: Sequence[Network]
    public_url: str

    def allow_origin(self, request: Request, channel: str, account: str) -> None:
        """Lets the calling site read the answer, whatever it will be, if it is one of the account's."""
        add_answer_headers(request, {"Vary": "Origin", "Cross-Origin-Resource-Policy": "cross-origin"})
        origin, found = request.headers.get("origin"), self._find(channel, account)
        if origin and found and self._is_allowed(request, origin, found):
            add_answer_headers(request, {"Access-Control-Allow-Origin": origin, **_CORS})

    def account(self, request: Request, channel: str, account: str) -> ChannelAccount:
        """The account. Raises NotFound, Forbidden for a site that may not show it, a 429."""
        found = self._find(channel, account)
        if found is None:
            raise NotFound("There is no such account of a widget.", slug="unknown-account")
        origin = request.headers.get("origin")
        if origin and not self._is_allowed(request, origin, found):
            raise Forbidden(
                f"The site {origin[:200]!r} is not among the origins of account {account!r}.",
                slug="origin-not-allowed",
            )
        peer = request.client.host if request.client else ""
        address = address_of(peer, request.headers.get("x-forwarded-for", ""), self.proxies)
        self.rates.check(f"address/{address}", self.settings.address_requests_per_minute)
        return found

    def open_session(
        self, request: Request, account: ChannelAccount, asked: SessionIn
    ) -> tuple[str, Visitor, int]:
        """(token, visitor, the second it ends). A signed identity is a known customer; without one the visitor of the
        session at hand goes on, or a new one begins. Raises Forbidden for a forged identity."""
        ends_s = int(self.tokens.now() + self.settings.visitor_token_days * 86_400)
        if asked.identity:
            try:
                secrets = self.reveal(account).secrets
                signed = read_identity(asked.identity, secrets, self.tokens.now())
            except IdentityForged as error:
                raise Forbidden(f"{error}.", slug="identity-not-genuine") from None
            visitor = Visitor(account.channel, account.id, signed.id, True, signed.name, signed.email)
            ends_s = min(ends_s, signed.expires_at_s)
        else:
            before = self.going_on(request, account)
            visitor = Visitor(account.channel, account.id, before.id if before else new_id())
        visitor = replace(visitor, language=asked.language)
        return self._issue(visitor, ends_s), visitor, ends_s

    def visitor(self, request: Request, account: ChannelAccount) -> Visitor:
        """Whose session the request carries. Raises Unauthorized."""
        given = request.headers.get("x-widget-session")
        if given is None:
            raise Unauthorized(
                "Send the header X-Widget-Session, which POST sessions gives.", slug="no-session"
            )
        return _visitor_of(self.tokens.verify(given, SESSION), account)

    def _find(self, channel: str, account: str) -> ChannelAccount | None:
        return self.accounts.find(channel, account) if channel in VISITED else None

    def _is_allowed(self, request: Request, origin: str, account: ChannelAccount) -> bool:
        own = {f"{request.url.scheme}://{request.headers.get('host', '')}", *account.origins}
        return origin in own or (bool(self.public_url) and f"{self.public_url}/".startswith(f"{origin}/"))

    def going_on(self, request: Request, account: ChannelAccount) -> Visitor | None:
        """The browser whose session the request carries; None without one, and for one that is signed in."""
        try:
            known = self.visitor(request, account)
        except Unauthorized:
            return None
        return None if known.verified else known

    def _issue(self, visitor: Visitor, ends_s: int) -> str:
        claims = {
            "channel": visitor.channel.value,
            "account": visitor.account,
            "verified": visitor.verified,
            "name": visitor.name,
            "email": visitor.email,
            "language": visitor.language,
        }
        seconds = max(1, ends_s - int(self.tokens.now()))
        return self.tokens.issue(visitor.id, "customer", seconds, claims, audience=SESSION)


def _visitor_of(principal: Principal, account: ChannelAccount) -> Visitor:
    claims = principal.claims
    if (claims.get("channel"), claims.get("account")) != (account.channel.value, account.id):
        raise Unauthorized("The session is of another account.", slug="token-audience")
    return Visitor(
        ChannelName(claims["channel"]),
        account.id,
        principal.subject,
        claims.get("verified") is True,
        str(claims.get("name", "")),
        str(claims.get("email", "")),
        str(claims.get("language", "")),
        principal.expires_at_s,
    )
