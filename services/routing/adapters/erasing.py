"""What routing blanks of a customer who is forgotten."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all
from libs.streams import Found

_ARRIVALS: Final = (
    "UPDATE routing.arrivals SET customer_id = '' WHERE customer_id = $1 RETURNING conversation_id"
)
_CUSTOMERS: Final = "DELETE FROM routing.customers WHERE customer_id = $1 RETURNING 1"


async def forget(connection: AsyncConnection, customer_id: str) -> Found:
    """Blanks whose conversations they were, and deletes what is known of the customer."""
    rows = await fetch_all(connection, _ARRIVALS, customer_id)
    known = await fetch_all(connection, _CUSTOMERS, customer_id)
    return Found({"arrivals": len(rows), "customers": len(known)}, [str(id_) for (id_,) in rows])
