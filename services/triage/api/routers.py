"""All routes of triage."""

from collections.abc import Sequence

from fastapi import APIRouter

from libs.storage import Database
from services.triage.adapters.rule_book import RuleBook
from services.triage.api.drift import drift_router
from services.triage.api.routes import router
from services.triage.api.rules import rules_router
from services.triage.domain.drift import Limits
from services.triage.domain.taxonomy import Taxonomy
from services.triage.ports import Classifier


def routers(
    database: Database, classifier: Classifier, taxonomy: Taxonomy, rules: RuleBook, limits: Limits
) -> Sequence[APIRouter]:
    """In the order of the reference page."""
    return [
        router(database, classifier, taxonomy, rules),
        rules_router(database, classifier, taxonomy, rules),
        drift_router(database, limits),
    ]
