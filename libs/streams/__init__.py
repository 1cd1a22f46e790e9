"""The log and its consumers: append, transports, ownership with fences, the one processor loop, timers, dead letters.

Services use `StreamRouter` to declare handlers and raise `Retry`, `Reject` or `Stop`; the rest is for the hosts.
"""

from libs.streams.claims import OwnedState
from libs.streams.erasures import (
    Erasure,
    Found,
    LogEraser,
    blanked,
    erase,
    erasures,
    report_of,
    without_person,
)
from libs.streams.errors import (
    EventsLost,
    Fenced,
    LogRestored,
    Reject,
    Retry,
    StillRunning,
    Stop,
    TooManyDead,
    TopicsRefused,
    is_transient,
)
from libs.streams.log import Head, Log, register_topics
from libs.streams.postgres import PostgresTransport
from libs.streams.processor import Processor, Subscriber
from libs.streams.router import Due, Received, StreamRouter
from libs.streams.steps import Step, Steps
from libs.streams.transport import ANY, Place, Record, Subscription, TopicPartition, Transport

__all__ = [
    "ANY",
    "Due",
    "Erasure",
    "EventsLost",
    "Fenced",
    "Found",
    "Head",
    "Log",
    "LogEraser",
    "LogRestored",
    "OwnedState",
    "Place",
    "PostgresTransport",
    "Processor",
    "Received",
    "Record",
    "Reject",
    "Retry",
    "Step",
    "Steps",
    "StillRunning",
    "Stop",
    "StreamRouter",
    "Subscriber",
    "Subscription",
    "TooManyDead",
    "TopicPartition",
    "TopicsRefused",
    "Transport",
    "blanked",
    "erase",
    "erasures",
    "is_transient",
    "register_topics",
    "report_of",
    "without_person",
]
