"""What analytics learns from each event. A handler of a conversation's event touches one row: the conversation.

Importing this declares them all on `stream`.
"""

from services.analytics.handlers import (
    assignments,
    conversations,
    customers,
    directory,
    erasing,
    messages,
    outcomes,
    surveys,
)
from services.analytics.handlers.declaration import stream

__all__ = [
    "assignments",
    "conversations",
    "customers",
    "directory",
    "erasing",
    "messages",
    "outcomes",
    "stream",
    "surveys",
]
