"""The knobs of ingest."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from libs.runtime import ServiceSettings
from services.ingest.account_parts import WebhookTarget, check_secrets, known_zone
from services.ingest.accounts import DEFAULT_ACCOUNTS, ChannelAccount

DAY_MS = 86_400_000


class IngestSettings(ServiceSettings):
    """Read once from the environment, prefix CENTRALINO_INGEST_."""

    model_config = SettingsConfigDict(env_prefix="CENTRALINO_INGEST_", frozen=True, extra="ignore")

    accounts: tuple[ChannelAccount, ...] = Field(
        default=DEFAULT_ACCOUNTS,
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
