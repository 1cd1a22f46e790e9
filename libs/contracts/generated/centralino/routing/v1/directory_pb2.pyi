from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class TeamChanged(_message.Message):
    __slots__ = ("team_id", "name", "removed", "version", "changed_at_ms")
    TEAM_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    team_id: str
    name: str
    removed: bool
    version: int
    changed_at_ms: int
    def __init__(self, team_id: _Optional[str] = ..., name: _Optional[str] = ..., removed: _Optional[bool] = ..., version: _Optional[int] = ..., changed_at_ms: _Optional[int] = ...) -> None: ...

class PersonChanged(_message.Message):
    __slots__ = ("person_id", "name", "team_ids", "languages", "removed", "version", "changed_at_ms")
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEAM_IDS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    person_id: str
    name: str
    team_ids: _containers.RepeatedScalarFieldContainer[str]
    languages: _containers.RepeatedScalarFieldContainer[str]
    removed: bool
    version: int
    changed_at_ms: int
    def __init__(self, person_id: _Optional[str] = ..., name: _Optional[str] = ..., team_ids: _Optional[_Iterable[str]] = ..., languages: _Optional[_Iterable[str]] = ..., removed: _Optional[bool] = ..., version: _Optional[int] = ..., changed_at_ms: _Optional[int] = ...) -> None: ...
