"""Access tokens of mailboxes whose providers take no passwords (OAuth 2.0, RFC 6749 sections 4.4 and 6).

A token is fetched for each connection. A provider may give a new refresh token with it, which takes the old one's place:
it is kept sealed, until the account names another one or the provider takes it no more.
"""

import hashlib
import json
import urllib.parse
from typing import Any, Final

from libs.storage import Database, execute, fetch_one
from libs.web import GuardedClient, OutgoingError
from services.ingest.account_parts import ImapOAuth
from services.ingest.adapters.credentials import open_text, seal_text
from services.ingest.adapters.keys import SealBroken, Sealer
from services.ingest.ports import MailboxAway

_KNOWN: Final = "SELECT newest FROM ingest.mailbox_tokens WHERE account = $1 AND given = $2"
_KEEP: Final = """
INSERT INTO ingest.mailbox_tokens (account, given, newest) VALUES ($1, $2, $3)
ON CONFLICT (account) DO UPDATE SET given = $2, newest = $3
"""
_FORGET: Final = "DELETE FROM ingest.mailbox_tokens WHERE account = $1"
_SPENT: Final = "invalid_grant"
"""What a provider says of a refresh token that it takes no more (RFC 6749, section 5.2)."""
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class MailTokens:
    """Signs in at the providers of mailboxes."""

    def __init__(self, client: GuardedClient, database: Database, sealer: Sealer) -> None:
        self._client = client
        self._database = database
        self._sealer = sealer

    async def fresh(self, account: str, oauth: ImapOAuth) -> str:
        """An access token for a mailbox with its credentials in plain text. Raises MailboxAway."""
        given = oauth.refresh_token.get_secret_value()
        kept = await self._kept(account, given) if given else ""
        form = {
            "client_id": oauth.client_id,
            "client_secret": oauth.client_secret.get_secret_value(),
            "grant_type": "refresh_token" if given else "client_credentials",
            **({"refresh_token": kept or given} if given else {}),
            **({"scope": oauth.scope} if oauth.scope else {}),
        }
        said = await self._ask(account, oauth.token_url, form)
        token = said.get("access_token")
        if not isinstance(token, str) or not token:
            spent = bool(given) and said.get("error", _SPENT) == _SPENT
            # Any other fault passes or is mended, and the account's own token may have ended with the first renewal.
            if kept and said.get("error") == _SPENT:
                await self._change(_FORGET, account)
            raise MailboxAway(_refused(account, oauth.token_url, said, spent=spent))
        newest = said.get("refresh_token")
        if given and isinstance(newest, str) and newest not in ("", kept, given):
            await self._change(_KEEP, account, _digest(given), seal_text(self._sealer, newest))
        return token

    async def _kept(self, account: str, given: str) -> str:
        async with self._database.read() as connection:
            row = await fetch_one(connection, _KNOWN, account, _digest(given))
        try:
            return open_text(self._sealer, row[0]) if row else ""
        except SealBroken:
            # Its key is gone; the account's own token may still do.
            return ""

    async def _change(self, statement: str, *arguments: Any) -> None:
        async with self._database.begin() as uow:
            await execute(uow.connection, statement, *arguments)
            await uow.commit()

    async def _ask(self, account: str, url: str, form: dict[str, str]) -> dict[str, Any]:
        try:
            answer = await self._client.request(
                "POST", url, content=urllib.parse.urlencode(form).encode(), headers=_FORM
            )
        except OutgoingError as error:
            raise MailboxAway(f"no token for mail account {account!r}: {error}"[:300]) from None
        if answer.status >= 500 or answer.status == 429:
            raise MailboxAway(
                f"no token for mail account {account!r}: {urllib.parse.urlsplit(url).hostname} answered"
                f" {answer.status}; it is asked again"
            )
        try:
            said = json.loads(answer.body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise MailboxAway(
                f"no token for mail account {account!r}: {urllib.parse.urlsplit(url).hostname} answered"
                f" {answer.status} without a JSON object; look at token_url"
            )
        return said


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _refused(account: str, url: str, said: dict[str, Any], *, spent: bool) -> str:
    why = " ".join(str(said.get(name, "")) for name in ("error", "error_description")).strip()
    todo = (
        "sign in again and put the new refresh_token into the account"
        if spent
        else "look at client_id, client_secret and scope of the account"
    )
    host = urllib.parse.urlsplit(url).hostname
    return f"no token for mail account {account!r}: {host} says {why[:200] or 'nothing'!r}; {todo}"
