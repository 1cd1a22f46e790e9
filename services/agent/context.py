"""What handlers and HTTP operations work on: the rows of one transaction."""

from dataclasses import dataclass
from typing import Final

from libs.storage import Rows, UnitOfWork
from libs.streams import Erasure, erasures
from services.agent.adapters import rows
from services.agent.adapters.rows import Customer, Note, Person, Personhood, Team
from services.agent.domain.conversation import Conversation, Understanding
from services.agent.domain.notices import Notices
from services.agent.domain.placement import Placement
from services.agent.domain.timeline import Entry


@dataclass(frozen=True, slots=True)
class AgentContext:
    """Built for each transaction."""

    uow: UnitOfWork
    conversations: Rows[Conversation]
    placements: Rows[Placement]
    messages: Rows[Entry]
    understandings: Rows[Understanding]
    notes: Rows[Note]
    customers: Rows[Customer]
    persons: Rows[Personhood]
    erasures: Rows[Erasure]
    teams: Rows[Team]
    people: Rows[Person]
    notices: Notices


SILENT: Final = Notices({}, "", 0)
"""Nothing is told: what people do at their desks tells nobody anything by itself."""


def context(uow: UnitOfWork, notices: Notices = SILENT) -> AgentContext:
    """The context of a transaction."""
    return AgentContext(
        uow,
        uow.rows(rows.CONVERSATIONS),
        uow.rows(rows.PLACEMENTS),
        uow.rows(rows.MESSAGES),
        uow.rows(rows.UNDERSTANDINGS),
        uow.rows(rows.NOTES),
        uow.rows(rows.CUSTOMERS),
        uow.rows(rows.PERSONS),
        erasures(uow),
        uow.rows(rows.TEAMS),
        uow.rows(rows.PEOPLE),
        notices,
    )
