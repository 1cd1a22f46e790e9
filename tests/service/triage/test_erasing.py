"""A customer who is forgotten leaves no word in triage; others keep theirs."""

from libs.contracts import ConversationCorrected, CustomerErased, CustomerIdentified
from libs.storage import fetch_all
from services.triage.service import definition
from services.triage.settings import TriageSettings
from tests.service.triage.test_triage import _message
from tests.support.harness import ServiceUnderTest, running

MARK = "zqmarker"
_TABLES = ("conversations", "decisions", "corrections", "unnamed", "customers")


async def _with(service: ServiceUnderTest, mark: str) -> list[str]:
    """The tables in which the mark stands."""
    found = []
    async with service.database.read() as connection:
        for table in _TABLES:
            if await fetch_all(
                connection, f"SELECT 1 FROM triage.{table} t WHERE t::text LIKE $1", f"%{mark}%"
            ):
                found.append(table)
    return found


async def test_words_decisions_and_what_was_known_of_a_customer_go() -> None:
    async with running(definition) as service:
        await service.publish(
            CustomerIdentified(customer_id="anna", tier="gold", attributes={"company": MARK}),
            CustomerIdentified(customer_id="bob", attributes={"company": "zqother"}),
            ConversationCorrected(
                conversation_id="c1",
                field="topic",
                value="refund",
                human_version=1,
                text=f"{MARK} gone",
                customer_id="anna",
            ),
        )
        await service.settle()
        theirs = _message("zqother parcel where is it", 1, "c9")
        theirs.customer_id = "bob"
        await service.publish(
            _message(f"{MARK} refund me at once", 2, "c1"),
            _message(f"qqx {MARK} wvv zzkp bnmq", 1, "c2"),
            theirs,
        )
        await service.settle()
        assert await _with(service, MARK) != []
        await service.publish(CustomerErased(customer_id="anna"), CustomerErased(customer_id="nobody"))
        await service.settle()
        assert await _with(service, MARK) == []
        assert await _with(service, "anna") == []
        assert "customers" in await _with(service, "zqother")
        assert await _with(service, "c9") == ["conversations", "decisions"]


async def test_what_comes_late_of_a_forgotten_customer_is_neither_kept_nor_quoted() -> None:
    async with running(definition, TriageSettings(encoder=False)) as service:
        await service.publish(CustomerErased(customer_id="anna"))
        await service.settle()
        late = _message(f"{MARK} refund me at once", 1, "c1")
        late.customer_id = "anna"
        correction = ConversationCorrected(
            conversation_id="c1",
            field="topic",
            value="refund",
            human_version=1,
            text=MARK,
            customer_id="anna",
        )
        await service.publish(late, correction)
        await service.settle()
        assert await _with(service, MARK) == []
        assert await _with(service, "anna") == []
        [triaged] = await service.events("ConversationTriaged")
        assert MARK not in str(triaged)
        assert triaged.reasons[0].detail == "the customer was forgotten"
