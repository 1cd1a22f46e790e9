"""What an agent sees of a person follows links and their undo, in whatever order the two come."""

import itertools

import pytest

from libs.contracts import CustomerIdentified, Identity
from tests.service.agent.desk import Desk, fresh, received
from tests.support.harness import START_MS
from tests.support.persons import linked, unlinked


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
async def test_profile_and_history_follow_a_link_in_any_order(desk: Desk, order: tuple[int, ...]) -> None:
    mine, theirs = fresh(), fresh()
    one, other = f"customer-{mine}", f"customer-{theirs}"
    await desk.tell(
        CustomerIdentified(customer_id=one, first_seen_at_ms=START_MS),
        CustomerIdentified(
            customer_id=other,
            display_name="Ada",
            first_seen_at_ms=START_MS - 5000,
            identities=[Identity(channel="customer", external_id="42", verified=True)],
            attributes={"plan": "gold"},
        ),
        received(mine, 1),
        received(theirs, 1),
    )
    steps = [linked(one, other), unlinked(one, other), linked(other, one, version=3)]
    for step in order:
        await desk.tell(steps[step])
    shown = (await desk.person().get(f"/v1/conversations/{mine}")).json()
    assert (shown["customer"]["id"], shown["customer"]["linked_ids"]) == (one, [other])
    assert (shown["customer"]["name"], shown["customer"]["attributes"]) == ("Ada", {"plan": "gold"})
    assert [i["external_id"] for i in shown["customer"]["identities"]] == ["42"]
    assert [e["id"] for e in shown["history"]["conversations"]] == [theirs]
    await desk.tell(unlinked(other, one, version=4))
    shown = (await desk.person().get(f"/v1/conversations/{mine}")).json()
    assert (shown["customer"]["name"], shown["customer"]["linked_ids"]) == ("", [])
    assert shown["history"]["conversations"] == []
