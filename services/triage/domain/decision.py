"""Signals, facts of the message and what people said before become one decision."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.triage.domain.facts import Circumstances, facts_of
from services.triage.domain.rules import Fact, RuleSet, Ruling, apply_rules
from services.triage.domain.signals import UNKNOWN, Reason, Signal, Signals
from services.triage.domain.taxonomy import Taxonomy

_HEADER_SURE = 0.99


@dataclass(frozen=True, slots=True)
class Decision:
    """What triage says of one message."""

    signals: Signals
    ruling: Ruling
    reasons: tuple[Reason, ...]
    """All of them: for the signals and for what the rules set."""
    facts: Mapping[str, Fact]
    """What the rules compared."""
    rules_version: str


def decide(signals: Signals, circumstances: Circumstances, rules: RuleSet) -> Decision:
    """Headers beat the model, people beat both; then the operator's rules."""
    reasons = list(signals.reasons)
    if circumstances.survey_answer:
        signals = replace(signals, kind=Signal("survey_answer", 1.0))
        reasons.append(Reason("kind", "header", "the answer to an open survey"))
    elif circumstances.automatic:
        signals = replace(signals, kind=Signal("automatic", _HEADER_SURE))
        reasons.append(Reason("kind", "header", "mail headers say that no person wrote it"))
    if circumstances.corrected_topic:
        signals = replace(signals, topic=Signal(circumstances.corrected_topic, 1.0))
        reasons.append(Reason("topic", "prior", "set by a person"))
    facts = facts_of(signals, circumstances)
    ruling = apply_rules(rules.rules, facts)
    if circumstances.tags_corrected:
        ruling = replace(ruling, tags=(), by=tuple(item for item in ruling.by if item[0] != "tags"))
        reasons.append(Reason("tags", "prior", "set by a person"))
    reasons += [Reason(field, "rule", name) for field, name in ruling.by]
    return Decision(signals, ruling, tuple(reasons), facts, rules.version)


def nothing_known(reason: str, taxonomy: Taxonomy, model_version: str) -> Signals:
    """The signals of a text that could not be classified: unsure, so that a person sees it."""
    return Signals(
        language=Signal("und", 0.0),
        topic=Signal(UNKNOWN, 0.0),
        best_topic=UNKNOWN,
        kind=Signal("unsure", 0.0),
        urgency=Signal("normal", 0.0),
        anger=0.0,
        wish_for_person=0.0,
        spam=0.0,
        known_share=0.0,
        model_version=model_version,
        policy_version=taxonomy.version,
        reasons=(Reason("kind", "threshold", reason),),
    )
