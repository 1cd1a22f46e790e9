"""The two consumer groups: intake turns events into commands, the engine runs commands.

`intake`: conversations as others tell of them. `customers`: tier and debt. `erasing`: who is forgotten. All declare on
`stream`; `engine` has its own.
"""

from services.routing.handlers import customers, engine, erasing, intake
from services.routing.handlers.stream import stream

__all__ = ["customers", "engine", "erasing", "intake", "stream"]
