"""What a running service decided is decided again from its recording, from the beginning or from a daily copy."""

from __future__ import annotations

import pytest

from libs.storage import execute
from services.operators.record import Recorded, recorded
from services.operators.refusals import NotFromTheBeginning
from services.routing import snapshots
from services.routing.settings import RoutingSettings
from services.routing.simulation.recording import Recording, canonical, lines, read
from services.routing.simulation.replay import decisions_of
from tests.service.routing.scenes import Scene, opened, resolved, scene, triaged


async def record(s: Scene, since_ms: int = 0) -> Recorded:
    async with s.service.database.read() as connection:
        return await recorded(connection, s.service.log, "default", since_ms)


def replayed(found: Recorded) -> list[str]:
    return decisions_of(Recording(found.snapshot, tuple(found.given), None))


async def test_a_recording_replays_byte_for_byte_from_the_beginning_and_from_a_copy(tmp_path) -> None:  # type: ignore[no-untyped-def]  # pytest's own path
    async with scene() as s:
        await s.hire("ada")
        await s.hire("bo")
        for number in range(5):
            await s.open(f"c{number}")
        [offer_id, *_] = await s.offers()
        assert (await s.post(f"/v1/offers/{offer_id}/accept")).status_code == 200
        [other, *_] = await s.offers("bo")
        assert (await s.post(f"/v1/offers/{other}/decline", "bo")).status_code == 200
        await s.service.publish(resolved("c4"))
        await s.pass_time(120_000)

        settings = RoutingSettings()
        assert await snapshots.take_due(s.service.database, settings) == 1
        assert await snapshots.take_due(s.service.database, settings) == 0, "one a day"
        copied_ms = s.service.clock.now_ms()
        later = opened("c4", episode=2, first_seq=2)
        await s.service.publish(later, triaged("c4", first_seq=2, received_at_ms=copied_ms))
        await s.open("c9")
        await s.post("/v1/conversations/c1/transfer", "boss", "supervisor", json={"queue_id": "orders"})
        await s.pass_time(120_000)

        whole, rest = await record(s), await record(s, copied_ms)
        assert (whole.number, rest.number) == (0, len(whole.given) - len(rest.given))
        assert 0 < len(rest.given) < len(whole.given)
        told = [canonical(one) for one in whole.decisions]
        assert replayed(whole) == told
        assert replayed(rest) == [canonical(one) for one in rest.decisions] == told[-len(rest.decisions) :]
        assert any('"c4"' in one for one in replayed(rest)), (
            "what was closed before the copy is reopened after it"
        )
        path = tmp_path / "recording.jsonl"
        path.write_text("\n".join(lines(rest.snapshot, rest.given, rest.decisions)))
        assert decisions_of(read(path)) == replayed(rest), "the file says all of it"

        with pytest.raises(NotFromTheBeginning, match="name a later time"):
            await record(s, 1)
        async with s.service.database.begin() as uow:
            await execute(
                uow.connection,
                "DELETE FROM log.events WHERE number < $1 AND topic = $2",
                3,
                s.service.log.topic_id("routing.commands.v1"),
            )
            await uow.commit()
        assert (await record(s)).number == rest.number, "without its first commands it begins with the copy"
