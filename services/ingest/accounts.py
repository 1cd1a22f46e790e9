"""The accounts of channels: forms, widgets, mailboxes, numbers and pages by which customers come."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from services.ingest.account_parts import ImapBox, TemplateText
from services.ingest.domain.model import PROVIDED, ChannelName
from services.ingest.domain.ways import Sender, Senders

VISITED = frozenset({ChannelName.WEB, ChannelName.CHAT})
"""Channels whose customers sit before a page of the operator's."""
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?")


class ChannelAccount(BaseModel):
    """One account of a channel: a form, a chat widget, a mailbox, an integration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: ChannelName
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")] = "default"
    brand: str = ""
    address: str = ""
    """Mailbox answers are sent from; mail only."""
    language: str = ""
    """ISO 639-1, assumed of senders who say nothing; empty for none."""
    secret: SecretStr = SecretStr("")
    """Lets a mail server post to this account without a token; at least 16 characters, empty for none."""
    provider: str = ""
    """Who carries it, such as twilio-sms or whatsapp-cloud; for channels of a provider."""
    secrets: tuple[SecretStr, ...] = ()
    """That sign the provider's webhooks, of chat and web who a visitor is: the newest first, older ones hold until they
    are removed."""
    origins: tuple[str, ...] = ()
    """Sites that may show the widget of a chat or web account, such as https://shop.example; pages of the platform's own
    address always may."""
    token: SecretStr = SecretStr("")
    """For calls of the provider; of Twilio `ACCOUNT_SID:AUTH_TOKEN`."""
    sender: str = ""
    """Number, page id or phone number id that messages are sent from."""
    verify_token: SecretStr = SecretStr("")
    """Meta asks for it when a webhook is set up."""
    base_url: str = ""
    """In place of the provider's own address: a region of it, or a simulator."""
    rate_per_second: Annotated[float, Field(gt=0, le=10_000)] | None = None
    """What the provider takes at most; without it 10, of a mail server 100."""
    templates: tuple[TemplateText, ...] = ()
    """What may be sent by WhatsApp outside the 24 hours after a customer's message."""
    imap: ImapBox | None = None
    """Where its mails are fetched; mail only."""

    @model_validator(mode="after")
    def _check(self) -> "ChannelAccount":
        if self.channel == "mail" and not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", self.address):
            raise ValueError(f"mail account {self.id!r} needs an address such as support@example.org")
        if self.imap is not None and self.channel != "mail":
            raise ValueError(f"account {self.id!r} of channel {self.channel} is not read by imap; mail is")
        if (self.channel in PROVIDED) != bool(self.provider):
            raise ValueError(
                f"account {self.id!r} of channel {self.channel} "
                + ("names no provider" if not self.provider else "takes no provider")
            )
        if self.provider and not any(one.get_secret_value() for one in self.secrets):
            raise ValueError(
                f"account {self.id!r} of {self.provider} needs secrets, by which webhooks are checked"
            )
        if self.templates and self.channel != ChannelName.WHATSAPP:
            raise ValueError(
                f"account {self.id!r} of channel {self.channel} takes no templates; whatsapp does"
            )
        keys = [one.value.key for one in self.templates]
        if doubled := next((key for key in keys if keys.count(key) > 1), None):
            raise ValueError(f"account {self.id!r} declares template {doubled[0]!r} in {doubled[1]!r} twice")
        if lacking := [
            one.name
            for one in self.templates
            if bool(one.content_sid) != (self.provider == "twilio-whatsapp")
        ]:
            raise ValueError(
                f"template {lacking[0]!r} of account {self.id!r}: "
                + (
                    "give its content_sid"
                    if self.provider == "twilio-whatsapp"
                    else "content_sid is Twilio's"
                )
            )
        if odd := [one for one in self.origins if not _ORIGIN.fullmatch(one)]:
            raise ValueError(f"{odd[0]!r} is no origin such as https://shop.example or http://localhost:3000")
        if self.channel in VISITED and any(len(one.get_secret_value()) < 32 for one in self.secrets):
            raise ValueError(f"a secret of account {self.id!r} is shorter than 32 characters")
        if 0 < len(self.secret.get_secret_value()) < 16:
            raise ValueError(f"the secret of account {self.id!r} is shorter than 16 characters")
        return self

    @property
    def rate(self) -> float:
        """Messages a second at most."""
        return self.rate_per_second or (100.0 if self.channel == ChannelName.MAIL else 10.0)


DEFAULT_ACCOUNTS = (
    ChannelAccount(channel=ChannelName.WEB),
    ChannelAccount(channel=ChannelName.CHAT),
    ChannelAccount(channel=ChannelName.API),
    ChannelAccount(channel=ChannelName.MAIL, address="support@localhost.localdomain"),
)


class Accounts:
    """The accounts by channel and id."""

    def __init__(self, accounts: tuple[ChannelAccount, ...]) -> None:
        self._by_key: dict[tuple[str, str], ChannelAccount] = {
            (account.channel, account.id): account for account in accounts
        }
        self._by_provider = {(one.provider, one.id): one for one in accounts if one.provider}

    def find(self, channel: str, id_: str) -> ChannelAccount | None:
        """The account, or None."""
        return self._by_key.get((channel, id_))

    def of_provider(self, provider: str, id_: str) -> ChannelAccount | None:
        """The account of a provider, or None."""
        return self._by_provider.get((provider, id_))

    @property
    def senders(self) -> Senders:
        """What ways to a customer need of the accounts."""
        return Senders(
            [
                Sender(
                    one.channel,
                    one.id,
                    tuple(template.value for template in one.templates),
                    plus=one.provider != "whatsapp-cloud",
                )
                for one in self._by_key.values()
            ]
        )

    @property
    def all(self) -> tuple[ChannelAccount, ...]:
        """Every account."""
        return tuple(self._by_key.values())

    def mail_address(self, id_: str) -> str:
        """The mailbox of a mail account, or empty."""
        account = self.find("mail", id_)
        return account.address if account else ""
