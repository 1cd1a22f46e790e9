from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SurveyState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SURVEY_STATE_UNSPECIFIED: _ClassVar[SurveyState]
    SURVEY_STATE_PENDING: _ClassVar[SurveyState]
    SURVEY_STATE_REQUESTED: _ClassVar[SurveyState]
    SURVEY_STATE_ANSWERED: _ClassVar[SurveyState]
    SURVEY_STATE_EXPIRED: _ClassVar[SurveyState]
    SURVEY_STATE_CANCELLED: _ClassVar[SurveyState]
SURVEY_STATE_UNSPECIFIED: SurveyState
SURVEY_STATE_PENDING: SurveyState
SURVEY_STATE_REQUESTED: SurveyState
SURVEY_STATE_ANSWERED: SurveyState
SURVEY_STATE_EXPIRED: SurveyState
SURVEY_STATE_CANCELLED: SurveyState

class ClockResult(_message.Message):
    __slots__ = ("metric", "state", "due_at_ms", "elapsed_ms")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_MS_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_MS_FIELD_NUMBER: _ClassVar[int]
    metric: str
    state: str
    due_at_ms: int
    elapsed_ms: int
    def __init__(self, metric: _Optional[str] = ..., state: _Optional[str] = ..., due_at_ms: _Optional[int] = ..., elapsed_ms: _Optional[int] = ...) -> None: ...

class ConversationOutcome(_message.Message):
    __slots__ = ("episode_id", "revision", "final", "revision_cause", "conversation_id", "episode", "case_reference", "customer_id", "channel", "language", "topic", "team_id", "resolved_by", "agent_ids", "resolution", "opened_at_ms", "first_reply_at_ms", "resolved_at_ms", "wait_ms", "first_response_ms", "resolution_ms", "customer_messages", "agent_replies", "transfers", "offers", "offers_missed", "clocks", "survey", "survey_cancel_reason", "csat_score", "csat_answered_at_ms", "reopened", "first_seq", "through_seq", "anger", "urgency", "published_at_ms", "pending_ms", "on_hold_ms")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    REVISION_CAUSE_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    CASE_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    TEAM_ID_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_BY_FIELD_NUMBER: _ClassVar[int]
    AGENT_IDS_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    FIRST_REPLY_AT_MS_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    FIRST_RESPONSE_MS_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_MS_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    AGENT_REPLIES_FIELD_NUMBER: _ClassVar[int]
    TRANSFERS_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    OFFERS_MISSED_FIELD_NUMBER: _ClassVar[int]
    CLOCKS_FIELD_NUMBER: _ClassVar[int]
    SURVEY_FIELD_NUMBER: _ClassVar[int]
    SURVEY_CANCEL_REASON_FIELD_NUMBER: _ClassVar[int]
    CSAT_SCORE_FIELD_NUMBER: _ClassVar[int]
    CSAT_ANSWERED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    REOPENED_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    THROUGH_SEQ_FIELD_NUMBER: _ClassVar[int]
    ANGER_FIELD_NUMBER: _ClassVar[int]
    URGENCY_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    PENDING_MS_FIELD_NUMBER: _ClassVar[int]
    ON_HOLD_MS_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    revision: int
    final: bool
    revision_cause: str
    conversation_id: str
    episode: int
    case_reference: str
    customer_id: str
    channel: str
    language: str
    topic: str
    team_id: str
    resolved_by: str
    agent_ids: _containers.RepeatedScalarFieldContainer[str]
    resolution: str
    opened_at_ms: int
    first_reply_at_ms: int
    resolved_at_ms: int
    wait_ms: int
    first_response_ms: int
    resolution_ms: int
    customer_messages: int
    agent_replies: int
    transfers: int
    offers: int
    offers_missed: int
    clocks: _containers.RepeatedCompositeFieldContainer[ClockResult]
    survey: SurveyState
    survey_cancel_reason: str
    csat_score: int
    csat_answered_at_ms: int
    reopened: bool
    first_seq: int
    through_seq: int
    anger: float
    urgency: str
    published_at_ms: int
    pending_ms: int
    on_hold_ms: int
    def __init__(self, episode_id: _Optional[str] = ..., revision: _Optional[int] = ..., final: _Optional[bool] = ..., revision_cause: _Optional[str] = ..., conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., case_reference: _Optional[str] = ..., customer_id: _Optional[str] = ..., channel: _Optional[str] = ..., language: _Optional[str] = ..., topic: _Optional[str] = ..., team_id: _Optional[str] = ..., resolved_by: _Optional[str] = ..., agent_ids: _Optional[_Iterable[str]] = ..., resolution: _Optional[str] = ..., opened_at_ms: _Optional[int] = ..., first_reply_at_ms: _Optional[int] = ..., resolved_at_ms: _Optional[int] = ..., wait_ms: _Optional[int] = ..., first_response_ms: _Optional[int] = ..., resolution_ms: _Optional[int] = ..., customer_messages: _Optional[int] = ..., agent_replies: _Optional[int] = ..., transfers: _Optional[int] = ..., offers: _Optional[int] = ..., offers_missed: _Optional[int] = ..., clocks: _Optional[_Iterable[_Union[ClockResult, _Mapping]]] = ..., survey: _Optional[_Union[SurveyState, str]] = ..., survey_cancel_reason: _Optional[str] = ..., csat_score: _Optional[int] = ..., csat_answered_at_ms: _Optional[int] = ..., reopened: _Optional[bool] = ..., first_seq: _Optional[int] = ..., through_seq: _Optional[int] = ..., anger: _Optional[float] = ..., urgency: _Optional[str] = ..., published_at_ms: _Optional[int] = ..., pending_ms: _Optional[int] = ..., on_hold_ms: _Optional[int] = ...) -> None: ...
