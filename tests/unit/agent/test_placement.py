"""Queue, agent and clocks as they are shown, and deliveries."""

from dataclasses import replace

from services.agent.domain.placement import Placement, assigned, clock_of, queued, released, with_clock
from services.agent.domain.timeline import Entry, delivered, undelivered


def test_a_queue_then_an_agent_then_nobody() -> None:
    placement = queued(Placement("c1"), "billing", "billing", "human", 1, 10)
    placement = assigned(placement, "anna", "billing", "billing", 2, 20)
    assert (placement.agent_id, placement.since_ms) == ("anna", 20)
    placement = released(placement, "anna", 2, 30)
    assert (placement.agent_id, placement.last_agent_id, placement.team_id) == ("", "anna", "billing")


def test_an_older_epoch_changes_nothing() -> None:
    placement = assigned(Placement("c1"), "anna", "billing", "billing", 5, 20)
    assert assigned(placement, "ben", "orders", "orders", 4, 30) == placement
    assert queued(placement, "orders", "orders", "human", 4, 30) == placement
    assert released(placement, "anna", 4, 30) == placement


def test_a_release_of_somebody_else_changes_nothing() -> None:
    placement = assigned(Placement("c1"), "anna", "billing", "billing", 5, 20)
    assert released(placement, "ben", 6, 30) == placement


def test_a_newer_instance_of_a_clock_takes_the_place_of_the_older() -> None:
    first = replace(clock_of(Placement("c1"), "first_response", 1), breached=True)
    placement = with_clock(Placement("c1"), first)
    second = clock_of(placement, "first_response", 2)
    assert not second.breached
    placement = with_clock(placement, second)
    assert [clock.instance for clock in placement.clocks] == [2]


def _reply() -> Entry:
    return Entry("r1", "c1", 2, 0, 1, "anna", "chat", "", False, False, "", "hello", False, 5, "sending")


def test_a_reply_is_delivered_or_fails_and_what_was_delivered_stays_so() -> None:
    failed = undelivered(_reply(), 10, "mailbox full")
    assert (failed.delivery, failed.delivery_reason) == ("failed", "mailbox full")
    done = delivered(_reply(), 10, True)
    assert (done.delivery, done.possibly_twice) == ("delivered", True)
    assert undelivered(done, 20, "bounce") == done
