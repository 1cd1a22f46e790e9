"""The envelope of an event: packed into one value on the log, CloudEvents 1.0 headers (binary mode) on Kafka.

A packed row is: version (1 byte), event id (16), time (8, milliseconds), generation (4), then type, key and traceparent,
each with a 2-byte length, then the protobuf payload. Integers are big-endian.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.message import Message

from libs.contracts import messages
from libs.contracts.catalogue import CATALOGUE

_HEAD = struct.Struct(">B16sqI")
_GENERATION = slice(_HEAD.size - 4, _HEAD.size)
_LENGTH = struct.Struct(">H")
_VERSION = 1
_TYPES: Mapping[str, type[Message]] = {
    cls.DESCRIPTOR.full_name: cls
    for cls in (getattr(messages, name) for name in messages.__all__)
    if isinstance(cls, type) and issubclass(cls, Message)
}
_NAMES: Mapping[type[Message], str] = {cls: name for name, cls in _TYPES.items()}


class TornEnvelope(ValueError):
    """A row's envelope cannot be read: what was seen and what was expected is in the text."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event as it lies on a log; the payload is decoded only by who handles its type."""

    event_id: bytes
    """16 bytes."""
    at_ms: int
    """When it was appended, Unix milliseconds."""
    generation: int
    """Of the log: a restored database begins a new one."""
    type: str
    """Full protobuf name."""
    key: str
    traceparent: str
    payload: bytes


def full_name(event: type[Message]) -> str:
    """Full protobuf name of a message class."""
    return _NAMES[event]


def message_type(name: str) -> type[Message] | None:
    """The class of a full protobuf name, or None when this build does not know it."""
    return _TYPES.get(name)


def key_of(event: Message) -> str:
    """The value of the event's key field. Raises ValueError when it is empty: such an event has no place on a log."""
    name = _NAMES[type(event)]
    field = CATALOGUE[name].key_field
    key: str = getattr(event, field)
    if not key:
        raise ValueError(f"{name}.{field} is empty: the key of an event must be set before it is emitted")
    return key


def pack(envelope: Envelope) -> bytes:
    """The row's value."""
    parts = [_HEAD.pack(_VERSION, envelope.event_id, envelope.at_ms, envelope.generation)]
    for text in (envelope.type, envelope.key, envelope.traceparent):
        data = text.encode()
        parts.append(_LENGTH.pack(len(data)))
        parts.append(data)
    parts.append(envelope.payload)
    return b"".join(parts)


def unpack(data: bytes) -> Envelope:
    """Reads a row's value. Raises TornEnvelope."""
    try:
        version, event_id, at_ms, generation = _HEAD.unpack_from(data)
        if version != _VERSION:
            raise TornEnvelope(
                f"envelope version {version}, expected {_VERSION}: written by a newer release?"
            )
        position = _HEAD.size
        texts = []
        for _ in range(3):
            (length,) = _LENGTH.unpack_from(data, position)
            position += _LENGTH.size
            if position + length > len(data):
                raise TornEnvelope(f"envelope of {len(data)} bytes ends inside a field of {length} bytes")
            texts.append(data[position : position + length].decode())
            position += length
    except (struct.error, UnicodeDecodeError) as error:
        raise TornEnvelope(f"envelope of {len(data)} bytes is torn: {error}") from error
    return Envelope(event_id, at_ms, generation, texts[0], texts[1], texts[2], data[position:])


def generation_of(data: bytes) -> int:
    """The generation in a row's value; 0 when the value is torn before it."""
    return int.from_bytes(data[_GENERATION], "big") if len(data) >= _HEAD.size else 0


def cloud_event_headers(envelope: Envelope, number: int) -> list[tuple[str, bytes]]:
    """Headers of the Kafka protocol binding in binary mode; `number` is the row's number in its partition."""
    service = envelope.type.split(".")[1]
    moment = datetime.fromtimestamp(envelope.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    headers = {
        "ce_id": str(UUID(bytes=envelope.event_id)),
        "ce_source": f"/centralino/{service}",
        "ce_type": envelope.type,
        "ce_specversion": "1.0",
        "ce_time": moment.replace("+00:00", "Z"),
        "ce_subject": envelope.key,
        "ce_sequence": str(number),
        "ce_generation": str(envelope.generation),
        "content-type": "application/protobuf",
    }
    if envelope.traceparent:
        headers["traceparent"] = envelope.traceparent
    return [(name, value.encode()) for name, value in headers.items()]


def number_of_headers(headers: Mapping[str, bytes]) -> int:
    """The row's number, from `ce_sequence`. Raises TornEnvelope."""
    try:
        return int(headers["ce_sequence"])
    except (KeyError, ValueError) as error:
        raise TornEnvelope(
            f"header ce_sequence: {_seen(headers, 'ce_sequence')}, expected a number"
        ) from error


def envelope_of_headers(headers: Mapping[str, bytes], payload: bytes) -> Envelope:
    """The envelope that `cloud_event_headers` made into headers. Raises TornEnvelope, which names the header."""
    name = ""
    try:
        name = "ce_id"
        event_id = UUID(headers[name].decode()).bytes
        name = "ce_time"
        at_ms = round(datetime.fromisoformat(headers[name].decode()).timestamp() * 1000)
        name = "ce_generation"
        generation = int(headers[name])
        name = "ce_type"
        type_ = headers[name].decode()
        name = "ce_subject"
        key = headers[name].decode()
        name = "traceparent"
        traceparent = headers.get(name, b"").decode()
    except (KeyError, ValueError) as error:
        raise TornEnvelope(f"header {name}: {_seen(headers, name)}, which cannot be read") from error
    return Envelope(event_id, at_ms, generation, type_, key, traceparent, payload)


def _seen(headers: Mapping[str, bytes], name: str) -> str:
    return f"got {headers[name][:80]!r}" if name in headers else "it is missing"
