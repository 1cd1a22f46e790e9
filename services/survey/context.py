"""What handlers and HTTP operations work on: the rows of one transaction, and what the operator has set."""

from collections.abc import Callable
from dataclasses import dataclass

from libs.storage import Rows, UnitOfWork
from libs.streams import Erasure, erasures
from services.survey.adapters import tables
from services.survey.adapters.tables import Answer, Customer, Person
from services.survey.domain.definitions import Definition
from services.survey.domain.invitations import Invitation
from services.survey.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Rules:
    """What stays the same for the life of the process."""

    policy: Policy
    definition: Definition
    """The one that is sent out."""
    default_language: str


@dataclass(frozen=True, slots=True)
class SurveyContext:
    """Built for each transaction."""

    uow: UnitOfWork
    rules: Rules
    invitations: Rows[Invitation]
    customers: Rows[Customer]
    persons: Rows[Person]
    answers: Rows[Answer]
    erasures: Rows[Erasure]


def context(rules: Rules) -> Callable[[UnitOfWork], SurveyContext]:
    """Makes the contexts of transactions."""

    def make(uow: UnitOfWork) -> SurveyContext:
        return SurveyContext(
            uow,
            rules,
            uow.rows(tables.INVITATIONS),
            uow.rows(tables.CUSTOMERS),
            uow.rows(tables.PERSONS),
            uow.rows(tables.ANSWERS),
            erasures(uow),
        )

    return make
