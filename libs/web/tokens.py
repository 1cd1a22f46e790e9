"""Signed tokens: who speaks, as what, and until when. Verified offline, with one algorithm."""

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from joserfc import jwt
from joserfc.errors import JoseError

from libs.web.keys import TokenKeys
from libs.web.problems import Unauthorized

Role = Literal["customer", "agent", "supervisor", "admin", "service"]
ROLES: Final[frozenset[str]] = frozenset(get_args(Role))
STAFF: Final = ("agent", "supervisor", "admin")

ACCESS: Final = "centralino"
VISITOR: Final = "centralino/visitor"
TICKET: Final = "centralino/ticket"
ISSUER: Final = "centralino"
TICKET_SECONDS: Final = 30
_ALGORITHM: Final = "Ed25519"
_LONGEST: Final = 4096
_REMEMBERED: Final = 4096
_LEEWAY_S: Final = 5
_OWN: Final = frozenset({"iss", "aud", "sub", "exp", "nbf", "iat", "jti", "role"})


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as a verified token says.

    `claims` are the token's own (a visitor's `conversation_id` and `customer_id`, an agent's `name`);
    `audience` is what the token is for: ACCESS, or VISITOR for the narrow token of one conversation.
    """

    subject: str
    role: Role
    claims: Mapping[str, Any] = field(default_factory=dict)
    expires_at_s: int = 0
    audience: str = ACCESS
    token_id: str = ""

    def may_act_as(self, role: str) -> bool:
        """Does this principal have the rights of `role`? admin has all, supervisor has agent's too."""
        return self.role == role or self.role == "admin" or (self.role == "supervisor" and role == "agent")


class Tokens:
    """Issues and verifies. A verified token is remembered (4,096 at most), since a signature costs 0.2 ms.

    `now` gives seconds since the epoch and is there for tests.
    """

    def __init__(self, keys: TokenKeys, *, now: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._now = now
        self._known: OrderedDict[str, Principal] = OrderedDict()

    @property
    def keys(self) -> TokenKeys:
        """The key set in use."""
        return self._keys

    def now(self) -> float:
        """Seconds since the epoch, as these tokens see it."""
        return self._now()

    def issue(
        self,
        subject: str,
        role: Role,
        ttl_s: int,
        claims: Mapping[str, Any] | None = None,
        *,
        audience: str = ACCESS,
    ) -> str:
        """A token for `subject`. ValueError for an unknown role or a claim name that is taken."""
        own = dict(claims or {})
        if role not in ROLES:
            raise ValueError(f"unknown role {role!r}; one of {sorted(ROLES)} was expected")
        if taken := _OWN & own.keys():
            raise ValueError(f"claims may not be named {sorted(taken)}")
        kid, key = self._keys.signing_key()
        at = int(self._now())
        payload = {
            **own,
            "iss": ISSUER,
            "aud": audience,
            "sub": subject,
            "role": role,
            "iat": at,
            "nbf": at,
            "exp": at + ttl_s,
            "jti": os.urandom(12).hex(),
        }
        return jwt.encode({"alg": _ALGORITHM, "kid": kid}, payload, key, algorithms=[_ALGORITHM])

    def issue_visitor(self, customer_id: str, conversation_id: str, ttl_s: int = 30 * 86_400) -> str:
        """The narrow token of a chat widget: one conversation as its customer, nothing else."""
        claims = {"customer_id": customer_id, "conversation_id": conversation_id}
        return self.issue(customer_id, "customer", ttl_s, claims, audience=VISITOR)

    def issue_ticket(self, principal: Principal) -> str:
        """A 30-second token for one event stream, fit for a query string, with the principal's rights."""
        claims = {**principal.claims, "for": principal.audience}
        return self.issue(principal.subject, principal.role, TICKET_SECONDS, claims, audience=TICKET)

    def verify(self, token: str, audience: str = ACCESS) -> Principal:
        """The principal of a token of ours, in its time and for `audience`; else Unauthorized."""
        known = self._known.get(token)
        if known is None:
            known = self._read(token)
            self._known[token] = known
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        if known.expires_at_s <= self._now():
            self._known.pop(token, None)
            raise Unauthorized("The token has expired.", slug="token-expired")
        if known.audience != audience:
            raise Unauthorized("The token is for something else.", slug="token-audience")
        return known

    def _read(self, token: str) -> Principal:
        if len(token) > _LONGEST:
            raise Unauthorized(
                f"The token has {len(token)} characters; at most {_LONGEST} are read.", slug="token-invalid"
            )
        try:
            decoded = jwt.decode(token, self._find_key, algorithms=[_ALGORITHM])
        except (JoseError, ValueError, KeyError, TypeError, UnicodeError) as error:
            raise Unauthorized("The token is not one of ours.", slug="token-invalid") from error
        return self._principal(decoded.claims)

    def _find_key(self, guest: Any) -> Any:
        kid = guest.headers().get("kid")
        key = self._keys.verifying_key(kid) if isinstance(kid, str) else None
        if key is None:
            raise ValueError("unknown key id")
        return key

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        subject, role, audience = claims.get("sub"), claims.get("role"), claims.get("aud")
        expires, not_before = claims.get("exp"), claims.get("nbf", 0)
        if (
            claims.get("iss") != ISSUER
            or not isinstance(subject, str)
            or role not in ROLES
            or not isinstance(audience, str)
            or type(expires) is not int
            or type(not_before) is not int
        ):
            raise Unauthorized("The token lacks a claim.", slug="token-invalid")
        if not_before > self._now() + _LEEWAY_S:
            raise Unauthorized("The token is not valid yet.", slug="token-not-yet-valid")
        own = {name: value for name, value in claims.items() if name not in _OWN}
        return Principal(subject, role, own, expires, audience, str(claims.get("jti", "")))
