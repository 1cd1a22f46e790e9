from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KIND_UNSPECIFIED: _ClassVar[Kind]
    KIND_REQUEST: _ClassVar[Kind]
    KIND_UNSURE: _ClassVar[Kind]
    KIND_THANKS: _ClassVar[Kind]
    KIND_AUTOMATIC: _ClassVar[Kind]
    KIND_SPAM: _ClassVar[Kind]
    KIND_SURVEY_ANSWER: _ClassVar[Kind]

class Urgency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    URGENCY_UNSPECIFIED: _ClassVar[Urgency]
    URGENCY_LOW: _ClassVar[Urgency]
    URGENCY_NORMAL: _ClassVar[Urgency]
    URGENCY_HIGH: _ClassVar[Urgency]

class Handling(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HANDLING_UNSPECIFIED: _ClassVar[Handling]
    HANDLING_HUMAN: _ClassVar[Handling]
    HANDLING_BOT: _ClassVar[Handling]
KIND_UNSPECIFIED: Kind
KIND_REQUEST: Kind
KIND_UNSURE: Kind
KIND_THANKS: Kind
KIND_AUTOMATIC: Kind
KIND_SPAM: Kind
KIND_SURVEY_ANSWER: Kind
URGENCY_UNSPECIFIED: Urgency
URGENCY_LOW: Urgency
URGENCY_NORMAL: Urgency
URGENCY_HIGH: Urgency
HANDLING_UNSPECIFIED: Handling
HANDLING_HUMAN: Handling
HANDLING_BOT: Handling

class Signal(_message.Message):
    __slots__ = ("value", "confidence")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    value: str
    confidence: float
    def __init__(self, value: _Optional[str] = ..., confidence: _Optional[float] = ...) -> None: ...

class Reason(_message.Message):
    __slots__ = ("signal", "source", "detail", "weight", "start", "end", "in_subject")
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    IN_SUBJECT_FIELD_NUMBER: _ClassVar[int]
    signal: str
    source: str
    detail: str
    weight: float
    start: int
    end: int
    in_subject: bool
    def __init__(self, signal: _Optional[str] = ..., source: _Optional[str] = ..., detail: _Optional[str] = ..., weight: _Optional[float] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., in_subject: _Optional[bool] = ...) -> None: ...

class Entity(_message.Message):
    __slots__ = ("kind", "value", "start", "end", "in_subject", "confidence", "rule", "personal")
    KIND_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    IN_SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_FIELD_NUMBER: _ClassVar[int]
    kind: str
    value: str
    start: int
    end: int
    in_subject: bool
    confidence: float
    rule: str
    personal: bool
    def __init__(self, kind: _Optional[str] = ..., value: _Optional[str] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., in_subject: _Optional[bool] = ..., confidence: _Optional[float] = ..., rule: _Optional[str] = ..., personal: _Optional[bool] = ...) -> None: ...

class ConversationTriaged(_message.Message):
    __slots__ = ("conversation_id", "message_id", "message_seq", "kind", "kind_confidence", "language", "topic", "urgency", "urgency_confidence", "anger", "wish_for_person", "spam", "handling", "priority", "tags", "required_skills", "queue_hint", "model_version", "policy_version", "human_version", "reasons", "triaged_at_ms", "customer_id", "channel", "received_at_ms", "mood", "mood_strength", "disappointment", "joy", "complexity", "entities", "macro", "reply", "escalate", "rules_version", "mood_turn", "changed", "second_topic", "self_service")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_SEQ_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    KIND_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    URGENCY_FIELD_NUMBER: _ClassVar[int]
    URGENCY_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ANGER_FIELD_NUMBER: _ClassVar[int]
    WISH_FOR_PERSON_FIELD_NUMBER: _ClassVar[int]
    SPAM_FIELD_NUMBER: _ClassVar[int]
    HANDLING_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_SKILLS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_HINT_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    HUMAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    TRIAGED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    MOOD_FIELD_NUMBER: _ClassVar[int]
    MOOD_STRENGTH_FIELD_NUMBER: _ClassVar[int]
    DISAPPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    JOY_FIELD_NUMBER: _ClassVar[int]
    COMPLEXITY_FIELD_NUMBER: _ClassVar[int]
    ENTITIES_FIELD_NUMBER: _ClassVar[int]
    MACRO_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    ESCALATE_FIELD_NUMBER: _ClassVar[int]
    RULES_VERSION_FIELD_NUMBER: _ClassVar[int]
    MOOD_TURN_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    SECOND_TOPIC_FIELD_NUMBER: _ClassVar[int]
    SELF_SERVICE_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    message_id: str
    message_seq: int
    kind: Kind
    kind_confidence: float
    language: Signal
    topic: Signal
    urgency: Urgency
    urgency_confidence: float
    anger: float
    wish_for_person: float
    spam: float
    handling: Handling
    priority: int
    tags: _containers.RepeatedScalarFieldContainer[str]
    required_skills: _containers.RepeatedScalarFieldContainer[str]
    queue_hint: str
    model_version: str
    policy_version: str
    human_version: int
    reasons: _containers.RepeatedCompositeFieldContainer[Reason]
    triaged_at_ms: int
    customer_id: str
    channel: str
    received_at_ms: int
    mood: Signal
    mood_strength: float
    disappointment: float
    joy: float
    complexity: float
    entities: _containers.RepeatedCompositeFieldContainer[Entity]
    macro: str
    reply: str
    escalate: str
    rules_version: str
    mood_turn: str
    changed: _containers.RepeatedScalarFieldContainer[str]
    second_topic: Signal
    self_service: float
    def __init__(self, conversation_id: _Optional[str] = ..., message_id: _Optional[str] = ..., message_seq: _Optional[int] = ..., kind: _Optional[_Union[Kind, str]] = ..., kind_confidence: _Optional[float] = ..., language: _Optional[_Union[Signal, _Mapping]] = ..., topic: _Optional[_Union[Signal, _Mapping]] = ..., urgency: _Optional[_Union[Urgency, str]] = ..., urgency_confidence: _Optional[float] = ..., anger: _Optional[float] = ..., wish_for_person: _Optional[float] = ..., spam: _Optional[float] = ..., handling: _Optional[_Union[Handling, str]] = ..., priority: _Optional[int] = ..., tags: _Optional[_Iterable[str]] = ..., required_skills: _Optional[_Iterable[str]] = ..., queue_hint: _Optional[str] = ..., model_version: _Optional[str] = ..., policy_version: _Optional[str] = ..., human_version: _Optional[int] = ..., reasons: _Optional[_Iterable[_Union[Reason, _Mapping]]] = ..., triaged_at_ms: _Optional[int] = ..., customer_id: _Optional[str] = ..., channel: _Optional[str] = ..., received_at_ms: _Optional[int] = ..., mood: _Optional[_Union[Signal, _Mapping]] = ..., mood_strength: _Optional[float] = ..., disappointment: _Optional[float] = ..., joy: _Optional[float] = ..., complexity: _Optional[float] = ..., entities: _Optional[_Iterable[_Union[Entity, _Mapping]]] = ..., macro: _Optional[str] = ..., reply: _Optional[str] = ..., escalate: _Optional[str] = ..., rules_version: _Optional[str] = ..., mood_turn: _Optional[str] = ..., changed: _Optional[_Iterable[str]] = ..., second_topic: _Optional[_Union[Signal, _Mapping]] = ..., self_service: _Optional[float] = ...) -> None: ...
