"""The consumer group that turns events into commands."""

from libs.streams import StreamRouter
from services.routing.context import IntakeContext

stream = StreamRouter[IntakeContext](group="routing")
