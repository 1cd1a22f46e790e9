from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class SurveyRequested(_message.Message):
    __slots__ = ("invitation_id", "conversation_id", "episode", "customer_id", "channel", "language", "requested_at_ms", "expires_at_ms", "text")
    INVITATION_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    invitation_id: str
    conversation_id: str
    episode: int
    customer_id: str
    channel: str
    language: str
    requested_at_ms: int
    expires_at_ms: int
    text: str
    def __init__(self, invitation_id: _Optional[str] = ..., conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., customer_id: _Optional[str] = ..., channel: _Optional[str] = ..., language: _Optional[str] = ..., requested_at_ms: _Optional[int] = ..., expires_at_ms: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class SurveyAnswered(_message.Message):
    __slots__ = ("invitation_id", "conversation_id", "episode", "score", "scale_max", "comment", "revision", "answered_at_ms", "language")
    INVITATION_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SCALE_MAX_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    invitation_id: str
    conversation_id: str
    episode: int
    score: int
    scale_max: int
    comment: str
    revision: int
    answered_at_ms: int
    language: str
    def __init__(self, invitation_id: _Optional[str] = ..., conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., score: _Optional[int] = ..., scale_max: _Optional[int] = ..., comment: _Optional[str] = ..., revision: _Optional[int] = ..., answered_at_ms: _Optional[int] = ..., language: _Optional[str] = ...) -> None: ...

class SurveyExpired(_message.Message):
    __slots__ = ("invitation_id", "conversation_id", "episode", "expired_at_ms")
    INVITATION_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    invitation_id: str
    conversation_id: str
    episode: int
    expired_at_ms: int
    def __init__(self, invitation_id: _Optional[str] = ..., conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., expired_at_ms: _Optional[int] = ...) -> None: ...

class SurveyCancelled(_message.Message):
    __slots__ = ("invitation_id", "conversation_id", "episode", "reason", "cancelled_at_ms")
    INVITATION_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    invitation_id: str
    conversation_id: str
    episode: int
    reason: str
    cancelled_at_ms: int
    def __init__(self, invitation_id: _Optional[str] = ..., conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., reason: _Optional[str] = ..., cancelled_at_ms: _Optional[int] = ...) -> None: ...
