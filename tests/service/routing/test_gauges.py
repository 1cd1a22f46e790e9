"""What an alarm looks at: how many wait in a team, and for how long."""

from libs.telemetry import REGISTRY
from services.routing.gauges import look
from services.routing.service import definition
from tests.service.routing.test_crossing import _opened, _triaged
from tests.support.harness import running


def _value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def test_a_conversation_that_waits_is_counted_with_its_age() -> None:
    async with running(definition, tasks=False) as service:
        await service.publish(_opened(1), _triaged(1))
        await service.settle()
        service.clock.advance(60_000)
        await look(service.database, service.clock, "default")
    assert _value("centralino_routing_waiting", team="billing") == 1
    waited = _value("centralino_routing_oldest_wait_seconds", team="billing")
    assert waited is not None
    assert 59 <= waited <= 62
    assert _value("centralino_routing_waiting", team="orders") == 0
    assert _value("centralino_routing_agents", team="billing", presence="online") == 0
