from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Channel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANNEL_UNSPECIFIED: _ClassVar[Channel]
    CHANNEL_WEB: _ClassVar[Channel]
    CHANNEL_CHAT: _ClassVar[Channel]
    CHANNEL_MAIL: _ClassVar[Channel]
    CHANNEL_API: _ClassVar[Channel]
    CHANNEL_SMS: _ClassVar[Channel]
    CHANNEL_WHATSAPP: _ClassVar[Channel]
    CHANNEL_MESSENGER: _ClassVar[Channel]
    CHANNEL_INSTAGRAM: _ClassVar[Channel]
    CHANNEL_TELEGRAM: _ClassVar[Channel]
    CHANNEL_VOICE: _ClassVar[Channel]
    CHANNEL_WEBHOOK: _ClassVar[Channel]

class Purpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PURPOSE_UNSPECIFIED: _ClassVar[Purpose]
    PURPOSE_CONVERSATION: _ClassVar[Purpose]
    PURPOSE_SURVEY_ANSWER: _ClassVar[Purpose]
CHANNEL_UNSPECIFIED: Channel
CHANNEL_WEB: Channel
CHANNEL_CHAT: Channel
CHANNEL_MAIL: Channel
CHANNEL_API: Channel
CHANNEL_SMS: Channel
CHANNEL_WHATSAPP: Channel
CHANNEL_MESSENGER: Channel
CHANNEL_INSTAGRAM: Channel
CHANNEL_TELEGRAM: Channel
CHANNEL_VOICE: Channel
CHANNEL_WEBHOOK: Channel
PURPOSE_UNSPECIFIED: Purpose
PURPOSE_CONVERSATION: Purpose
PURPOSE_SURVEY_ANSWER: Purpose

class Attachment(_message.Message):
    __slots__ = ("attachment_id", "name", "media_type", "size", "inline")
    ATTACHMENT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    INLINE_FIELD_NUMBER: _ClassVar[int]
    attachment_id: str
    name: str
    media_type: str
    size: int
    inline: bool
    def __init__(self, attachment_id: _Optional[str] = ..., name: _Optional[str] = ..., media_type: _Optional[str] = ..., size: _Optional[int] = ..., inline: _Optional[bool] = ...) -> None: ...

class MessageReceived(_message.Message):
    __slots__ = ("message_id", "conversation_id", "customer_id", "message_seq", "channel", "account", "text", "subject", "truncated", "language_hint", "received_at_ms", "case_reference", "purpose", "automatic", "continues_conversation_id", "cause", "attachments")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_SEQ_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_HINT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    CASE_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    AUTOMATIC_FIELD_NUMBER: _ClassVar[int]
    CONTINUES_CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENTS_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    conversation_id: str
    customer_id: str
    message_seq: int
    channel: Channel
    account: str
    text: str
    subject: str
    truncated: bool
    language_hint: str
    received_at_ms: int
    case_reference: str
    purpose: Purpose
    automatic: bool
    continues_conversation_id: str
    cause: Cause
    attachments: _containers.RepeatedCompositeFieldContainer[Attachment]
    def __init__(self, message_id: _Optional[str] = ..., conversation_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., message_seq: _Optional[int] = ..., channel: _Optional[_Union[Channel, str]] = ..., account: _Optional[str] = ..., text: _Optional[str] = ..., subject: _Optional[str] = ..., truncated: _Optional[bool] = ..., language_hint: _Optional[str] = ..., received_at_ms: _Optional[int] = ..., case_reference: _Optional[str] = ..., purpose: _Optional[_Union[Purpose, str]] = ..., automatic: _Optional[bool] = ..., continues_conversation_id: _Optional[str] = ..., cause: _Optional[_Union[Cause, _Mapping]] = ..., attachments: _Optional[_Iterable[_Union[Attachment, _Mapping]]] = ...) -> None: ...

class Cause(_message.Message):
    __slots__ = ("outreach_id", "rule", "event_type", "text", "sent_at_ms")
    OUTREACH_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_MS_FIELD_NUMBER: _ClassVar[int]
    outreach_id: str
    rule: str
    event_type: str
    text: str
    sent_at_ms: int
    def __init__(self, outreach_id: _Optional[str] = ..., rule: _Optional[str] = ..., event_type: _Optional[str] = ..., text: _Optional[str] = ..., sent_at_ms: _Optional[int] = ...) -> None: ...

class MessageDelivered(_message.Message):
    __slots__ = ("delivery_id", "conversation_id", "source_id", "channel", "delivered_at_ms", "attempts", "possibly_twice")
    DELIVERY_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    POSSIBLY_TWICE_FIELD_NUMBER: _ClassVar[int]
    delivery_id: str
    conversation_id: str
    source_id: str
    channel: Channel
    delivered_at_ms: int
    attempts: int
    possibly_twice: bool
    def __init__(self, delivery_id: _Optional[str] = ..., conversation_id: _Optional[str] = ..., source_id: _Optional[str] = ..., channel: _Optional[_Union[Channel, str]] = ..., delivered_at_ms: _Optional[int] = ..., attempts: _Optional[int] = ..., possibly_twice: _Optional[bool] = ...) -> None: ...

class DeliveryFailed(_message.Message):
    __slots__ = ("delivery_id", "conversation_id", "source_id", "channel", "failed_at_ms", "attempts", "reason")
    DELIVERY_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    FAILED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    delivery_id: str
    conversation_id: str
    source_id: str
    channel: Channel
    failed_at_ms: int
    attempts: int
    reason: str
    def __init__(self, delivery_id: _Optional[str] = ..., conversation_id: _Optional[str] = ..., source_id: _Optional[str] = ..., channel: _Optional[_Union[Channel, str]] = ..., failed_at_ms: _Optional[int] = ..., attempts: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ConversationContinued(_message.Message):
    __slots__ = ("conversation_id", "continued_as_conversation_id", "continued_at_ms")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    CONTINUED_AS_CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    CONTINUED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    continued_as_conversation_id: str
    continued_at_ms: int
    def __init__(self, conversation_id: _Optional[str] = ..., continued_as_conversation_id: _Optional[str] = ..., continued_at_ms: _Optional[int] = ...) -> None: ...
