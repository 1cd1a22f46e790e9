"""Who is signed in on the operator's site: a JSON Web Token that the site signs by HMAC with a secret of the account."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from services.ingest.domain.texts import one_line

_LONGEST: Final = 4096
_LONGEST_ID: Final = 200
_LEEWAY_S: Final = 60


class IdentityForged(Exception):
    """No secret of the account has signed this, or its time is over; the text is for the operator's engineers."""


@dataclass(frozen=True, slots=True)
class SignedIdentity:
    """What the site says of its user."""

    id: str
    expires_at_s: int
    name: str = ""
    email: str = ""


def read_identity(token: str, secrets: Sequence[str], now_s: float) -> SignedIdentity:
    """The user of an HS256 token with `sub` and `exp`, perhaps `name` and `email`. Raises IdentityForged.

    Every secret is tried, so that one can be replaced by another without a gap.
    """
    if not any(secrets):
        raise IdentityForged("the account has no secrets, so nobody can be signed in through it")
    if len(token) > _LONGEST:
        raise IdentityForged(f"the identity has {len(token)} characters; at most {_LONGEST} are read")
    for secret in filter(None, secrets):
        try:
            claims = jwt.decode(token, OctKey.import_key(secret), algorithms=["HS256"]).claims
        except (JoseError, ValueError, TypeError, KeyError, UnicodeError):
            continue
        return _checked(claims, now_s)
    raise IdentityForged("the identity is no token that a secret of this account has signed with HS256")


def _checked(claims: dict[str, object], now_s: float) -> SignedIdentity:
    subject, expires, starts = claims.get("sub"), claims.get("exp"), claims.get("nbf", 0)
    if (
        not isinstance(subject, str)
        or not 0 < len(subject) <= _LONGEST_ID
        or one_line(subject, 200) != subject
    ):
        raise IdentityForged(f"the identity needs `sub`, a text of 1 to {_LONGEST_ID} characters in one line")
    if type(expires) is not int or type(starts) is not int:
        raise IdentityForged("the identity needs `exp`, the second since 1970 at which it ends")
    if expires <= now_s or starts > now_s + _LEEWAY_S:
        raise IdentityForged("the time of the identity is over, or not yet come; is a clock wrong?")
    name, email = claims.get("name"), claims.get("email")
    return SignedIdentity(
        subject,
        expires,
        one_line(name, 200) if isinstance(name, str) else "",
        one_line(email, 254) if isinstance(email, str) and "@" in email else "",
    )
