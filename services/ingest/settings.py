"""The knobs of ingest."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from libs.runtime import ServiceSettings
from services.ingest.account_parts import ImapBox, TemplateText, WebhookTarget, check_secrets, known_zone
from services.ingest.domain.model import PROVIDED, ChannelName
from services.ingest.domain.ways import Sender, Senders

DAY_MS = 86_400_000
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


_DEFAULT_ACCOUNTS = (
    ChannelAccount(channel=ChannelName.WEB),
    ChannelAccount(channel=ChannelName.CHAT),
    ChannelAccount(channel=ChannelName.API),
    ChannelAccount(channel=ChannelName.MAIL, address="support@localhost.localdomain"),
)


class IngestSettings(ServiceSettings):
    """Read once from the environment, prefix CENTRALINO_INGEST_."""

    model_config = SettingsConfigDict(env_prefix="CENTRALINO_INGEST_", frozen=True, extra="ignore")

    accounts: tuple[ChannelAccount, ...] = Field(
        default=_DEFAULT_ACCOUNTS,
        description="Channel accounts as a JSON list of {channel, id, brand, address, language, secret}",
    )
    accounts_file: Path | None = Field(
        default=None, description="A JSON file with more accounts, whose credentials may be sealed"
    )
    providers: tuple[Path, ...] = Field(
        default=(), description="YAML files that declare more providers, as a JSON list of paths"
    )
    outgoing_allowed: tuple[str, ...] = Field(
        default=(),
        description="Networks inside that providers may be called at, such as 10.1.0.0/16, as a JSON list",
    )
    raw_key: SecretStr = Field(
        default=SecretStr(""),
        description="Base64 keys of 32 bytes for raw payloads, separated by commas, the newest first;"
        " empty for the key file in the data folder",
    )
    signing_key: SecretStr = Field(
        default=SecretStr(""),
        description="Base64 key of 32 bytes for receipts and mail ids; empty for the key file",
    )
    most_pending: int = Field(
        default=10_000, ge=1, description="Messages that may wait for a shared commit before 503 is answered"
    )
    group_rows: int = Field(default=256, ge=1, le=5000, description="Messages in one shared commit at most")
    most_wait_s: float = Field(default=10, gt=0, le=60, description="Longest `Prefer: wait`")
    reopen_window_days: float = Field(
        default=7, ge=0, description="A later message begins a new, linked conversation"
    )
    raw_retention_days: float = Field(default=7, gt=0, description="How long raw payloads are kept")
    attachments_in: Literal["folder", "database", "s3"] = Field(
        default="folder",
        description="Where files of customers are kept: the data folder, the database when processes share none, or a"
        " bucket of S3",
    )
    s3_endpoint: str = Field(
        default="",
        description="Address of S3 or what speaks as it does, such as https://s3.eu-south-1.amazonaws.com",
    )
    s3_bucket: str = Field(default="", description="The bucket, made beforehand")
    s3_region: str = Field(default="us-east-1", description="Its region")
    s3_prefix: str = Field(default="attachments", description="Folder in the bucket")
    s3_key_id: str = Field(default="", description="Access key that may put, get, list and delete there")
    s3_secret: SecretStr = Field(default=SecretStr(""), description="Its secret")
    attachment_retention_days: float = Field(default=730, gt=0, description="How long they are kept")
    most_attachment_mb: float = Field(
        default=25, gt=0, le=1000, description="Largest file that is fetched from a provider"
    )
    key_retention_days: float = Field(default=90, gt=0, description="How long repeats are recognised")
    visitor_token_days: float = Field(default=30, gt=0, description="Life of a visitor's token")
    visitor_messages_per_minute: int = Field(
        default=20, ge=1, description="Messages of one visitor of the widget, by each process"
    )
    visitor_file_mb: float = Field(
        default=10, gt=0, le=1000, description="Largest file that a visitor of the widget can send"
    )
    visitor_files_per_minute: int = Field(
        default=10, ge=1, description="Files of one visitor of the widget, by each process"
    )
    address_requests_per_minute: int = Field(
        default=600, ge=1, description="Requests of widgets from one network address, by each process"
    )
    proxies: tuple[str, ...] = Field(
        default=("127.0.0.0/8", "::1/128"),
        description="Networks of gateways, whose X-Forwarded-For says from where a visitor comes, as a JSON list",
    )
    outreach_zone: str = Field(
        default="UTC",
        description="Zone of customers whose event names none, such as Europe/Rome: for quiet hours",
    )
    smtp_host: str = Field(
        default="", description="Server that takes mail; without one deliveries by mail fail"
    )
    smtp_port: int = Field(default=25, ge=1, le=65535, description="Its port")
    smtp_tls: Literal["none", "starttls", "tls"] = Field(default="none", description="How it is reached")
    smtp_user: str = Field(default="", description="Name to sign in with; empty for none")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="Its password")
    smtp_timeout_s: float = Field(default=20, gt=0, le=300, description="Longest wait for one mail")
    mail_in_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port of the mail server within, to which a server nearby hands mails on; none without it",
    )
    mail_in_host: str = Field(default="127.0.0.1", description="Address it listens on")
    mail_in_protocol: Literal["smtp", "lmtp"] = Field(default="smtp", description="What it speaks")
    mail_in_certificate: Path | None = Field(
        default=None, description="PEM file of its certificate; with it STARTTLS is offered"
    )
    mail_in_private_key: Path | None = Field(
        default=None, description="PEM file of the key; none if the certificate's file holds it"
    )
    mail_in_require_tls: bool = Field(default=False, description="Take no mail without STARTTLS")
    mail_in_connections: int = Field(default=20, ge=1, le=1000, description="Connections at one time")
    webhooks: tuple[WebhookTarget, ...] = Field(
        default=(), description="Who is told of events, as a JSON list of {id, url, secrets, events}"
    )
    webhook_attempts: int = Field(
        default=80, ge=1, description="Attempts before a webhook has failed: 80 are three days"
    )
    context_hook_url: str = Field(
        default="", description="Your system that is asked about customers, by GET; empty for none"
    )
    context_hook_secrets: tuple[SecretStr, ...] = Field(
        default=(), description="That sign what it is asked, as of webhooks, as a JSON list, the newest first"
    )
    context_hook_ms: int = Field(default=300, ge=10, le=5000, description="How long it may take")
    context_hook_cache_s: float = Field(default=60, ge=0, description="How long an answer is kept")
    imap_poll_s: float = Field(
        default=30,
        gt=0,
        le=1500,
        description="Look into mailboxes this often when the server cannot tell news",
    )
    auto_replies_per_day: int = Field(
        default=10, ge=1, description="Answers by machine to one sender in a day: more could be a loop"
    )
    delivery_attempts: int = Field(default=10, ge=1, description="Attempts before a delivery has failed")
    delivery_first_backoff_ms: int = Field(
        default=5_000, ge=1, description="Pause after the first failure; it doubles up to an hour"
    )
    delivery_lease_ms: int = Field(
        default=120_000, ge=1_000, description="An attempt not ended by then is taken for crashed"
    )
    delivery_poll_ms: int = Field(default=1_000, ge=10, description="Look for due deliveries this often")

    @field_validator("outreach_zone")
    @classmethod
    def _check_zone(cls, zone: str) -> str:
        return known_zone(zone)

    @model_validator(mode="after")
    def _check_context_hook(self) -> "IngestSettings":
        check_secrets("the context hook", self.context_hook_secrets)
        if self.context_hook_url and not self.context_hook_secrets:
            raise ValueError("context_hook_url needs context_hook_secrets: what is asked is signed")
        return self

    @model_validator(mode="after")
    def _check_mail_in(self) -> "IngestSettings":
        if self.mail_in_certificate is None and (self.mail_in_require_tls or self.mail_in_private_key):
            raise ValueError("mail_in_require_tls and mail_in_private_key need mail_in_certificate")
        return self

    @model_validator(mode="after")
    def _check_accounts(self) -> "IngestSettings":
        keys = [(str(account.channel), account.id) for account in self.accounts]
        keys += [("webhooks", one.id) for one in self.webhooks]
        doubled = {key for key in keys if keys.count(key) > 1}
        if doubled:
            raise ValueError(f"accounts named twice: {sorted(doubled)}")
        return self

    @property
    def reopen_window_ms(self) -> int:
        """The reopen window in milliseconds."""
        return int(self.reopen_window_days * DAY_MS)


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
