"""The statements that read for staff."""

from libs.storage import Database, fetch_all
from services.survey.adapters.tables import INVITATIONS_SEEN, Answer
from services.survey.domain.invitations import Invitation

_FILTERS = ("state", "conversation_id", "customer_id", "channel", "late")


async def list_invitations(
    database: Database, wanted: dict[str, str | bool | None], after: tuple[int, str] | None, most: int
) -> list[Invitation]:
    """Invitations that match, the one due last first. `after` is the (due_at_ms, id) of the last one seen."""
    conditions, arguments = ["TRUE"], list[object]()
    for name in _FILTERS:
        if (value := wanted.get(name)) is not None:
            arguments.append(value)
            conditions.append(f"{name} = ${len(arguments)}")
    if after is not None:
        arguments += after
        conditions.append(
            f"(due_at_ms, invitation_id) < (${len(arguments) - 1}::bigint, ${len(arguments)}::text)"
        )
    arguments.append(most)
    async with database.read() as connection:
        rows = await fetch_all(
            connection,
            f"SELECT {INVITATIONS_SEEN.columns} FROM survey.invitations WHERE {' AND '.join(conditions)}"
            f" ORDER BY due_at_ms DESC, invitation_id DESC LIMIT ${len(arguments)}",
            *arguments,
        )
    return [INVITATIONS_SEEN.value_of(row) for row in rows]


async def get_invitation(database: Database, invitation_id: str) -> Invitation | None:
    """One invitation."""
    async with database.read() as connection:
        found = await INVITATIONS_SEEN.load_many(connection, [invitation_id])
    return found.get(invitation_id)


async def list_answers(database: Database, invitation_id: str) -> list[Answer]:
    """Every revision of an invitation's answer, oldest first."""
    async with database.read() as connection:
        rows = await fetch_all(
            connection,
            "SELECT invitation_id, revision, score, comment, language, answered_at_ms"
            " FROM survey.answers WHERE invitation_id = $1 ORDER BY revision",
            invitation_id,
        )
    return [Answer(*row) for row in rows]
