"""What an alarm looks at: how many wait in a team, and for how long."""

from libs.telemetry import REGISTRY
from services.routing.adapters.known_directories import KnownDirectories
from services.routing.gauges import look
from services.routing.service import definition
from tests.service.routing.scenes import scene
from tests.service.routing.test_crossing import _opened, _triaged
from tests.support.harness import running


def _value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def test_a_conversation_that_waits_is_counted_with_its_age() -> None:
    async with running(definition, tasks=False) as service:
        await service.publish(_opened(1), _triaged(1))
        await service.settle()
        service.clock.advance(60_000)
        await look(service.database, service.clock, KnownDirectories("default"), "default")
    assert _value("centralino_routing_waiting", team="billing") == 1
    waited = _value("centralino_routing_oldest_wait_seconds", team="billing")
    assert waited is not None
    assert 59 <= waited <= 62
    assert _value("centralino_routing_waiting", team="orders") == 0
    assert _value("centralino_routing_agents", team="billing", presence="online") == 0


async def test_offers_waits_and_breaches_are_counted_once_they_are_durable() -> None:
    async with scene() as it:
        await it.hire("gail")
        await it.open("case-counted")
        made = _value("centralino_routing_offers_total", team="billing", outcome="made")
        (offer,) = await it.offers("gail")
        before = _value("centralino_routing_offers_total", team="billing", outcome="accepted") or 0
        waits = _value("centralino_routing_wait_seconds_count", team="billing") or 0
        breaches = _value("centralino_sla_breaches_total", metric="first_response", team="billing") or 0
        assert (await it.post(f"/v1/offers/{offer}/accept", "gail")).status_code == 200
        await it.pass_time(7 * 24 * 3_600_000)
    assert made is not None
    assert made >= 1
    assert _value("centralino_routing_offers_total", team="billing", outcome="accepted") == before + 1
    assert _value("centralino_routing_wait_seconds_count", team="billing") == waits + 1
    assert _value("centralino_sla_breaches_total", metric="first_response", team="billing") == breaches + 1
    assert (_value("centralino_timers_fired_total", service="routing", kind="routing.wake") or 0) >= 1
    assert (_value("centralino_stream_appended_events_total", topic="routing.assignments.v1") or 0) >= 2
