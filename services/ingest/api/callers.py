"""Who posts and who reads: nobody known, a visitor with the token of one conversation, or the operator's own systems."""

from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request

from libs.web import BadRequest, Forbidden, Principal, Tokens, Unauthorized, redeem_ticket
from libs.web.tokens import ACCESS, VISITOR

SECURITY: Final[dict[str, Any]] = {"security": [{"bearer": []}]}
OPEN_SECURITY: Final[dict[str, Any]] = {"security": [{}, {"bearer": []}]}
_LONGEST_KEY: Final = 255


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sends a message."""

    trusted: bool
    """Role service: what it says of the sender is taken for true."""
    conversation_id: str = ""
    """The conversation a visitor's token is for."""

    @property
    def scope(self) -> str:
        """Keeps the keys of different callers apart."""
        return "service" if self.trusted else self.conversation_id or "open"


OPEN: Final = Caller(trusted=False)
SERVICE: Final = Caller(trusted=True)


def _verified(request: Request, tokens: Tokens) -> Principal | None:
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("The Authorization header must be: Bearer <token>.", slug="token-invalid")
    try:
        return tokens.verify(token.strip(), ACCESS)
    except Unauthorized as error:
        if error.slug != "token-audience":
            raise
    return tokens.verify(token.strip(), VISITOR)


def who_posts(request: Request, tokens: Tokens) -> Caller:
    """The caller of an open route. Unauthorized for a bad token, Forbidden for a good one that may not post."""
    principal = _verified(request, tokens)
    if principal is None:
        return OPEN
    if principal.audience == VISITOR:
        return Caller(False, str(principal.claims.get("conversation_id", "")))
    if principal.may_act_as("service"):
        return SERVICE
    raise Forbidden(f"Messages are posted by customers or by role service; the token has {principal.role}.")


def check_reader(
    request: Request, tokens: Tokens, conversation_id: str, *, ticket: str | None = None
) -> Principal:
    """Passes the visitor of this conversation and role service. Unauthorized or Forbidden for anybody else."""
    if ticket is not None and "authorization" not in request.headers:
        principal: Principal | None = redeem_ticket(request, ticket)
    else:
        principal = _verified(request, tokens)
    if principal is None:
        raise Unauthorized("Send the header Authorization: Bearer <token>.")
    if principal.audience == VISITOR:
        if principal.claims.get("conversation_id") != conversation_id:
            raise Forbidden("The token is for another conversation.")
    elif not principal.may_act_as("service"):
        raise Forbidden(f"This is for the customer or role service; the token has {principal.role}.")
    return principal


def is_service(request: Request, tokens: Tokens) -> bool:
    """Whether role service asks; False without a token. Unauthorized for a bad token, Forbidden for another role."""
    principal = _verified(request, tokens)
    if principal is None:
        return False
    if principal.audience == VISITOR or not principal.may_act_as("service"):
        raise Forbidden(f"This needs role service; the token has {principal.role}.")
    return True


def idempotency_key(request: Request, *, required: bool) -> str | None:
    """The key in the header, or None. BadRequest when it is missing and required, or not visible ASCII."""
    given = request.headers.get("idempotency-key")
    if given is None:
        if required:
            raise BadRequest("Send an Idempotency-Key with this request.", slug="idempotency-key-required")
        return None
    key = given[1:-1] if len(given) > 2 and given[0] == given[-1] == '"' else given
    if not 0 < len(key) <= _LONGEST_KEY or not all("!" <= symbol <= "~" for symbol in key):
        raise BadRequest(
            "An Idempotency-Key is 1 to 255 visible ASCII characters.", slug="bad-idempotency-key"
        )
    return key


def check_file_reader(request: Request, tokens: Tokens, conversation_id: str) -> None:
    """Passes the visitor of this conversation, agents and role service. Unauthorized or Forbidden for anybody else."""
    principal = _verified(request, tokens)
    if principal is not None and principal.audience != VISITOR and principal.may_act_as("agent"):
        return
    check_reader(request, tokens, conversation_id)
