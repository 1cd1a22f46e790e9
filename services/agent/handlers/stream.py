"""The one consumer group of the service."""

from libs.streams import StreamRouter
from services.agent.context import AgentContext

stream = StreamRouter[AgentContext](group="agent")
