"""What becomes of a promise, as routing tells it."""

from services.analytics.domain.promises import Promise, breached, cancelled, met, placed, started

NEW = Promise("c1", "resolution", 1)


def test_a_promise_that_stands_still_is_not_due() -> None:
    running = started(NEW, 100)
    assert (running.state, running.due_ms) == ("running", 100)
    assert started(running, 0).due_ms is None


def test_a_breach_stays_whatever_comes_after_it() -> None:
    late = breached(started(NEW, 100), 100)
    for after in (started(late, 200), started(late, 0), cancelled(late), met(late, 100, 150, False)):
        assert (after.state, after.due_ms) == ("breached", 100)


def test_a_breach_that_was_noticed_before_a_reply_in_time_was_heard_of_is_none() -> None:
    late = breached(started(NEW, 100), 100)
    assert met(late, 100, 90, True).state == "met"
    assert met(late, 0, 90, False).state == "met"


def test_what_goes_on_after_a_reopen_is_due_anew() -> None:
    again = started(met(started(NEW, 100), 100, 50, True), 300)
    assert (again.state, again.due_ms) == ("running", 300)


def test_a_fulfilment_without_a_due_is_judged_by_the_one_known_before() -> None:
    assert met(started(NEW, 100), 0, 100, False).state == "met"
    assert met(started(NEW, 100), 0, 101, False).state == "breached"
    assert met(NEW, 0, 101, False).state == "met"


def test_it_counts_for_where_it_was_last() -> None:
    first = placed(NEW, 1, "billing", "billing", "normal")
    moved = placed(first, 2, "desk", "desk", "high")
    assert (moved.episode, moved.team_id, moved.queue_id, moved.urgency) == (2, "desk", "desk", "high")
    assert placed(moved, 2, "", "", "") == moved
