"""What the agent service does when something has happened elsewhere.

`arrivals`: messages and what triage says of them, deliveries, the end of a snooze. `placements`: queue, agent and
clocks. `notices`: what customers are told by themselves. `labels`: names of customers, teams and people.
`erasing`: a customer who is forgotten. All declare on the one router, `stream`.
"""

from services.agent.handlers import arrivals, erasing, labels, notices, placements
from services.agent.handlers.stream import stream

__all__ = ["arrivals", "erasing", "labels", "notices", "placements", "stream"]
