"""Never two invitations to one customer inside the cap's window, however many senders run at once."""

import asyncio
import itertools
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.storage import execute, fetch_all
from libs.streams import Due
from libs.streams.batch import run_timers
from services.survey.adapters.tables import CUSTOMERS, INVITATIONS, Customer
from services.survey.adapters.texts import read_definitions
from services.survey.context import Rules, context
from services.survey.domain.invitations import Invitation, State
from services.survey.domain.policy import Policy
from services.survey.handlers import SEND, stream
from services.survey.service import definition
from tests.support.harness import START_MS, ServiceUnderTest, running

_WINDOW = 1000
_RULES = Rules(
    Policy(delays_ms={"web": 0}, cap_ms=_WINDOW, window_ms=60_000), read_definitions()["csat"], "en"
)


def _planned(number: int, customer: str) -> Invitation:
    return Invitation(
        f"00000000-0000-5000-8000-{number:012d}",
        f"c{number}",
        1,
        customer,
        "web",
        "en",
        "csat",
        State.SCHEDULED,
        "solved",
        START_MS,
        START_MS,
    )


async def _send(service: ServiceUnderTest, invitation_id: str, now_ms: int) -> None:
    """One sender with its own clock and transaction, as a process of its own would be."""
    async with replace(service.database).begin() as uow:
        uow.now_ms = now_ms
        await run_timers([Due(SEND, invitation_id, START_MS, b"", now_ms)], stream, context(_RULES)(uow), uow)
        await asyncio.sleep(0)
        await uow.commit()


async def test_two_senders_never_ask_one_customer_inside_the_window() -> None:
    async with running(definition, tasks=False) as service:

        @settings(
            max_examples=40,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
            database=None,
        )
        @given(
            st.lists(
                st.tuples(st.sampled_from(["p1", "p2"]), st.integers(0, 3 * _WINDOW)), min_size=2, max_size=6
            )
        )
        def check(sends: list[tuple[str, int]]) -> None:
            examples.append(sends)

        examples: list[list[tuple[str, int]]] = []
        check()
        for sends in examples:
            await _round(service, sends)


async def _round(service: ServiceUnderTest, sends: list[tuple[str, int]]) -> None:
    async with service.database.begin() as uow:
        await execute(uow.connection, "TRUNCATE survey.invitations, survey.customers CASCADE")
        planned = [_planned(number, customer) for number, (customer, _) in enumerate(sends)]
        for invitation in planned:
            uow.rows(INVITATIONS).put(invitation)
        for customer in {customer for customer, _ in sends}:
            uow.rows(CUSTOMERS).put(Customer(customer, 0))
        await uow.commit()
    await asyncio.gather(
        *(
            _send(service, invitation.invitation_id, START_MS + offset)
            for invitation, (_, offset) in zip(planned, sends, strict=True)
        )
    )
    async with service.database.read() as connection:
        rows = await fetch_all(
            connection,
            "SELECT customer_id, requested_at_ms, state, cancel_reason FROM survey.invitations"
            " ORDER BY customer_id, requested_at_ms",
        )
    for customer in {customer for customer, _ in sends}:
        times = [at for who, at, state, _ in rows if who == customer and state == "requested"]
        assert times, "somebody has to be asked"
        assert all(later - earlier >= _WINDOW for earlier, later in itertools.pairwise(times)), sends
    assert all(state == "requested" or reason == "capped" for _, _, state, reason in rows)
