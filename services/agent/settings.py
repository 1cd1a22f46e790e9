"""The knobs of the agent service."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from libs.runtime.settings import ServiceSettings


class AgentSettings(ServiceSettings):
    """Read once, in `service.py`."""

    model_config = SettingsConfigDict(env_prefix="CENTRALINO_AGENT_", frozen=True, extra="ignore")

    session_hours: int = Field(default=12, ge=1, le=168, description="How long a sign-in lasts")
    notices_file: Path | None = Field(
        default=None,
        description="A YAML file with texts of your own in place of ours, by language and name; an empty text is not sent",
    )
    notices_most: int = Field(
        default=4,
        ge=0,
        le=100,
        description="How many notices a customer gets by themselves in one conversation; 0 = none",
    )
    default_language: str = Field(
        default="en", description="Language of notices to customers whose own is not known or has no texts"
    )
    key_hours: int = Field(default=48, ge=1, le=720, description="How long idempotency keys are remembered")
