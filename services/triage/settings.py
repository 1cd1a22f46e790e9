"""The knobs of triage."""

from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from libs.runtime import ServiceSettings
from libs.web import OutgoingRefused, check_target, parse_networks


class TriageSettings(ServiceSettings):
    """Read once, in `service.py`."""

    model_config = SettingsConfigDict(
        env_prefix="CENTRALINO_TRIAGE_", frozen=True, extra="ignore", protected_namespaces=()
    )

    workers: int = Field(
        default=0, ge=0, le=256, description="Classification processes; 0 takes the number of cores less one"
    )
    taxonomy: Path | None = Field(
        default=None,
        description="Topics, thresholds and rules; by default the file beside the model, else the service's own",
    )
    model: Path | None = Field(
        default=None,
        description="Folder of a model, or of the versions of `centralino train`; by default the service's own",
    )
    encoder: bool = Field(
        default=True,
        description="Whether the sentence encoder may be loaded; without it words alone decide, and only the same words"
        " count as corrected",
    )
    time_zone: str = Field(
        default="UTC", description="Zone of the hours and weekdays that rules ask for, such as Europe/Rome"
    )
    drift_index: float = Field(
        default=0.1,
        gt=0,
        le=10,
        description="Population stability index, without what chance explains, from which a change of topics, confidence or "
        "languages is told; 0.25 is a large change",
    )
    decision_days: float = Field(
        default=90.0,
        gt=0,
        description="How long decisions stay to be looked at; their words are the customers'",
    )

    endpoint_url: str = Field(
        default="",
        max_length=2_000,
        description="Base address of an endpoint of the OpenAI shape, such as https://host/v1: a second opinion about topics"
        " that the model does not name. Empty: nothing leaves this machine",
    )
    endpoint_model: str = Field(default="", max_length=200, description="The model to ask it for")
    endpoint_key: SecretStr = Field(default=SecretStr(""), description="Its key, sent as a bearer token")
    endpoint_allowed: tuple[str, ...] = Field(
        default=(),
        description="Networks inside that it may be in, such as 10.1.0.0/16, as a JSON list",
    )
    endpoint_seconds: float = Field(
        default=1.5, gt=0, le=10, description="Longest wait for it; a batch of messages waits as long"
    )
    endpoint_daily: int = Field(
        default=1_000, ge=0, le=10_000_000, description="Questions a day (UTC) of all processes together"
    )

    @model_validator(mode="after")
    def _whole_endpoint(self) -> "TriageSettings":
        if self.endpoint_url:
            try:
                check_target(self.endpoint_url)
                parse_networks(self.endpoint_allowed)
            except (OutgoingRefused, ValueError) as error:
                raise ValueError(f"endpoint_url: {error}") from None
            if not self.endpoint_model:
                raise ValueError("endpoint_url is set and endpoint_model is not: which model is to be asked?")
            if self.endpoint_url.startswith("http://") and not self.endpoint_allowed:
                raise ValueError(
                    "endpoint_url begins with http://, so texts and the key would go unencrypted: use https://, or for an"
                    " address inside name its network in endpoint_allowed"
                )
        return self

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError) as error:
            raise ValueError(f"{value!r} is no time zone such as Europe/Rome") from error
        return value
