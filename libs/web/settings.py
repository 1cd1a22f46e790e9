"""The knobs of every service's HTTP side."""

from pydantic import BaseModel, ConfigDict, Field


class WebSettings(BaseModel):
    """How one service answers HTTP. Frozen: read once, in the service's composition root."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_body_bytes: int = Field(
        default=1_048_576, ge=1024, description="Largest body, where a route says no other"
    )
    docs: bool = Field(default=True, description="Serve the API page at /docs")
    access_log: bool = Field(
        default=False, description="One log line per request (method, route, status, ms)"
    )
    cors_origins: tuple[str, ...] = Field(
        default=(), description="Origins whose pages may call the API, such as an own agent front-end"
    )
    readiness_timeout_s: float = Field(
        default=3.0, gt=0, le=30, description="How long /readyz waits for its checks"
    )
