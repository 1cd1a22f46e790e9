"""Figures count people: linked customers are one, and two again when the link is undone."""

from dataclasses import dataclass

from google.protobuf.message import Message

from services.analytics.service import definition
from tests.service.analytics.events import Life
from tests.service.analytics.test_summary import AT, _settle, _summary
from tests.support.harness import running
from tests.support.persons import linked, unlinked


@dataclass(frozen=True)
class _Of(Life):
    customer: str = ""

    def events(self) -> list[Message]:
        told = self.until_resolved()
        for event in told:
            if hasattr(event, "customer_id"):
                event.customer_id = self.customer
        return told


async def test_different_people_are_counted_in_whatever_order_links_come() -> None:
    lives = [_Of(f"l{n}", AT, customer=customer) for n, customer in enumerate(("k1", "k1", "k2", "k3"))]
    async with running(definition) as service:
        await _settle(service, *[event for life in lives for event in life.events()])
        volume = (await _summary(service))["total"]["volume"]
        assert (volume["n"], volume["customers"]) == (4, 3)
        await _settle(service, unlinked("k1", "k2"), linked("k1", "k2"))
        assert (await _summary(service))["total"]["volume"]["customers"] == 3
        await _settle(service, linked("k2", "k1", version=3))
        assert (await _summary(service))["total"]["volume"]["customers"] == 2
