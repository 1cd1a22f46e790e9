"""The two consumer groups: intake turns events into commands, the engine runs commands.

`intake`: conversations as others tell of them. `wishes`: what people ask for. `customers`: tier, debt and acquaintances.
`erasing`: who is forgotten. All declare on `stream`; `engine` has its own.
"""

from services.routing.handlers import customers, engine, erasing, intake, wishes
from services.routing.handlers.stream import stream

__all__ = ["customers", "engine", "erasing", "intake", "stream", "wishes"]
