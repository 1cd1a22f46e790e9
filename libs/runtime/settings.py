"""Settings: small frozen models, read once from the environment, every field documented."""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_FOLDER = Path(os.environ.get("CENTRALINO_SECRETS", "/run/secrets"))
_SECRETS = _FOLDER if _FOLDER.is_dir() else None
"""A file named like a variable, in small letters, sets it: what must not stand in the environment."""


class ServiceSettings(BaseSettings):
    """Base of a service's own knobs. A service sets `env_prefix` to `CENTRALINO_<SERVICE>_`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", secrets_dir=_SECRETS)


class PlatformSettings(BaseSettings):
    """What every process of the platform needs to know."""

    model_config = SettingsConfigDict(
        env_prefix="CENTRALINO_", frozen=True, extra="ignore", populate_by_name=True, secrets_dir=_SECRETS
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on")
    port: int = Field(default=8600, ge=0, le=65535, description="Port to listen on; 0 takes a free one")
    public_url: str = Field(
        default="", description="Address that customers see; by default the one listened on"
    )
    data: Path | None = Field(default=None, description="Folder for keys, blobs and the embedded database")
    database_url: str = Field(
        default="",
        validation_alias="DATABASE_URL",
        description="PostgreSQL 15 to 18 to use instead of the embedded one, postgresql://user:password@host/name",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level logged"
    )
    log_json: bool = Field(default=True, description="Log JSON lines; false for lines to read in a terminal")
    web_connections: int = Field(default=16, ge=2, le=200, description="Database connections for HTTP")
    stream_connections: int = Field(
        default=8, ge=1, le=200, description="Database connections for event processing"
    )
    lease_seconds: float = Field(
        default=5.0, gt=0.5, le=60, description="How long a partition stays with a process that has died"
    )
    drain_seconds: float = Field(
        default=4.0, gt=0, le=60, description="How long a stop waits for work at hand"
    )
    transport: Literal["postgres", "kafka"] = Field(
        default="postgres", description="What carries events between the services"
    )
    gateway_url: str = Field(
        default="",
        description="Address of the gateway, by which the services of other processes are reached; empty when all run in"
        " this process",
    )
    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092", description="Kafka's brokers as host:port, several with commas"
    )
    kafka_prefix: str = Field(
        default="",
        pattern=r"^[a-zA-Z0-9._-]{0,60}$",
        description="Before the name of every topic and group, so that installations can share a cluster",
    )
    kafka_replication: int = Field(
        default=1, ge=1, le=10, description="Copies of a topic that `topics apply` makes"
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="How the brokers are spoken to"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="PLAIN", description="How this process says who it is, with SASL"
    )
    kafka_username: str = Field(default="", description="User, with SASL")
    kafka_password: SecretStr = Field(default=SecretStr(""), description="Password, with SASL")
    kafka_ca_file: Path | None = Field(
        default=None, description="Certificates to trust, PEM; by default those of the system"
    )
    kafka_session_seconds: float = Field(
        default=10.0,
        ge=6,
        le=300,
        description="How long Kafka leaves partitions with a process that has died",
    )
    fsync: bool = Field(
        default=True, description="Embedded database only: false gives up safety for throw-away tests"
    )

    @property
    def distributed(self) -> bool:
        """Whether other processes work on the same database."""
        return self.transport == "kafka" or bool(self.gateway_url)


def describe(settings: BaseSettings) -> list[dict[str, Any]]:
    """Every field as name, environment variable, value and meaning; a password in a URL is not shown."""
    prefix = settings.model_config.get("env_prefix", "")
    rows = []
    for name, field in type(settings).model_fields.items():
        alias = field.validation_alias
        value = getattr(settings, name)
        if name.endswith("_url") and "@" in str(value):
            scheme, _, rest = str(value).partition("://")
            value = f"{scheme}://***@{rest.rpartition('@')[2]}"
        rows.append(
            {
                "name": name,
                "variable": alias if isinstance(alias, str) else f"{prefix}{name}".upper(),
                "value": value if isinstance(value, (int, float, bool, str)) else str(value),
                "meaning": field.description or "",
            }
        )
    return rows
