"""Numbers of cases from a fresh database, by one process and by several."""

from services.ingest.adapters.case_numbers import CaseNumbers
from services.ingest.domain.reference import reference_of
from tests.support.harness import ServiceUnderTest


async def test_references_are_given_once_also_by_two_processes_and_none_is_all_zeros(
    ingest: ServiceUnderTest,
) -> None:
    taken: list[str] = []
    one, other = CaseNumbers(), CaseNumbers()
    async with ingest.database.begin() as uow:
        # First as many as a block holds, of a block that lacks its zero.
        for numbers, count in ((one, 1000), (other, 1000), (one, 3), (other, 700)):
            await numbers.have(count, uow.connection)
            taken += [numbers.take() for _ in range(count)]
    assert len(set(taken)) == len(taken)
    assert reference_of(0) not in taken
