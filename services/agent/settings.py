"""The knobs of the agent service."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from libs.runtime.settings import ServiceSettings


class AgentSettings(ServiceSettings):
    """Read once, in `service.py`."""

    model_config = SettingsConfigDict(env_prefix="CENTRALINO_AGENT_", frozen=True, extra="ignore")

    session_hours: int = Field(default=12, ge=1, le=168, description="How long a sign-in lasts")
    key_hours: int = Field(default=48, ge=1, le=720, description="How long idempotency keys are remembered")
