"""What the agent service does when something has happened elsewhere.

`arrivals`: messages and what triage says of them, deliveries, the end of a snooze. `placements`: queue, agent and
clocks. `notices`: what customers are told by themselves. `labels`: names of customers, teams and people. All declare on
the one router, `stream`.
"""

from services.agent.handlers import arrivals, labels, notices, placements
from services.agent.handlers.stream import stream

__all__ = ["arrivals", "labels", "notices", "placements", "stream"]
