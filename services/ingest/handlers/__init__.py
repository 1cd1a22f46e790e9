"""What ingest does when something happened, each group for itself: none waits for another.

`conversations`: payloads become messages, what is said to a customer goes out. `customers`: who may be one person.
"""

from services.ingest.handlers.conversations import normaliser, outbound
from services.ingest.handlers.customers import people

__all__ = ["normaliser", "outbound", "people"]
