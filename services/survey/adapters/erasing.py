"""What the survey service deletes or blanks of a customer who is forgotten."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all
from libs.streams import Found

_INVITATIONS: Final = (
    "UPDATE survey.invitations SET customer_id = '', comment = '' WHERE customer_id = $1"
    " RETURNING invitation_id, conversation_id"
)
_ANSWERS: Final = (
    "UPDATE survey.answers SET comment = '' WHERE invitation_id = ANY($1::text[]) RETURNING invitation_id"
)
_BY_CUSTOMER: Final = {
    "customers": "DELETE FROM survey.customers WHERE customer_id = $1 RETURNING 1",
    "persons": "DELETE FROM survey.persons WHERE customer_id = $1 RETURNING 1",
}


async def forget(connection: AsyncConnection, customer_id: str) -> Found:
    """Blanks what was said. Scores stay, and belong to nobody."""
    rows = await fetch_all(connection, _INVITATIONS, customer_id)
    answers = await fetch_all(connection, _ANSWERS, [str(id_) for id_, _ in rows])
    counts = {"invitations": len(rows), "answers": len(answers)}
    counts |= {name: len(await fetch_all(connection, sql, customer_id)) for name, sql in _BY_CUSTOMER.items()}
    return Found(counts, sorted({str(conversation_id) for _, conversation_id in rows}))
