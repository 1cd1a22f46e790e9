"""Every interleaving of two relays and two owners with crashes keeps the promise; without a safeguard one breaks it."""

import pytest

from tests.unit.streams.protocol import ROWS, SENT, TAKEOVERS, Faults, State, explore


def broken(state: State) -> bool:
    """An event was handled twice, out of order, or a reader missed one."""
    return state.lost or state.effects != tuple(range(1, len(state.effects) + 1))


def test_no_interleaving_loses_doubles_or_reorders_and_none_leads_where_nobody_can_go_on() -> None:
    before, wrong = explore(Faults(), broken)
    assert wrong is None
    whole = {state for state in before if len(state.effects) == ROWS}
    assert whole
    # The bounds let through what the protocol is for: take-overs of both kinds, and rows that were sent twice.
    assert any(state.epoch == TAKEOVERS and state.relay_epoch == TAKEOVERS for state in before)
    assert any(len(state.topic) == SENT for state in before)
    reaching, waiting = set(whole), list(whole)
    while waiting:
        for state in before[waiting.pop()]:
            if state not in reaching:
                reaching.add(state)
                waiting.append(state)
    # Where the bounds leave room for another claim and another sending of everything.
    roomy = (
        state
        for state in before
        if state.epoch < TAKEOVERS and state.relay_epoch < TAKEOVERS and len(state.topic) <= SENT - ROWS
    )
    assert [state for state in roomy if state not in reaching] == []


@pytest.mark.parametrize(
    "faults",
    [
        Faults(no_fence=True),
        Faults(position_after_effects=True),
        Faults(relay_without_order=True),
        Faults(relay_position_before_sending=True),
        Faults(repeats_kept=True),
    ],
    ids=lambda faults: next(name for name, on in faults._asdict().items() if on),
)
def test_without_a_safeguard_a_run_that_breaks_the_promise_is_found(faults: Faults) -> None:
    before, wrong = explore(faults, broken)
    assert wrong is not None
    run: list[State] = []
    state: State | None = wrong
    while state is not None:
        run.append(state)
        state = next(iter(before[state]), None)
    assert run[-1] == State()
    assert len(run) < 20
