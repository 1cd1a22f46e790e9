from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class PayloadAccepted(_message.Message):
    __slots__ = ("raw_id", "sender_key")
    RAW_ID_FIELD_NUMBER: _ClassVar[int]
    SENDER_KEY_FIELD_NUMBER: _ClassVar[int]
    raw_id: str
    sender_key: str
    def __init__(self, raw_id: _Optional[str] = ..., sender_key: _Optional[str] = ...) -> None: ...
