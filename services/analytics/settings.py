"""The knobs of analytics."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from libs.runtime import ServiceSettings

DAY_MS = 86_400_000


class AnalyticsSettings(ServiceSettings):
    """Read from CENTRALINO_ANALYTICS_*."""

    model_config = SettingsConfigDict(env_prefix="CENTRALINO_ANALYTICS_", frozen=True, extra="ignore")

    settle_ms: int = Field(
        default=500,
        ge=0,
        le=600_000,
        description="How long after a resolution, or a late fact, the outcome waits for facts of other topics",
    )
    settle_patience: int = Field(
        default=8,
        ge=0,
        le=1000,
        description="How many times a first outcome waits on while a clock of the ended episode still runs",
    )
    reopen_window_days: float = Field(
        default=7.0,
        gt=0,
        le=90,
        description="How long a resolved episode may be reopened; an outcome is final only after it",
    )
    smallest_n: int = Field(
        default=5, ge=1, le=1000, description="Satisfaction of fewer answers is not shown unless asked for"
    )
    exact_rows: int = Field(
        default=100_000,
        ge=1,
        le=10_000_000,
        description="Up to so many values percentiles are exact; above, from histograms with 2 % wide buckets",
    )
    feed_days: float = Field(
        default=30.0,
        ge=1,
        description="How long superseded revisions stay in the feed; the newest of each episode stays for ever",
    )
    facts_days: float = Field(
        default=30.0,
        ge=1,
        description="How long the facts of a conversation stay after its last outcome became final",
    )

    @property
    def reopen_window_ms(self) -> int:
        """The window in milliseconds."""
        return int(self.reopen_window_days * DAY_MS)
