"""Who may call a route: `require_role`, `require_visitor`, and one-time tickets for event streams."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request
from fastapi.openapi.models import HTTPBearer as BearerScheme
from fastapi.security.base import SecurityBase

from libs.web.problems import Forbidden, Unauthorized, Unavailable
from libs.web.tokens import ACCESS, ROLES, TICKET, VISITOR, Principal, Tokens

_MOST_TICKETS: Final = 10_000


class TicketBook:
    """Which tickets of this process are used up. Bounded: when it is full of unexpired ones, callers wait.

    A ticket lives 30 s, so a second replica would take one a second time for at most that long.
    """

    def __init__(self, most: int = _MOST_TICKETS) -> None:
        self._most = most
        self._used: dict[str, int] = {}

    def use(self, token_id: str, expires_at_s: int, now_s: float) -> None:
        """Raise Unauthorized when it was used before, Unavailable when no more can be remembered."""
        if token_id in self._used:
            raise Unauthorized("The ticket was used before.", slug="ticket-used")
        if len(self._used) >= self._most:
            self._used = {one: until for one, until in self._used.items() if until > now_s}
            if len(self._used) >= self._most:
                raise Unavailable("Too many streams were opened just now.", retry_after_s=5)
        self._used[token_id] = expires_at_s


def redeem_ticket(request: Request, ticket: str) -> Principal:
    """The principal behind a stream ticket; each ticket works once."""
    tokens = _tokens(request)
    used = tokens.verify(ticket, TICKET)
    request.app.state.tickets.use(used.token_id, used.expires_at_s, tokens.now())
    claims: Mapping[str, Any] = {name: value for name, value in used.claims.items() if name != "for"}
    return Principal(used.subject, used.role, claims, used.expires_at_s, str(used.claims.get("for", ACCESS)))


class Guard(SecurityBase):
    """A dependency: passes bearer tokens of some roles and one audience, and shows itself in OpenAPI."""

    def __init__(self, roles: tuple[str, ...], audience: str, *, ticket: bool) -> None:
        self.model = BearerScheme(bearerFormat="JWT")
        # The roles stand behind the name until `libs.web.openapi` puts them where a document has them.
        self.scheme_name = "visitor" if audience == VISITOR else " ".join(("bearer", *roles))
        self._roles = roles
        self._audience = audience
        self._ticket = ticket

    async def __call__(self, request: Request) -> Principal:
        principal = self._identify(request)
        if principal.audience != self._audience:
            raise Unauthorized("The ticket is for something else.", slug="token-audience")
        if self._roles and not any(principal.may_act_as(role) for role in self._roles):
            raise Forbidden(
                f"This needs the role {' or '.join(self._roles)}; the token has {principal.role}."
            )
        return principal

    def _identify(self, request: Request) -> Principal:
        header = request.headers.get("authorization")
        if header is None:
            ticket = request.query_params.get("ticket") if self._ticket else None
            if ticket is not None:
                return redeem_ticket(request, ticket)
            raise Unauthorized("Send the header Authorization: Bearer <token>.")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("The Authorization header must be: Bearer <token>.", slug="token-invalid")
        return _tokens(request).verify(token.strip(), self._audience)


def require_role(*roles: str, ticket: bool = False) -> Guard:
    """Dependency: `principal: Annotated[Principal, Depends(require_role("agent"))]`.

    Without roles any access token passes. admin passes everywhere, supervisor wherever agent does. With
    `ticket=True` a one-time `?ticket=` does as well as the header (event streams in browsers).
    """
    if unknown := set(roles) - ROLES:
        raise ValueError(f"unknown roles {sorted(unknown)}")
    return Guard(roles, ACCESS, ticket=ticket)


def require_visitor(*, ticket: bool = False) -> Guard:
    """Dependency for the narrow token of one conversation: `claims["conversation_id"]`, `["customer_id"]`.

    The route must compare the conversation with its own path: the token says which one, nothing more.
    """
    return Guard(("customer",), VISITOR, ticket=ticket)


def optional_principal(request: Request) -> Principal | None:
    """Dependency for open routes: None without a token, the principal with a good one, 401 with a bad one."""
    if "authorization" not in request.headers:
        return None
    return Guard((), ACCESS, ticket=False)._identify(request)


def _tokens(request: Request) -> Tokens:
    tokens = request.app.state.tokens
    if not isinstance(tokens, Tokens):
        raise RuntimeError("create_app was called without tokens, and a route asks for a role")
    return tokens
