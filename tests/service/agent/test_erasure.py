"""A customer who is forgotten is not written down again, whatever comes late of them."""

from typing import Any

from libs.contracts import CustomerErased, CustomerIdentified, Reason
from libs.storage import fetch_all
from tests.service.agent.desk import Desk, fresh, received, triaged

MARK = "marker-of-agent"


async def test_what_comes_after_an_erasure_is_kept_without_the_person(desk: Desk) -> None:
    before, after = fresh(), fresh()
    who: Any = {"customer_id": f"customer-{before}"}
    reasons = [Reason(signal="topic", source="word", detail=MARK)]
    await desk.tell(
        CustomerIdentified(**who, display_name=MARK),
        received(before, 1, MARK),
        triaged(before, 1, reasons=reasons, **who),
    )
    await desk.act(before, "notes", {"text": MARK})
    # In one batch with the erasure, before and after it, and in a later one.
    await desk.tell(received(before, 2, MARK, **who), CustomerErased(**who), received(before, 3, MARK, **who))
    await desk.tell(
        received(after, 1, MARK, **who),
        triaged(after, 1, reasons=reasons, **who),
        CustomerIdentified(**who, display_name=MARK),
    )
    async with desk.service.database.read() as connection:
        for table in ("messages", "understandings", "notes", "customers", "conversations"):
            rows = await fetch_all(
                connection, f"SELECT count(*) FROM agent.{table} t WHERE t::text LIKE '%{MARK}%'"
            )
            assert rows == [(0,)], table
    for conversation, messages in ((before, 3), (after, 1)):
        shown = (await desk.person().get(f"/v1/conversations/{conversation}")).json()
        assert len(shown["messages"]["items"]) == messages, "that they wrote is known, and no more"
        assert {one["text"] for one in shown["messages"]["items"]} == {""}
        assert shown["customer"]["id"] == ""
    async with desk.service.client("admin") as admin:
        report = (await admin.get(f"/v1/erasure-reports/{who['customer_id']}")).json()
        assert (report["counts"]["notes"], report["counts"]["customers"]) == (1, 1)
        assert (await admin.get("/v1/erasure-reports/nobody")).status_code == 404
