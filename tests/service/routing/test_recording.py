"""What a running service decided is decided again from its recording."""

from __future__ import annotations

from services.operators.record import recorded
from services.routing.domain.engine import Rows
from services.routing.domain.model import PoolState
from services.routing.simulation.recording import Recording, canonical
from services.routing.simulation.replay import decisions_of
from services.routing.workers import default_directory
from tests.service.routing.scenes import scene


async def test_a_recording_of_the_service_replays_byte_for_byte() -> None:
    async with scene() as routing:
        await routing.hire("ada")
        await routing.hire("bo")
        for number in range(4):
            await routing.open(f"c{number}")
        [offer_id, *_] = await routing.offers()
        assert (await routing.post(f"/v1/offers/{offer_id}/accept")).status_code == 200
        [other, *_] = await routing.offers("bo")
        assert (await routing.post(f"/v1/offers/{other}/decline", "bo")).status_code == 200
        await routing.pass_time(120_000)
        async with routing.service.database.read() as connection:
            given, decisions = await recorded(connection, routing.service.log, "default")
    snapshot = Rows(pool=PoolState("default"), directory=default_directory())
    told = [canonical(record) for record in decisions]
    assert len(told) > 5
    assert decisions_of(Recording(snapshot, tuple(given), None)) == told
