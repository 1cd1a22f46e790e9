"""What the agent service deletes or blanks of a customer who is forgotten."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all
from libs.streams import Found

# Locked, so that a writer of the conversation is waited for and its message found.
_CONVERSATIONS: Final = (
    "SELECT conversation_id FROM agent.conversations WHERE customer_id = $1 ORDER BY 1 FOR UPDATE"
)
_BY_CONVERSATION: Final = {
    "conversations": "UPDATE agent.conversations SET subject = '', traceparent = '', customer_id = '', cause = NULL"
    " WHERE conversation_id = ANY($1::text[]) RETURNING 1",
    "messages": "UPDATE agent.messages SET text = '', subject = '', delivery_reason = '', attachments = '[]'"
    " WHERE conversation_id = ANY($1::text[]) RETURNING 1",
    "understandings": "UPDATE agent.understandings SET customer_id = '',"
    ' detail = detail || \'{"reasons": [], "suggested_reply": ""}\''
    " WHERE conversation_id = ANY($1::text[]) RETURNING 1",
    "notes": "DELETE FROM agent.notes WHERE conversation_id = ANY($1::text[]) RETURNING 1",
    "idempotency_keys": "DELETE FROM agent.idempotency_keys WHERE split_part(route, '/', 4) = ANY($1::text[]) RETURNING 1",
}
_BY_CUSTOMER: Final = {
    "customers": "DELETE FROM agent.customers WHERE customer_id = $1 RETURNING 1",
    "persons": "DELETE FROM agent.persons WHERE customer_id = $1 RETURNING 1",
}


async def forget(connection: AsyncConnection, customer_id: str) -> Found:
    """Blanks texts and names. Status, episodes and what was measured stay, and belong to nobody."""
    found = [str(id_) for (id_,) in await fetch_all(connection, _CONVERSATIONS, customer_id)]
    counts = {name: len(await fetch_all(connection, sql, found)) for name, sql in _BY_CONVERSATION.items()}
    counts |= {name: len(await fetch_all(connection, sql, customer_id)) for name, sql in _BY_CUSTOMER.items()}
    return Found(counts, found)
