"""The knobs of triage."""

from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from libs.runtime import ServiceSettings


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
        description="Whether the sentence encoder may be loaded; without it only the same words count as corrected",
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

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError) as error:
            raise ValueError(f"{value!r} is no time zone such as Europe/Rome") from error
        return value
