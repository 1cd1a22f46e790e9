"""Signals, facts of the message and what people said before become one decision."""

from dataclasses import dataclass, replace

from services.triage.domain.signals import UNKNOWN, Reason, Signal, Signals
from services.triage.domain.taxonomy import Ruling, Taxonomy, apply_rules

_HEADER_SURE = 0.99


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a message beside its text."""

    channel: str = ""
    """web, chat, mail, api or empty."""
    automatic: bool = False
    """Mail headers say that no person wrote it."""
    survey_answer: bool = False
    corrected_topic: str = ""
    """The topic a person has set in this episode, or empty."""
    tags_corrected: bool = False
    """A person has set the tags in this episode."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What triage says of one message."""

    signals: Signals
    ruling: Ruling
    reasons: tuple[Reason, ...]
    """All of them: for the signals and for what the rules set."""


def decide(signals: Signals, circumstances: Circumstances, taxonomy: Taxonomy) -> Decision:
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
    ruling = apply_rules(
        taxonomy.rules,
        {
            "topic": signals.topic.value,
            "kind": signals.kind.value,
            "language": signals.language.value,
            "urgency": signals.urgency.value,
            "channel": circumstances.channel,
        },
        {
            "anger": signals.anger,
            "wish_for_person": signals.wish_for_person,
            "spam": signals.spam,
            "topic_confidence": signals.topic.confidence,
            "kind_confidence": signals.kind.confidence,
        },
    )
    if circumstances.tags_corrected:
        ruling = replace(ruling, tags=(), by=tuple(item for item in ruling.by if item[0] != "tags"))
        reasons.append(Reason("tags", "prior", "set by a person"))
    reasons += [Reason(field, "rule", name) for field, name in ruling.by]
    return Decision(signals, ruling, tuple(reasons))


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
