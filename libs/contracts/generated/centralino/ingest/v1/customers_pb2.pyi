from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConsentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONSENT_STATE_UNSPECIFIED: _ClassVar[ConsentState]
    CONSENT_STATE_GIVEN: _ClassVar[ConsentState]
    CONSENT_STATE_WITHDRAWN: _ClassVar[ConsentState]
CONSENT_STATE_UNSPECIFIED: ConsentState
CONSENT_STATE_GIVEN: ConsentState
CONSENT_STATE_WITHDRAWN: ConsentState

class CustomerIdentified(_message.Message):
    __slots__ = ("customer_id", "display_name", "identities", "language", "first_seen_at_ms", "tier", "attributes")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_AT_MS_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    display_name: str
    identities: _containers.RepeatedCompositeFieldContainer[Identity]
    language: str
    first_seen_at_ms: int
    tier: str
    attributes: _containers.ScalarMap[str, str]
    def __init__(self, customer_id: _Optional[str] = ..., display_name: _Optional[str] = ..., identities: _Optional[_Iterable[_Union[Identity, _Mapping]]] = ..., language: _Optional[str] = ..., first_seen_at_ms: _Optional[int] = ..., tier: _Optional[str] = ..., attributes: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Identity(_message.Message):
    __slots__ = ("channel", "account", "external_id", "verified")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    channel: str
    account: str
    external_id: str
    verified: bool
    def __init__(self, channel: _Optional[str] = ..., account: _Optional[str] = ..., external_id: _Optional[str] = ..., verified: _Optional[bool] = ...) -> None: ...

class Person(_message.Message):
    __slots__ = ("person_id", "customer_ids")
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_IDS_FIELD_NUMBER: _ClassVar[int]
    person_id: str
    customer_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, person_id: _Optional[str] = ..., customer_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class CustomersLinked(_message.Message):
    __slots__ = ("link_id", "customer_id", "joined_customer_id", "persons", "version", "reason", "actor", "linked_at_ms")
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    JOINED_CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    LINKED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    link_id: str
    customer_id: str
    joined_customer_id: str
    persons: _containers.RepeatedCompositeFieldContainer[Person]
    version: int
    reason: str
    actor: str
    linked_at_ms: int
    def __init__(self, link_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., joined_customer_id: _Optional[str] = ..., persons: _Optional[_Iterable[_Union[Person, _Mapping]]] = ..., version: _Optional[int] = ..., reason: _Optional[str] = ..., actor: _Optional[str] = ..., linked_at_ms: _Optional[int] = ...) -> None: ...

class CustomersUnlinked(_message.Message):
    __slots__ = ("link_id", "customer_id", "separated_customer_id", "persons", "version", "reason", "actor", "unlinked_at_ms")
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    SEPARATED_CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    UNLINKED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    link_id: str
    customer_id: str
    separated_customer_id: str
    persons: _containers.RepeatedCompositeFieldContainer[Person]
    version: int
    reason: str
    actor: str
    unlinked_at_ms: int
    def __init__(self, link_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., separated_customer_id: _Optional[str] = ..., persons: _Optional[_Iterable[_Union[Person, _Mapping]]] = ..., version: _Optional[int] = ..., reason: _Optional[str] = ..., actor: _Optional[str] = ..., unlinked_at_ms: _Optional[int] = ...) -> None: ...

class CustomerErased(_message.Message):
    __slots__ = ("customer_id",)
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    def __init__(self, customer_id: _Optional[str] = ...) -> None: ...

class ConsentChanged(_message.Message):
    __slots__ = ("customer_id", "channel", "account", "external_id", "state", "source", "actor", "evidence", "changed_at_ms")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    channel: str
    account: str
    external_id: str
    state: ConsentState
    source: str
    actor: str
    evidence: str
    changed_at_ms: int
    def __init__(self, customer_id: _Optional[str] = ..., channel: _Optional[str] = ..., account: _Optional[str] = ..., external_id: _Optional[str] = ..., state: _Optional[_Union[ConsentState, str]] = ..., source: _Optional[str] = ..., actor: _Optional[str] = ..., evidence: _Optional[str] = ..., changed_at_ms: _Optional[int] = ...) -> None: ...
