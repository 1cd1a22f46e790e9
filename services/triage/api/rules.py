"""The operator's rules over HTTP: read, put with a version, look at earlier versions, try before they are in force."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from libs.storage import Database
from libs.web import (
    IfMatch,
    NotFound,
    PreconditionFailed,
    Principal,
    Unavailable,
    Unprocessable,
    body_limit,
    check_if_match,
    etag_of,
    require_role,
)
from services.triage.adapters import queries
from services.triage.adapters.rule_book import RuleBook, StaleRules
from services.triage.adapters.rules_reader import RulesError
from services.triage.adapters.rules_writer import plain_rules
from services.triage.adapters.showing import shown
from services.triage.api import rule_schemas as schemas
from services.triage.api.schemas import DecisionOut
from services.triage.domain.classification import Query as TextQuery
from services.triage.domain.decision import decide, nothing_known
from services.triage.domain.dry_run import compare
from services.triage.domain.facts import WEEKDAYS, Circumstances, restored, stored
from services.triage.domain.rules import Rule, RuleSet, try_rules
from services.triage.domain.taxonomy import Taxonomy
from services.triage.ports import Classifier, ClassifierUnavailable, Unclassifiable

Reader = Annotated[Principal, Depends(require_role("agent", "supervisor", "service"))]
Supervisor = Annotated[Principal, Depends(require_role("supervisor"))]
_LARGEST_BODY: Final = 1024 * 1024
_AT_ONCE: Final = 20
"""Conversations compared before others get their turn on the event loop."""
_LONGEST_SECONDS: Final = 10.0


def rules_router(database: Database, classifier: Classifier, taxonomy: Taxonomy, book: RuleBook) -> APIRouter:
    """The routes over these parts."""
    routes = APIRouter(prefix="/v1/rules", tags=["rules"])

    def checked(values: list[dict[str, object]]) -> tuple[Rule, ...]:
        try:
            return book.read(values)
        except RulesError as error:
            faults = [{"rule": f.rule, "field": f.field, "reason": f.reason} for f in error.faults[:50]]
            raise Unprocessable(
                str(error.faults[0]), slug="invalid-rules", extensions={"faults": faults}
            ) from None

    @routes.get("", summary="The rules in force; the ETag is their version")
    async def get_rules(response: Response, _me: Reader) -> schemas.RulesOut:
        found = await book.current()
        response.headers["ETag"] = etag_of(found.version)
        return _rules(found)

    @routes.put("", summary="Replace all rules")
    @body_limit(_LARGEST_BODY)
    async def put_rules(
        body: schemas.RulesIn, response: Response, me: Supervisor, if_match: IfMatch = None
    ) -> schemas.RulesOut:
        """422 names every rule and field that cannot be used; 412 when other rules have been put since they were read."""
        in_force = await book.current()
        check_if_match(if_match, in_force.version)
        wanted = checked(body.rules)
        try:
            found = await book.put(wanted, in_force, me.subject, body.note)
        except StaleRules as stale:
            raise PreconditionFailed(
                "Read it again: it has another version now.", extensions={"current": etag_of(stale.current)}
            ) from None
        response.headers["ETag"] = etag_of(found.version)
        return _rules(found)

    @routes.get("/versions", summary="Who put which version, when and why, newest first")
    async def list_versions(
        _me: Reader,
        before: Annotated[int, Query(ge=1, le=2**62, description="Versions below this one")] = 2**62,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> list[schemas.VersionOut]:
        return [
            schemas.VersionOut(
                version=str(put.version),
                author=put.author,
                note=put.note,
                put_at=put.put_at_ms,
                changes=schemas.ChangesOut.model_validate(put.changes),
            )
            for put in await book.versions(before, limit)
        ]

    @routes.get("/versions/{version}", summary="The rules of an earlier version, to put them again")
    async def get_version(version: Annotated[int, Path(ge=1, le=2**62)], _me: Reader) -> schemas.RulesOut:
        found = await book.version(version)
        if found is None:
            raise NotFound("There is no such version of the rules.")
        return schemas.RulesOut(version=str(version), rules=found)

    @routes.post("/dry-run", summary="What these rules would have decided of the newest conversations")
    @body_limit(_LARGEST_BODY)
    async def dry_run(body: schemas.DryRunIn, _me: Supervisor) -> schemas.DryRunOut:
        """Nothing is changed. The facts of each conversation's newest decision are those that were known then."""
        others, in_force = checked(body.rules), await book.current()
        decisions = await queries.newest_decisions(database, body.last)
        changed = []
        matched = {rule.name: 0 for rule in others}
        for index, one in enumerate(decisions):
            if index % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
            found, ruling = compare(
                one.conversation_id, one.message_seq, restored(one.facts), in_force.rules, others
            )
            for name in {rule for _, rule in ruling.by}:
                matched[name] += 1
            if found is not None:
                changed.append(found)
        return schemas.DryRunOut(
            against=in_force.version,
            conversations=len(decisions),
            changed=len(changed),
            fields={
                name: sum(name in one.fields for one in changed)
                for name in sorted({name for one in changed for name in one.fields})
            },
            set_something=matched,
            examples=[
                schemas.ChangedOut(
                    conversation_id=one.conversation_id,
                    message_seq=one.message_seq,
                    fields={
                        name: schemas.FieldChange(old=old, new=new, by=list(one.by[name]))  # type: ignore[arg-type]  # JSON values
                        for name, (old, new) in one.fields.items()
                    },
                )
                for one in changed[: body.examples]
            ],
        )

    @routes.post("/test", summary="One text through the rules: which matched, and on what the others failed")
    @body_limit(_LARGEST_BODY)
    async def try_one_text(body: schemas.TestIn, _me: Reader) -> schemas.TestOut:
        rules = RuleSet("test", checked(body.rules)) if body.rules is not None else await book.current()
        text = f"{body.subject}\n{body.text}" if body.subject else body.text
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                (signals,) = await classifier.classify([TextQuery(text)])
        except (ClassifierUnavailable, TimeoutError):
            raise Unavailable("Classification is starting again. Ask once more in a few seconds.") from None
        if isinstance(signals, Unclassifiable):
            signals = nothing_known(signals.reason, taxonomy, "")
        given = body.facts
        decision = decide(
            signals,
            Circumstances(
                channel=given.channel,
                account=given.account,
                tier=given.tier,
                attributes=given.attributes,
                contacts_this_week=given.contacts_this_week,
                message_number=given.message_number,
                hour=given.hour,
                weekday=WEEKDAYS[given.weekday],
                earlier_mood=given.earlier_mood,
                earlier_strength=given.earlier_strength,
            ),
            rules,
        )
        tried = try_rules(rules.rules, decision.facts)
        return schemas.TestOut(
            decision=DecisionOut.model_validate(shown(decision)),
            facts=stored(decision.facts),
            rules=[
                schemas.TriedOut(rule=one.rule, matched=one.matched, failed=one.failed, seen=one.seen)
                for one in tried
            ],
            set_by=[schemas.SetBy(field=field, rule=rule) for field, rule in decision.ruling.by],
        )

    return routes


def _rules(found: RuleSet) -> schemas.RulesOut:
    return schemas.RulesOut(version=found.version, rules=plain_rules(found.rules))
