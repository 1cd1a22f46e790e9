"""Customers over HTTP: who is one person, who says so, and that it can be undone."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.contracts import CustomerIdentified
from libs.storage import fetch_all
from services.ingest.adapters.tables import CUSTOMERS
from services.ingest.adapters.wire import identified
from services.ingest.domain.model import Customer
from tests.service.ingest.conftest import converse
from tests.service.ingest.test_bad_input import slug
from tests.support.harness import START_MS, ServiceUnderTest


@pytest.fixture
async def anna(ingest: ServiceUnderTest) -> AsyncIterator[httpx.AsyncClient]:
    async with ingest.client("agent", "anna") as client:
        yield client


async def known(
    ingest: ServiceUnderTest, customer_id: str, *identities: tuple[str, str, str, bool], **fields: Any
) -> None:
    """A customer is on record, and everybody is told."""
    customer = Customer(
        customer_id, fields.get("name", ""), fields.get("address", ""), "", START_MS, identities
    )
    async with ingest.database.begin() as uow:
        uow.rows(CUSTOMERS).put(customer)
        uow.emit(identified(customer))
        await uow.commit()
    await ingest.settle()


async def test_a_link_is_an_event_of_a_person_and_its_undo_gives_everything_back(
    ingest: ServiceUnderTest, anna: httpx.AsyncClient
) -> None:
    await known(ingest, "k1", ("customer", "", "42", True), name="Ada")
    await known(ingest, "k2", ("chat", "default", "ada", False), name="A. L.", address="ada@x.example")
    before = (await anna.get("/v1/customers/k1")).json()
    body = {"customer_id": "k2", "reason": "same order number"}
    made = await anna.post("/v1/customers/k1/links", json=body)
    assert made.status_code == 200, made.text
    link = made.json()
    assert (link["actor"], link["reason"], link["undone_at"]) == ("anna", "same order number", None)
    assert (await anna.post("/v1/customers/k1/links", json=body)).json() == link, "twice is once"
    [event] = await ingest.events("CustomersLinked")
    assert [(p.person_id, list(p.customer_ids)) for p in event.persons] == [("k1", ["k1", "k2"])]
    assert (event.customer_id, event.joined_customer_id, event.version, event.actor) == (
        "k1",
        "k2",
        1,
        "anna",
    )
    both = (await anna.get("/v1/customers/k2")).json()
    assert (both["person_id"], both["customer_ids"]) == ("k1", ["k1", "k2"])
    assert (both["display_name"], both["address"]) == ("Ada", "ada@x.example")
    assert {one["external_id"] for one in both["identities"]} == {"42", "ada"}

    [conflict] = (await anna.get("/v1/customers/conflicts")).json()["items"]
    assert (conflict["field"], conflict["values"]) == ("display_name", {"k1": "Ada", "k2": "A. L."})
    wrong = await anna.post(f"/v1/customers/conflicts/{conflict['conflict_id']}", json={"customer_id": "k9"})
    assert (wrong.status_code, slug(wrong)) == (422, "not-of-this-conflict")
    for _ in range(2):
        decided = await anna.post(
            f"/v1/customers/conflicts/{conflict['conflict_id']}", json={"customer_id": "k2"}
        )
        assert (decided.json()["state"], decided.json()["decided_by"]) == ("decided", "anna")
    assert (await anna.get("/v1/customers/k1")).json()["display_name"] == "A. L."

    for _ in range(2):
        undone = await anna.post(f"/v1/customers/links/{link['link_id']}/undo", json={"reason": "sisters"})
        assert (undone.json()["undone_by"], undone.json()["undone_reason"]) == ("anna", "sisters")
    [event] = await ingest.events("CustomersUnlinked")
    assert sorted((p.person_id, list(p.customer_ids)) for p in event.persons) == [
        ("k1", ["k1"]),
        ("k2", ["k2"]),
    ]
    assert event.version == 2
    after = (await anna.get("/v1/customers/k1")).json()
    assert {**after, "links": []} == before, "the name that was decided is taken back too"
    names = [e.display_name for e in await ingest.events("CustomerIdentified") if e.customer_id == "k1"]
    assert names == ["Ada", "A. L.", "Ada"]


async def test_what_cannot_be_linked_is_refused(ingest: ServiceUnderTest, anna: httpx.AsyncClient) -> None:
    for one in ("a", "b", "c"):
        await known(ingest, one)
    for other in ("b", "c"):
        await anna.post("/v1/customers/a/links", json={"customer_id": other, "reason": "same"})
    again = await anna.post("/v1/customers/b/links", json={"customer_id": "c", "reason": "same"})
    assert (again.status_code, slug(again)) == (409, "same-person")
    itself = await anna.post("/v1/customers/a/links", json={"customer_id": "a", "reason": "same"})
    assert (itself.status_code, slug(itself)) == (409, "same-person")
    nobody = await anna.post("/v1/customers/a/links", json={"customer_id": "zz", "reason": "same"})
    assert (nobody.status_code, slug(nobody)) == (404, "unknown-customer")
    for path, body in (
        ("links/zz/undo", {"reason": "x"}),
        ("proposals/zz", {"decision": "link", "reason": "x"}),
        ("conflicts/zz", {"customer_id": "a"}),
    ):
        assert (await anna.post(f"/v1/customers/{path}", json=body)).status_code == 404
    async with ingest.client("service", "shop") as shop:
        forbidden = await shop.post("/v1/customers/a/links", json={"customer_id": "b", "reason": "x"})
    assert forbidden.status_code == 403, "a person decides"


async def test_a_shared_address_is_proposed_and_a_vouched_number_links_by_rule(
    ingest: ServiceUnderTest, anna: httpx.AsyncClient
) -> None:
    await known(ingest, "m1", ("mail", "default", "ada@x.example", False))
    await known(ingest, "m2", address="Ada@x.example")
    await known(ingest, "m3", address="ada@x.example")
    page = (await anna.get("/v1/customers/proposals", params={"limit": 2})).json()
    assert page["next_cursor"]
    assert page["items"][0]["evidence"] == ["both were seen with the mail address ada@x.example"]
    rest = await anna.get("/v1/customers/proposals", params={"limit": 2, "cursor": page["next_cursor"]})
    proposals = {tuple(sorted(one["customers"])): one for one in (*page["items"], *rest.json()["items"])}
    assert set(proposals) == {("m1", "m2"), ("m1", "m3"), ("m2", "m3")}
    assert await ingest.events("CustomersLinked") == [], "an address that somebody claims links nobody"

    dismissed = proposals["m1", "m3"]["proposal_id"]
    await anna.post(f"/v1/customers/proposals/{dismissed}", json={"decision": "dismiss", "reason": "a test"})
    accepted = proposals["m1", "m2"]["proposal_id"]
    answer = await anna.post(
        f"/v1/customers/proposals/{accepted}", json={"decision": "link", "reason": "she said so"}
    )
    assert answer.json()["state"] == "linked"
    late = await anna.post(
        f"/v1/customers/proposals/{accepted}", json={"decision": "dismiss", "reason": "no"}
    )
    assert (late.status_code, slug(late)) == (409, "proposal-decided")
    [event] = await ingest.events("CustomersLinked")
    assert (event.actor, event.reason) == ("anna", "she said so")
    await ingest.publish(CustomerIdentified(customer_id="m3"))
    await ingest.settle()
    waiting = (await anna.get("/v1/customers/proposals")).json()["items"]
    assert [sorted(one["customers"]) for one in waiting] == [["m2", "m3"]], "what was decided stays decided"

    await known(ingest, "p1", ("sms", "default", "+40722000111", True))
    await known(ingest, "p2", ("whatsapp", "shop", "40722000111", True))
    await known(ingest, "p3", ("voice", "shop", "+40722000111", False))
    [by_rule] = [e for e in await ingest.events("CustomersLinked") if e.actor != "anna"]
    assert (by_rule.actor, sorted(by_rule.persons[0].customer_ids)) == ("rule:same-number", ["p1", "p2"])
    [link] = (await anna.get("/v1/customers/p2")).json()["links"]
    await anna.post(f"/v1/customers/links/{link['link_id']}/undo", json={"reason": "a shared phone"})
    await ingest.publish(CustomerIdentified(customer_id="p2"))
    await ingest.settle()
    assert (await anna.get("/v1/customers/p2")).json()["customer_ids"] == ["p2"], "no rule links them again"


async def test_attributes_are_set_by_the_operators_systems_and_told(ingest: ServiceUnderTest) -> None:
    async with ingest.client("service", "shop") as shop:
        headers = {"Idempotency-Key": "one"}
        state = await converse(ingest, shop, sender={"external_id": "42", "name": "Ada"}, headers=headers)
        found = (await shop.get("/v1/customers", params={"external_id": "42"})).json()
        customer_id = found["customer_id"]
        path = f"/v1/customers/{customer_id}"
        first = {"tier": "gold", "attributes": {"plan": "premium", "size": "m"}}
        await shop.patch(path, json=first)
        shown = (await shop.patch(path, json={"attributes": {"size": None, "orders": "3"}})).json()
        assert (shown["tier"], shown["attributes"]) == ("gold", {"orders": "3", "plan": "premium"})
        many = {"attributes": {f"n{number}": "x" for number in range(49)}}
        assert slug(await shop.patch(path, json=many)) == "too-many-attributes"
        assert (await shop.patch("/v1/customers/zz", json={})).status_code == 404
        assert (await shop.get("/v1/customers", params={"external_id": "43"})).status_code == 404
    async with ingest.client("agent") as agent:
        assert (await agent.patch(path, json={"tier": "x"})).status_code == 403
    told = (await ingest.events("CustomerIdentified"))[-1]
    assert (told.tier, dict(told.attributes)) == ("gold", {"orders": "3", "plan": "premium"})
    assert state["conversation_id"]
    async with ingest.database.read() as connection:
        rows = await fetch_all(
            connection, "SELECT attributes->>'plan' FROM ingest.customers WHERE customer_id = $1", customer_id
        )
    assert rows == [("premium",)]
