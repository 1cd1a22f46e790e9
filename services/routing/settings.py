"""The knobs of the routing service."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from libs.runtime.settings import ServiceSettings


class RoutingSettings(ServiceSettings):
    """Read once, in `service.py`."""

    model_config = SettingsConfigDict(env_prefix="CENTRALINO_ROUTING_", frozen=True, extra="ignore")

    pool: str = Field(default="default", min_length=1, description="The pool of this deployment")
    lease_seconds: float = Field(
        default=60.0, gt=0, le=3600, description="An agent without a heartbeat for so long is offline"
    )
    answer_seconds: float = Field(
        default=2.0, gt=0, le=30, description="How long a POST waits for its command before it answers 202"
    )
    feed_hours: int = Field(default=24, ge=1, le=168, description="How long the feed can be resumed")
    result_hours: int = Field(
        default=48, ge=1, le=720, description="How long answers of commands and keys are remembered"
    )
    predict_seconds: float = Field(
        default=20.0,
        ge=0,
        le=3600,
        description="How often customers who wait are told their place; 0 = never",
    )
    predict_after_seconds: float = Field(
        default=15.0, ge=0, le=3600, description="Who has waited less is not told yet"
    )
    audit_days: int = Field(default=400, ge=1, le=4000, description="How long the audit is kept")
    decision_days: int = Field(default=35, ge=1, le=400, description="How long explanations are kept")
    shadow_days: int = Field(
        default=14, ge=1, le=400, description="How long differences of a shadow are kept"
    )
    snapshot_hours: int = Field(
        default=24, ge=0, le=720, description="How often each pool is copied for replays; 0 = never"
    )
    snapshot_days: int = Field(default=35, ge=1, le=400, description="How long these copies are kept")
    snapshot_closed_days: int = Field(
        default=8,
        ge=0,
        le=400,
        description="Conversations closed so lately are in the copy: they may be reopened in what is replayed",
    )
