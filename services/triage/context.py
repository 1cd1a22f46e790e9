"""What the handlers of triage work on, and what they ask outside."""

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from libs.storage import Database, Rows, UnitOfWork
from libs.streams import Erasure, erasures
from services.triage.adapters.rule_book import RuleBook
from services.triage.adapters.tables import (
    CONVERSATIONS,
    CORRECTIONS,
    CUSTOMERS,
    DECISIONS,
    UNNAMED,
    Customer,
    StoredCorrection,
    StoredDecision,
    Unnamed,
)
from services.triage.domain.memory import Conversation
from services.triage.domain.rules import RuleSet
from services.triage.domain.signals import Signals
from services.triage.domain.taxonomy import Taxonomy
from services.triage.ports import Classifier, SecondOpinion, Unclassifiable


@dataclass(frozen=True, slots=True)
class TriageContext:
    """Built for each transaction."""

    uow: UnitOfWork
    taxonomy: Taxonomy
    zone: ZoneInfo
    conversations: Rows[Conversation]
    decisions: Rows[StoredDecision]
    corrections: Rows[StoredCorrection]
    unnamed: Rows[Unnamed]
    customers: Rows[Customer]
    erasures: Rows[Erasure]


@dataclass(frozen=True, slots=True)
class Outside:
    """What is asked before the transaction."""

    classifier: Classifier
    database: Database
    rules: RuleBook
    second: SecondOpinion | None
    """None: nothing leaves this machine."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was asked for one message before the transaction."""

    signals: Signals | Unclassifiable
    rules: RuleSet
    customer: Customer
    contacts: int
    """The customer's conversations of the seven days before the message, with this one."""


def context_of(taxonomy: Taxonomy, zone: ZoneInfo) -> Callable[[UnitOfWork], TriageContext]:
    """How the context of a transaction is built."""

    def build(uow: UnitOfWork) -> TriageContext:
        return TriageContext(
            uow,
            taxonomy,
            zone,
            uow.rows(CONVERSATIONS),
            uow.rows(DECISIONS),
            uow.rows(CORRECTIONS),
            uow.rows(UNNAMED),
            uow.rows(CUSTOMERS),
            erasures(uow),
        )

    return build
