"""A decision as JSON: what the API shows and the rows keep."""

from typing import Any, Final

from services.triage.domain.decision import Decision
from services.triage.domain.entities import RULES_VERSION, masked

LONGEST_DETAIL: Final = 120
"""Characters of a reason that are told."""


def shown(decision: Decision) -> dict[str, Any]:
    """A decision as the API shows it."""
    signals, ruling = decision.signals, decision.ruling
    return {
        "language": {"value": signals.language.value, "confidence": round(signals.language.confidence, 4)},
        "topic": {"value": signals.topic.value, "confidence": round(signals.topic.confidence, 4)},
        "best_topic": signals.best_topic,
        "second_topic": {
            "value": signals.second_topic.value,
            "confidence": round(signals.second_topic.confidence, 4),
        },
        "out_of_scope": round(signals.out_of_scope, 4),
        "kind": {"value": signals.kind.value, "confidence": round(signals.kind.confidence, 4)},
        "urgency": {"value": signals.urgency.value, "confidence": round(signals.urgency.confidence, 4)},
        "anger": round(signals.anger, 4),
        "disappointment": round(signals.disappointment, 4),
        "joy": round(signals.joy, 4),
        "mood": {"value": signals.mood.value, "confidence": round(signals.mood.confidence, 4)},
        "mood_strength": round(signals.mood_strength, 4),
        "mood_level": decision.facts["mood_level"],
        "mood_turn": decision.facts["mood_turn"],
        "complexity": round(signals.complexity, 4),
        "self_service": round(signals.self_service, 4),
        "wish_for_person": round(signals.wish_for_person, 4),
        "spam": round(signals.spam, 4),
        "known_share": round(signals.known_share, 4),
        "handling": ruling.handling,
        "priority": ruling.priority,
        "tags": list(ruling.tags),
        "required_skills": list(ruling.skills),
        "queue_hint": ruling.queue_hint,
        "macro": ruling.macro,
        "reply": ruling.reply,
        "escalate": ruling.escalate,
        "entities": [
            {
                "kind": entity.kind,
                "value": masked(entity),
                "start": entity.start,
                "end": entity.end,
                "confidence": entity.confidence,
                "rule": entity.rule,
                "personal": entity.personal,
            }
            for entity in signals.entities
        ],
        "model_version": signals.model_version,
        "entity_rules_version": RULES_VERSION,
        "policy_version": signals.policy_version,
        "rules_version": decision.rules_version,
        "reasons": [
            {
                "signal": reason.signal,
                "source": reason.source,
                "detail": reason.detail[:LONGEST_DETAIL],
                "weight": round(reason.weight, 4),
                "start": reason.start,
                "end": reason.end,
            }
            for reason in decision.reasons
        ],
    }
