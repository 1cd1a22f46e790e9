"""What analytics learns from each event. A handler of a conversation's event touches one row: the conversation.

Importing this declares them all on `stream`.
"""

from services.analytics.handlers import (
    assignments,
    conversations,
    directory,
    messages,
    outcomes,
    surveys,
)
from services.analytics.handlers.declaration import stream

__all__ = ["assignments", "conversations", "directory", "messages", "outcomes", "stream", "surveys"]
