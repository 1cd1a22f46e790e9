"""A rule put over HTTP moves a conversation: triage decides by it, and routing does as it says."""

from typing import Any

from libs.contracts import ConversationTriaged, ReplySent, Urgency
from services.triage.service import definition
from tests.service.routing.scenes import Scene, opened, scene
from tests.service.triage.test_rules import PARCEL, _put
from tests.service.triage.test_triage import _decisions, _message
from tests.support.harness import running

RULES: list[dict[str, Any]] = [
    {
        "name": "it turns",
        "when": {"mood_turn": "worse"},
        "then": {"escalate": "mood-turned", "queue_hint": "product-specialists"},
    },
    {
        "name": "parcels of premium",
        "when": {"topic": "delivery"},
        "then": {"queue_hint": "billing", "priority": 1},
    },
]
FURIOUS = PARCEL + " IDIOTS!!! thieves, liars, I will sue you, never again"


async def _item(routing: Scene, conversation_id: str) -> Any:
    return await routing.get(f"/v1/conversations/{conversation_id}")


async def test_a_rule_moves_a_conversation_its_turn_moves_it_again_and_a_person_is_not_overruled() -> None:
    async with running(definition) as triage:
        await triage.publish(_message(PARCEL, 1, "before"))
        await triage.settle()
        await _put(triage, RULES)
        await triage.publish(_message(PARCEL, 1, "ruled"), _message(PARCEL, 1, "answered"))
        await triage.settle()
        await triage.publish(_message(FURIOUS, 2, "ruled"), _message(FURIOUS, 2, "answered"))
        said: dict[tuple[str, int], ConversationTriaged] = {
            (event.conversation_id, event.message_seq): event for event in await _decisions(triage)
        }
    async with scene() as routing:
        for name in ("before", "ruled", "answered"):
            await routing.service.publish(opened(name), said[name, 1])
        await routing.service.settle()
        assert (await _item(routing, "before"))["queue_id"] == "orders"
        ruled = await _item(routing, "ruled")
        assert (ruled["queue_id"], ruled["urgency"]) == ("billing", "high")
        await routing.service.publish(
            ReplySent(
                reply_id="r1",
                conversation_id="answered",
                episode=1,
                agent_id="ada",
                human=True,
                human_version=1,
            )
        )
        await routing.service.settle()
        await routing.service.publish(said["ruled", 2], said["answered", 2])
        await routing.service.settle()
        assert (await _item(routing, "ruled"))["queue_id"] == "product-specialists"
        # Somebody has taken care of this one: triage's later word raises its urgency at most.
        assert (await _item(routing, "answered"))["queue_id"] == "billing"
    assert said["ruled", 1].urgency == Urgency.URGENCY_NORMAL
