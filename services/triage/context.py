"""What the handlers of triage work on, and what they ask outside."""

from collections.abc import Callable
from dataclasses import dataclass

from libs.storage import Database, Rows, UnitOfWork
from services.triage.adapters.tables import (
    CONVERSATIONS,
    CORRECTIONS,
    DECISIONS,
    UNNAMED,
    StoredCorrection,
    StoredDecision,
    Unnamed,
)
from services.triage.domain.memory import Conversation
from services.triage.domain.taxonomy import Taxonomy
from services.triage.ports import Classifier


@dataclass(frozen=True, slots=True)
class TriageContext:
    """Built for each transaction."""

    uow: UnitOfWork
    taxonomy: Taxonomy
    conversations: Rows[Conversation]
    decisions: Rows[StoredDecision]
    corrections: Rows[StoredCorrection]
    unnamed: Rows[Unnamed]


@dataclass(frozen=True, slots=True)
class Outside:
    """What is asked before the transaction."""

    classifier: Classifier
    database: Database


def context_of(taxonomy: Taxonomy) -> Callable[[UnitOfWork], TriageContext]:
    """How the context of a transaction is built."""

    def build(uow: UnitOfWork) -> TriageContext:
        return TriageContext(
            uow,
            taxonomy,
            uow.rows(CONVERSATIONS),
            uow.rows(DECISIONS),
            uow.rows(CORRECTIONS),
            uow.rows(UNNAMED),
        )

    return build
