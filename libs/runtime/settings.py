"""Settings: small frozen models, read once from the environment, every field documented."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Base of a service's own knobs. A service sets `env_prefix` to `CENTRALINO_<SERVICE>_`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")


class PlatformSettings(BaseSettings):
    """What every process of the platform needs to know."""

    model_config = SettingsConfigDict(
        env_prefix="CENTRALINO_", frozen=True, extra="ignore", populate_by_name=True
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
    fsync: bool = Field(
        default=True, description="Embedded database only: false gives up safety for throw-away tests"
    )


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
