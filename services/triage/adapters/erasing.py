"""What triage deletes or blanks of a customer who is forgotten."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all
from libs.streams import Found

# Locked, so that a message that is being decided is waited for and its decision found.
_CONVERSATIONS: Final = (
    "SELECT conversation_id FROM triage.conversations WHERE customer_id = $1 ORDER BY 1 FOR UPDATE"
)
_BY_CONVERSATION: Final = {
    "decisions": "DELETE FROM triage.decisions WHERE conversation_id = ANY($1::text[]) RETURNING 1",
    "conversations": "UPDATE triage.conversations SET customer_id = '' WHERE conversation_id = ANY($1::text[]) RETURNING 1",
}
_BY_BOTH: Final = {
    name: f"DELETE FROM triage.{name} WHERE customer_id = $1 OR conversation_id = ANY($2::text[]) RETURNING 1"
    for name in ("corrections", "unnamed")
}
_CUSTOMER: Final = "DELETE FROM triage.customers WHERE customer_id = $1 RETURNING 1"


async def forget(connection: AsyncConnection, customer_id: str) -> Found:
    """Deletes corrections and requests without a topic (the customer's words), decisions (some of the words) and what was
    known of the customer.

    The hourly counts that drift is found in stay: they name nobody.
    """
    if not customer_id:
        return Found({}, [])
    found = [str(id_) for (id_,) in await fetch_all(connection, _CONVERSATIONS, customer_id)]
    counts = {name: len(await fetch_all(connection, sql, found)) for name, sql in _BY_CONVERSATION.items()}
    counts |= {
        name: len(await fetch_all(connection, sql, customer_id, found)) for name, sql in _BY_BOTH.items()
    }
    counts["customers"] = len(await fetch_all(connection, _CUSTOMER, customer_id))
    return Found(counts, found)
