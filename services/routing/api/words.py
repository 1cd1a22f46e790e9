"""Why an offer was made, in a sentence for the person who gets it."""

from collections.abc import Mapping
from typing import Final

from services.routing.adapters.screens import Why
from services.routing.api import schemas

_RULES: Final[Mapping[str, str]] = {
    "least_flexible": "of those with room you are asked for by the fewest others",
    "longest_idle": "of those with room you have been free the longest",
    "most_room": "you have the most room",
    "best_level": "of those with room you know it best",
    "round_robin": "it is your turn",
}


def why(decision: Why | None, agent_id: str, transfer_from: str) -> schemas.Why | None:
    """The reason of an offer; None when its explanation is no longer kept."""
    if decision is None:
        return None
    rule = decision.rule or ("agent_free" if decision.cause == "agent-free" else "")
    return schemas.Why(
        decision_id=decision.decision_id,
        cause=decision.cause,
        rule=rule,
        ring=decision.ring,
        by=decision.by or None,
        note=decision.note,
        text=_sentence(decision, agent_id, transfer_from),
    )


def _sentence(decision: Why, agent_id: str, transfer_from: str) -> str:
    by = decision.by or transfer_from
    if by:
        said = f"{by} asks you to take it"
        return f"{said}: {decision.note}" if decision.note else f"{said}."
    if decision.held_for == agent_id:
        return "You had this conversation before."
    if decision.cause == "agent-free":
        text = "you have room, and of all that you can take it is the next"
    else:
        text = _RULES.get(decision.rule, "you can take it")
    if decision.ring:
        text += ", after nobody closer to it was free"
    return f"{text[0].upper()}{text[1:]}."
