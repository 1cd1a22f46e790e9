"""Bodies of the drift routes."""

from pydantic import BaseModel, ConfigDict, Field

from services.triage.api.schemas import Instant
from services.triage.domain.drift import SignalName, State


class MoveOut(BaseModel):
    """One value whose share is another than before."""

    value: str = Field(
        description="A topic, a language, a tenth of confidence such as 0.4; `(rare)` are all too rare to judge"
    )
    before: float = Field(description="Share of the baseline, 0 to 1")
    now: float
    part: float = Field(description="Its part of the index")


class MoveWithExamples(MoveOut):
    """The same, with conversations to read."""

    conversations: list[str] = Field(description="The newest of a value whose share has grown")


class SignalDrift(BaseModel):
    """One signal."""

    signal: SignalName
    state: State = Field(
        description="learning: fewer than seven days to compare with; few: too little came in the window"
    )
    index: float = Field(description="Population stability index, without what chance explains")
    needed: float = Field(description="From which index it is drift")
    p_value: float = Field(description="How often chance alone reaches the index")
    days: int
    conversations_before: int
    conversations_now: int
    moves: list[MoveOut]
    alarm_id: str | None = Field(description="The alarm that is open")


class DriftOut(BaseModel):
    """The window of 24 hours against the days before it."""

    as_of: Instant
    window_from: Instant
    signals: list[SignalDrift]


class AlarmOut(BaseModel):
    """One time at which a signal was not as before, with its evidence of the newest look."""

    model_config = ConfigDict(protected_namespaces=())

    alarm_id: str
    signal: SignalName
    opened_at: Instant
    seen_at: Instant
    closed_at: Instant | None
    accepted_by: str = Field(description="Who said that this is how it is from now on, or empty")
    index: float
    needed: float
    p_value: float
    days: int
    conversations_before: int
    conversations_now: int
    moves: list[MoveWithExamples]
    model_before: str = Field(description="Version of the model before the window")
    model_now: str = Field(description="Another one than before is what may have changed")
