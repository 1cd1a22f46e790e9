from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATUS_UNSPECIFIED: _ClassVar[Status]
    STATUS_OPEN: _ClassVar[Status]
    STATUS_PENDING_CUSTOMER: _ClassVar[Status]
    STATUS_ON_HOLD: _ClassVar[Status]
    STATUS_SNOOZED: _ClassVar[Status]
    STATUS_RESOLVED: _ClassVar[Status]

class EpisodeCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EPISODE_CAUSE_UNSPECIFIED: _ClassVar[EpisodeCause]
    EPISODE_CAUSE_FIRST_MESSAGE: _ClassVar[EpisodeCause]
    EPISODE_CAUSE_REOPENED: _ClassVar[EpisodeCause]
STATUS_UNSPECIFIED: Status
STATUS_OPEN: Status
STATUS_PENDING_CUSTOMER: Status
STATUS_ON_HOLD: Status
STATUS_SNOOZED: Status
STATUS_RESOLVED: Status
EPISODE_CAUSE_UNSPECIFIED: EpisodeCause
EPISODE_CAUSE_FIRST_MESSAGE: EpisodeCause
EPISODE_CAUSE_REOPENED: EpisodeCause

class EpisodeOpened(_message.Message):
    __slots__ = ("conversation_id", "episode", "cause", "first_seq", "opened_at_ms", "customer_id", "channel", "language", "case_reference")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    CASE_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    cause: EpisodeCause
    first_seq: int
    opened_at_ms: int
    customer_id: str
    channel: str
    language: str
    case_reference: str
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., cause: _Optional[_Union[EpisodeCause, str]] = ..., first_seq: _Optional[int] = ..., opened_at_ms: _Optional[int] = ..., customer_id: _Optional[str] = ..., channel: _Optional[str] = ..., language: _Optional[str] = ..., case_reference: _Optional[str] = ...) -> None: ...

class StatusChanged(_message.Message):
    __slots__ = ("conversation_id", "episode", "status", "previous", "changed_at_ms", "changed_by", "human_version")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    CHANGED_BY_FIELD_NUMBER: _ClassVar[int]
    HUMAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    status: Status
    previous: Status
    changed_at_ms: int
    changed_by: str
    human_version: int
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., status: _Optional[_Union[Status, str]] = ..., previous: _Optional[_Union[Status, str]] = ..., changed_at_ms: _Optional[int] = ..., changed_by: _Optional[str] = ..., human_version: _Optional[int] = ...) -> None: ...

class ReplySent(_message.Message):
    __slots__ = ("reply_id", "conversation_id", "episode", "agent_id", "text", "after_seq", "sent_at_ms", "channel", "human", "human_version", "customer_id", "bot", "template")
    REPLY_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQ_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_MS_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    HUMAN_FIELD_NUMBER: _ClassVar[int]
    HUMAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    BOT_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    reply_id: str
    conversation_id: str
    episode: int
    agent_id: str
    text: str
    after_seq: int
    sent_at_ms: int
    channel: str
    human: bool
    human_version: int
    customer_id: str
    bot: bool
    template: ReplyTemplate
    def __init__(self, reply_id: _Optional[str] = ..., conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., agent_id: _Optional[str] = ..., text: _Optional[str] = ..., after_seq: _Optional[int] = ..., sent_at_ms: _Optional[int] = ..., channel: _Optional[str] = ..., human: _Optional[bool] = ..., human_version: _Optional[int] = ..., customer_id: _Optional[str] = ..., bot: _Optional[bool] = ..., template: _Optional[_Union[ReplyTemplate, _Mapping]] = ...) -> None: ...

class ReplyTemplate(_message.Message):
    __slots__ = ("name", "language", "values")
    class ValuesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    name: str
    language: str
    values: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., language: _Optional[str] = ..., values: _Optional[_Mapping[str, str]] = ...) -> None: ...

class NoteAdded(_message.Message):
    __slots__ = ("note_id", "conversation_id", "episode", "agent_id", "added_at_ms")
    NOTE_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    ADDED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    note_id: str
    conversation_id: str
    episode: int
    agent_id: str
    added_at_ms: int
    def __init__(self, note_id: _Optional[str] = ..., conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., agent_id: _Optional[str] = ..., added_at_ms: _Optional[int] = ...) -> None: ...

class ConversationCorrected(_message.Message):
    __slots__ = ("conversation_id", "field", "value", "corrected_by", "corrected_at_ms", "human_version", "before", "message_id", "text", "language", "customer_id")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CORRECTED_BY_FIELD_NUMBER: _ClassVar[int]
    CORRECTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    HUMAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    field: str
    value: str
    corrected_by: str
    corrected_at_ms: int
    human_version: int
    before: str
    message_id: str
    text: str
    language: str
    customer_id: str
    def __init__(self, conversation_id: _Optional[str] = ..., field: _Optional[str] = ..., value: _Optional[str] = ..., corrected_by: _Optional[str] = ..., corrected_at_ms: _Optional[int] = ..., human_version: _Optional[int] = ..., before: _Optional[str] = ..., message_id: _Optional[str] = ..., text: _Optional[str] = ..., language: _Optional[str] = ..., customer_id: _Optional[str] = ...) -> None: ...

class TransferRequested(_message.Message):
    __slots__ = ("conversation_id", "episode", "requested_by", "queue_id", "team_id", "agent_id", "note", "requested_at_ms", "human_version")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    TEAM_ID_FIELD_NUMBER: _ClassVar[int]
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    HUMAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    requested_by: str
    queue_id: str
    team_id: str
    agent_id: str
    note: str
    requested_at_ms: int
    human_version: int
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., requested_by: _Optional[str] = ..., queue_id: _Optional[str] = ..., team_id: _Optional[str] = ..., agent_id: _Optional[str] = ..., note: _Optional[str] = ..., requested_at_ms: _Optional[int] = ..., human_version: _Optional[int] = ...) -> None: ...

class HandoffRequested(_message.Message):
    __slots__ = ("conversation_id", "episode", "requested_by", "reason", "requested_at_ms", "human_version")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    HUMAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    requested_by: str
    reason: str
    requested_at_ms: int
    human_version: int
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., requested_by: _Optional[str] = ..., reason: _Optional[str] = ..., requested_at_ms: _Optional[int] = ..., human_version: _Optional[int] = ...) -> None: ...

class CallBackRequested(_message.Message):
    __slots__ = ("conversation_id", "episode", "message_seq", "requested_at_ms")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_SEQ_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    message_seq: int
    requested_at_ms: int
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., message_seq: _Optional[int] = ..., requested_at_ms: _Optional[int] = ...) -> None: ...

class ConversationResolved(_message.Message):
    __slots__ = ("conversation_id", "episode", "through_seq", "resolved_by", "resolved_at_ms", "human_version", "customer_id", "channel", "language", "reason")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    THROUGH_SEQ_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_BY_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    HUMAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    through_seq: int
    resolved_by: str
    resolved_at_ms: int
    human_version: int
    customer_id: str
    channel: str
    language: str
    reason: str
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., through_seq: _Optional[int] = ..., resolved_by: _Optional[str] = ..., resolved_at_ms: _Optional[int] = ..., human_version: _Optional[int] = ..., customer_id: _Optional[str] = ..., channel: _Optional[str] = ..., language: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
