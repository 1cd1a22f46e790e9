"""Credentials of accounts: plain in the environment, or sealed in a file, under keys that can be changed."""

import base64
import json
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr, ValidationError

from services.ingest.account_parts import ImapBox
from services.ingest.accounts import ChannelAccount
from services.ingest.adapters.channels.port import Credentials
from services.ingest.adapters.keys import SealBroken, Sealer

_SEALED: Final = "sealed:"
_ROW: Final = "account credential"
_SECRET_FIELDS: Final = ("secret", "token", "verify_token")


class AccountsFileError(ValueError):
    """The file of accounts cannot be used; the text says where, what was seen and what to do."""


def seal_text(sealer: Sealer, text: str) -> str:
    """A credential as it may stand in a file: `sealed:KEY:BASE64`."""
    return f"{_SEALED}{sealer.key_id}:{base64.b64encode(sealer.seal(text.encode(), _ROW)).decode()}"


def open_text(sealer: Sealer, text: str) -> str:
    """The credential; a text that is not sealed is one itself. Raises SealBroken."""
    if not text.startswith(_SEALED):
        return text
    _, key_id, sealed = (*text.split(":", 2), "", "")[:3]
    try:
        data = base64.b64decode(sealed, validate=True)
    except ValueError:
        raise SealBroken("a sealed credential is no base64; seal it again") from None
    return sealer.open(data, _ROW, key_id).decode()


def revealed(sealer: Sealer, account: ChannelAccount) -> Credentials:
    """What an account has of its provider. Raises SealBroken."""
    return Credentials(
        secrets=tuple(open_text(sealer, one.get_secret_value()) for one in account.secrets),
        token=open_text(sealer, account.token.get_secret_value()),
        sender=account.sender,
        verify_token=open_text(sealer, account.verify_token.get_secret_value()),
        base_url=account.base_url.rstrip("/"),
    )


def opened(sealer: Sealer, box: ImapBox) -> ImapBox:
    """The mailbox with its credentials in plain text. Raises SealBroken."""

    def plain(secret: SecretStr) -> SecretStr:
        return SecretStr(open_text(sealer, secret.get_secret_value()))

    oauth = box.oauth and box.oauth.model_copy(
        update={
            "client_secret": plain(box.oauth.client_secret),
            "refresh_token": plain(box.oauth.refresh_token),
        }
    )
    return box.model_copy(update={"password": plain(box.password), "oauth": oauth})


def read_accounts(path: Path) -> tuple[ChannelAccount, ...]:
    """The accounts of a file. Raises AccountsFileError."""
    try:
        return tuple(ChannelAccount.model_validate(one) for one in _document(path))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
        raise AccountsFileError(f"{path} holds an account that cannot be used: {faults}") from None


def _document(path: Path) -> list[dict[str, Any]]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AccountsFileError(f"{path} cannot be read as a JSON list of accounts: {error}") from None
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise AccountsFileError(f"{path} holds no JSON list of accounts")
    return value


def reseal_file(path: Path, sealer: Sealer) -> int:
    """Seals every credential of a file with the newest key, plain ones too, in one step. Returns how many there are.

    Raises AccountsFileError, SealBroken.
    """
    document, count = _document(path), 0
    for account in document:
        for name in _SECRET_FIELDS:
            if account.get(name):
                account[name] = seal_text(sealer, open_text(sealer, str(account[name])))
                count += 1
        box = account.get("imap") or {}
        for part, name in (
            (box, "password"),
            (box.get("oauth") or {}, "client_secret"),
            (box.get("oauth") or {}, "refresh_token"),
        ):
            if part.get(name):
                part[name] = seal_text(sealer, open_text(sealer, str(part[name])))
                count += 1
        if account.get("secrets"):
            account["secrets"] = [
                seal_text(sealer, open_text(sealer, str(one))) for one in account["secrets"]
            ]
            count += len(account["secrets"])
    written = path.with_name(path.name + ".new")
    written.touch(mode=0o600)
    written.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    written.replace(path)
    return count
