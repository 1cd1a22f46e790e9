"""Routes of triage."""

import asyncio
import dataclasses
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from libs.storage import Database
from libs.web import NotFound, Page, PageParams, Principal, Unavailable, body_limit, make_page, require_role
from services.triage.adapters import queries
from services.triage.adapters.plain_words import PlainWords
from services.triage.adapters.rule_book import RuleBook
from services.triage.adapters.showing import shown
from services.triage.adapters.tables import StoredDecision
from services.triage.api import schemas
from services.triage.domain.classification import Query as TextQuery
from services.triage.domain.decision import decide, nothing_known
from services.triage.domain.explaining import explain
from services.triage.domain.facts import Circumstances
from services.triage.domain.taxonomy import Taxonomy
from services.triage.ports import Classifier, ClassifierUnavailable, Unclassifiable

Staff = Annotated[Principal, Depends(require_role("agent", "supervisor", "service"))]
_KIND: Final = "decisions-newest"
_Filter = Annotated[str | None, Query(max_length=64)]
# 64 KB of text may be six times as long when every character is escaped.
_LARGEST_BODY: Final = 512 * 1024
_LONGEST_SECONDS: Final = 10.0


def router(database: Database, classifier: Classifier, taxonomy: Taxonomy, book: RuleBook) -> APIRouter:
    """The routes over these parts."""
    routes = APIRouter(prefix="/v1", tags=["triage"])

    @routes.post("/classify", summary="All signals of a text, with reasons")
    @body_limit(_LARGEST_BODY)
    async def classify(body: schemas.ClassifyBody, _me: Staff) -> schemas.DecisionOut:
        text = f"{body.subject}\n{body.text}" if body.subject else body.text
        query = TextQuery(text, body.earlier_language, body.language_hint)
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                (signals,) = await classifier.classify([query])
        except (ClassifierUnavailable, TimeoutError):
            raise Unavailable("Classification is starting again. Ask once more in a few seconds.") from None
        if isinstance(signals, Unclassifiable):
            signals = nothing_known(signals.reason, taxonomy, "")
        decision = decide(signals, Circumstances(channel=body.channel), await book.current())
        return schemas.DecisionOut.model_validate(shown(decision))

    @routes.get("/conversations/{conversation_id}", summary="The last decision on a conversation")
    async def get_conversation(
        conversation_id: Annotated[str, Path(min_length=1, max_length=100)], _me: Staff
    ) -> schemas.ConversationOut:
        found = await queries.last_decision(database, conversation_id)
        if found is None:
            raise NotFound("Triage has decided nothing on this conversation.")
        return schemas.ConversationOut(
            conversation_id=found.conversation_id,
            message_id=found.message_id,
            message_seq=found.message_seq,
            human_version=found.human_version,
            decided_at=found.decided_at_ms,
            decision=schemas.DecisionOut.model_validate(found.detail),
        )

    labels = {topic.key: topic.label for topic in taxonomy.topics}
    words = PlainWords()

    @routes.get(
        "/conversations/{conversation_id}/explanation", summary="Why it was decided so, also in plain words"
    )
    async def get_explanation(
        conversation_id: Annotated[str, Path(min_length=1, max_length=100)],
        _me: Staff,
        language: Annotated[
            str,
            Query(
                max_length=20,
                description="Of the sentences, such as it or pt-BR; English when there are none",
            ),
        ] = "",
        message_seq: Annotated[
            int | None, Query(ge=1, le=2**62, description="Another message than the newest")
        ] = None,
    ) -> schemas.ExplanationOut:
        found = await queries.last_decision(database, conversation_id, message_seq)
        if found is None:
            raise NotFound("Triage has decided nothing on this conversation, or not on that message.")
        known = found.detail["policy_version"] == taxonomy.version
        explanation = explain(found.detail, dataclasses.asdict(taxonomy.thresholds) if known else {})
        chosen = words.language_for(language)
        return schemas.ExplanationOut.model_validate(
            {
                "conversation_id": conversation_id,
                "message_seq": found.message_seq,
                "language": chosen,
                "sentences": words.say(explanation, found.detail, labels, chosen),
                "model_version": found.detail["model_version"],
                "policy_version": found.detail["policy_version"],
                "rules_version": found.detail.get("rules_version", ""),
                **dataclasses.asdict(explanation),
            }
        )

    @routes.get("/decisions", summary="Decisions, newest first")
    async def list_decisions(
        request: Request,
        response: Response,
        _me: Staff,
        page: PageParams,
        topic: _Filter = None,
        kind: _Filter = None,
        language: _Filter = None,
    ) -> Page[schemas.DecisionItem]:
        after = page.after(_KIND, int, str, int)
        rows = await queries.decisions(
            database, topic, kind, language, (after[0], after[1], after[2]) if after else None, page.limit + 1
        )
        return make_page(
            request,
            response,
            page,
            rows,
            kind=_KIND,
            key=lambda row: (row.decided_at_ms, row.conversation_id, row.message_seq),
            show=_item,
        )

    @routes.get("/taxonomy", summary="Topics, thresholds and rules in force")
    async def get_taxonomy(_me: Staff) -> schemas.TaxonomyOut:
        limits = taxonomy.thresholds
        return schemas.TaxonomyOut(
            version=taxonomy.version,
            languages=list(taxonomy.languages),
            topics=[schemas.TopicOut(key=t.key, label=t.label, about=t.about) for t in taxonomy.topics],
            thresholds=schemas.ThresholdsOut.model_validate(dataclasses.asdict(limits)),
            rules=[rule.name for rule in (await book.current()).rules],
        )

    return routes


def _item(row: StoredDecision) -> schemas.DecisionItem:
    return schemas.DecisionItem(
        conversation_id=row.conversation_id,
        message_id=row.message_id,
        message_seq=row.message_seq,
        topic=row.topic,
        topic_confidence=round(row.topic_confidence, 4),
        kind=row.kind,
        language=row.language,
        decided_at=row.decided_at_ms,
    )
