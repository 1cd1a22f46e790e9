"""Bodies of the routes over rules."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.triage.api.schemas import ChannelWord, DecisionOut, Instant

_RULES = "A list of {name, when, then}; docs/triage.md has every field"


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RulesIn(_In):
    """All rules, in the order in which they are tried."""

    rules: list[dict[str, Any]] = Field(max_length=500, description=_RULES)
    note: str = Field(default="", max_length=500, description="Why; it is kept with the version")


class RulesOut(BaseModel):
    """The rules of one version."""

    version: str
    rules: list[dict[str, Any]] = Field(description=_RULES)


class ChangesOut(BaseModel):
    """Names of rules, against the version before."""

    added: list[str]
    removed: list[str]
    changed: list[str]
    moved: list[str]


class VersionOut(BaseModel):
    """One version of the rules."""

    version: str
    author: str
    note: str
    put_at: Instant
    changes: ChangesOut


class DryRunIn(_In):
    """Rules to try on conversations that were decided before."""

    rules: list[dict[str, Any]] = Field(max_length=500, description=_RULES)
    last: int = Field(default=200, ge=1, le=1000, description="How many conversations, the newest")
    examples: int = Field(default=50, ge=0, le=1000, description="How many of the changed ones are listed")


class FieldChange(BaseModel):
    """One field that would be set in another way."""

    old: int | str | list[str]
    new: int | str | list[str]
    by: list[str] = Field(description="The rules that would set it; none when it would be left")


class ChangedOut(BaseModel):
    """A conversation that would be treated in another way."""

    conversation_id: str
    message_seq: int
    fields: dict[str, FieldChange]


class DryRunOut(BaseModel):
    """What other rules would change."""

    against: str = Field(description="The version in force")
    conversations: int
    changed: int
    fields: dict[str, int] = Field(description="Of how many conversations each field would change")
    set_something: dict[str, int] = Field(
        description="By rule: of how many conversations it would set a field"
    )
    examples: list[ChangedOut]


class FactsIn(_In):
    """What is taken as known beside the text."""

    channel: ChannelWord = ""
    account: str = Field(default="", max_length=200)
    tier: str = Field(default="", max_length=64)
    attributes: dict[str, str] = Field(default={}, max_length=50)
    contacts_this_week: int = Field(default=1, ge=1, le=1000)
    message_number: int = Field(default=1, ge=1, le=10_000)
    hour: float = Field(default=12.0, ge=0, lt=24)
    weekday: int = Field(default=0, ge=0, le=6, description="0 is Monday")
    earlier_mood: Literal["", "neutral", "angry", "disappointed", "happy"] = ""
    earlier_strength: float = Field(default=0.0, ge=0, le=1)


class TestIn(_In):
    """One text to try rules on. Nothing of it is kept."""

    text: str = Field(max_length=65_536)
    subject: str = Field(default="", max_length=1_000)
    facts: FactsIn = FactsIn()
    rules: list[dict[str, Any]] | None = Field(
        default=None, max_length=500, description=f"{_RULES}; without them those in force"
    )


class TriedOut(BaseModel):
    """What became of one rule."""

    rule: str
    matched: bool
    failed: str = Field(description="The first condition that did not hold, or empty")
    seen: str = Field(description="What that condition met")


class SetBy(BaseModel):
    """Which rule set which field."""

    field: str
    rule: str


class TestOut(BaseModel):
    """The decision, the facts that were compared, and every rule in order."""

    decision: DecisionOut
    facts: dict[str, float | str | list[str]]
    rules: list[TriedOut]
    set_by: list[SetBy]
