"""The published contracts: protobuf messages, their catalogue of topics, and the envelope of an event on the log.

`from libs.contracts import MessageReceived` gives a generated protobuf class; enumerations come the same way and have
their values as attributes (`Channel.CHANNEL_CHAT`). Everything here but the envelope is generated from `proto/`.
"""

from libs.contracts import messages as _messages
from libs.contracts.asyncapi import asyncapi_document
from libs.contracts.catalogue import CATALOGUE, TOPICS
from libs.contracts.envelope import (
    Envelope,
    TornEnvelope,
    cloud_event_headers,
    envelope_of_headers,
    full_name,
    generation_of,
    key_of,
    message_type,
    number_of_headers,
    pack,
    unpack,
)
from libs.contracts.messages import *  # noqa: F403
from libs.contracts.partition import PARTITIONS, partition_of
from libs.contracts.topics import Entry, Topic

__all__ = [
    "CATALOGUE",
    "PARTITIONS",
    "TOPICS",
    "Entry",
    "Envelope",
    "Topic",
    "TornEnvelope",
    "asyncapi_document",
    "cloud_event_headers",
    "envelope_of_headers",
    "full_name",
    "generation_of",
    "key_of",
    "message_type",
    "number_of_headers",
    "pack",
    "partition_of",
    "unpack",
    *_messages.__all__,
]
