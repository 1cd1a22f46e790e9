"""Offers and conversations with all that a person's screen shows of them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.routing.adapters import queries, screens
from services.routing.adapters.known_directories import KnownDirectories, QueueNames
from services.routing.adapters.rows import FeedRow
from services.routing.adapters.screens import Facts, Why
from services.routing.api import schemas, views
from services.routing.api.shapes import instant
from services.routing.api.words import why

_WHOLE = ("offer", "assigned")


async def open_offers(
    connection: AsyncConnection, known: KnownDirectories, agent_id: str
) -> list[schemas.Offer]:
    """The agent's open offers, oldest first."""
    directory = await known.about(connection, agent_id=agent_id)
    rows = await queries.open_offers(connection, agent_id)
    facts = await screens.facts_of(connection, [row.offer.conversation_id for row, _ in rows])
    made = [(row.offer.conversation_id, row.offer.made_at_ms) for row, _ in rows]
    decisions = await screens.whys(connection, made)
    names = await known.names(connection, [row.offer.queue_id or item.item.queue_id for row, item in rows])
    return [
        schemas.Offer.model_validate(
            {
                **views.offer_facts(row, item.item, directory),
                **_shown(facts[row.offer.conversation_id], names, row.offer.queue_id),
                "why": why(decisions.get(place), agent_id, row.offer.transfer_from),
            }
        )
        for (row, item), place in zip(rows, made, strict=True)
    ]


async def assignments(
    connection: AsyncConnection, known: KnownDirectories, agent_id: str
) -> list[schemas.InHand]:
    """The agent's conversations, the most urgent first."""
    directory = await known.about(connection, agent_id=agent_id)
    rows = await queries.assignments(connection, agent_id)
    facts = await screens.facts_of(connection, [row.item.conversation_id for row in rows])
    names = await known.names(connection, [one.queue_id for one in facts.values()])
    return [
        schemas.InHand.model_validate(
            {
                **views.assignment_facts(row.item, directory),
                **_shown(facts[row.item.conversation_id], names),
            }
        )
        for row in rows
    ]


def beside(
    line: FeedRow,
    facts: Mapping[str, Facts],
    decisions: Mapping[tuple[str, int], Why],
    names: Mapping[str, QueueNames],
) -> dict[str, Any]:
    """What a line of the feed does not say itself about the conversation it names."""
    conversation_id = str(line.payload.get("conversation_id", ""))
    seen = facts.get(conversation_id)
    if seen is None:
        return {}
    queue_id = str(line.payload.get("queue_id") or "")
    more = _shown(seen, names, queue_id)
    if line.kind == "offer":
        decision = decisions.get((conversation_id, int(line.payload["made_at_ms"])))
        reason = why(decision, line.agent_id, str(line.payload.get("transfer_from", "")))
        more["why"] = reason.model_dump() if reason else None
    if line.kind not in _WHOLE:
        more |= {"queue_id": queue_id or seen.queue_id, "case_reference": seen.case_reference}
        del more["clocks"]
    return more


def _shown(facts: Facts, names: Mapping[str, QueueNames], queue_id: str = "") -> dict[str, Any]:
    named = names.get(queue_id or facts.queue_id, QueueNames())
    return {
        "customer": {"customer_id": facts.customer_id, "name": facts.customer},
        "queue_name": named.queue,
        "team_name": named.team,
        "clocks": [
            {
                "metric": clock["metric"],
                "state": clock["state"],
                "due_at": instant(clock["due_ms"]),
                "breached": clock["breached_due_ms"] > 0,
            }
            for clock in facts.clocks
            if clock["state"] in ("running", "paused")
        ],
    }
