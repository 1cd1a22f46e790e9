"""The knobs of the survey service."""

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from libs.runtime.settings import ServiceSettings
from services.survey.domain.policy import Policy, QuietHours, zone_exists

_MINUTES = 60
_DAY = 86_400


class SurveySettings(ServiceSettings):
    """Read once, in `service.py`."""

    model_config = SettingsConfigDict(env_prefix="CENTRALINO_SURVEY_", frozen=True, extra="ignore")

    delay_seconds: float | None = Field(
        default=None,
        ge=0,
        le=30 * _DAY,
        description="From the resolution to the invitation, on every channel",
    )
    chat_delay_seconds: float = Field(
        default=10 * _MINUTES, ge=0, le=30 * _DAY, description="The same on chat, unless delay_seconds is set"
    )
    web_delay_seconds: float = Field(
        default=10 * _MINUTES, ge=0, le=30 * _DAY, description="The same on the web form"
    )
    api_delay_seconds: float = Field(
        default=10 * _MINUTES, ge=0, le=30 * _DAY, description="The same on the API"
    )
    mail_delay_seconds: float = Field(default=_DAY, ge=0, le=30 * _DAY, description="The same on mail")
    cap_days: float = Field(
        default=7, ge=0, le=365, description="A customer is asked at most once in so many days; 0 asks always"
    )
    window_days: float = Field(
        default=14, gt=0, le=365, description="How long an answer can be given and changed"
    )
    late_days: float = Field(
        default=30,
        ge=0,
        le=365,
        description="How long after that a first answer is still kept, marked late and counted in no figure;"
        " 0 refuses it",
    )
    default_language: str = Field(
        default="en", description="Language for customers whose own is not known or has no text"
    )
    quiet_from: str = Field(
        default="",
        pattern=r"^(|([01]\d|2[0-3]):[0-5]\d)$",
        description="Start of the quiet hours as HH:MM, when no invitation goes out; empty for none",
    )
    quiet_until: str = Field(
        default="",
        pattern=r"^(|([01]\d|2[0-3]):[0-5]\d)$",
        description="Their end as HH:MM, the next day if earlier",
    )
    quiet_zone: str = Field(default="UTC", description="Time zone of the quiet hours, such as Europe/Rome")
    posts_per_minute: int = Field(
        default=30, ge=1, le=6000, description="Answers taken through one link in a minute, by each process"
    )
    keys: SecretStr = Field(
        default=SecretStr(""),
        description="Keys of the links as ID:BASE64 (32 bytes or more), separated by commas, newest first;"
        " by default a file in the data folder",
    )

    @model_validator(mode="after")
    def _quiet_hours_make_sense(self) -> Self:
        if bool(self.quiet_from) != bool(self.quiet_until):
            raise ValueError("quiet_from and quiet_until go together")
        if self.quiet_from and self.quiet_from == self.quiet_until:
            raise ValueError("quiet_from and quiet_until are the same time: no hour would be left")
        if not zone_exists(self.quiet_zone):
            raise ValueError(f"no time zone is called {self.quiet_zone!r}")
        return self

    def policy(self) -> Policy:
        """The settings as the domain takes them."""
        by_channel = {
            "chat": self.chat_delay_seconds,
            "web": self.web_delay_seconds,
            "api": self.api_delay_seconds,
            "mail": self.mail_delay_seconds,
        }
        quiet = QuietHours(_minutes(self.quiet_from), _minutes(self.quiet_until), self.quiet_zone)
        return Policy(
            delays_ms={
                channel: round((own if self.delay_seconds is None else self.delay_seconds) * 1000)
                for channel, own in by_channel.items()
            },
            cap_ms=round(self.cap_days * _DAY * 1000),
            window_ms=round(self.window_days * _DAY * 1000),
            late_ms=round(self.late_days * _DAY * 1000),
            quiet=quiet if self.quiet_from else None,
        )


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:]) if text else 0
