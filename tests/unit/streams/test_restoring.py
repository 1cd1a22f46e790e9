"""Whenever a back-up is made and restored, readers handle the true rows once, in order; without a safeguard some do not."""

import pytest

from tests.unit.streams.restoring import RESTORES, Faults, State, at_rest, explore


def broken_by_a_cut(state: State) -> bool:
    """The reader that was restored handled what is not true; the other handled a row twice, or misses one in the end."""
    rows, inside, outside = state.database.rows, state.database.inside, state.outside
    if state.lost or inside.handled != rows[: len(inside.handled)]:
        return True
    if len(outside.handled) != len(set(outside.handled)):
        return True
    return at_rest(state) and not (
        set(rows) <= set(outside.handled) and (inside.offset < len(state.topic) or inside.handled == rows)
    )


def broken_by_recovery(state: State) -> bool:
    """The reader elsewhere handled what is not in the log, or not in its order, or misses a row in the end."""
    rows, handled = state.database.rows, state.outside.handled
    if state.restores == 0:
        return False
    return state.lost or handled != rows[: len(handled)] or (at_rest(state) and handled != rows)


def test_readers_that_were_restored_with_the_log_or_not_handle_every_true_row_once() -> None:
    count = restored = 0
    for state in explore(Faults(), recover=False):
        assert not broken_by_a_cut(state), state
        count += 1
        restored += at_rest(state) and state.restores == RESTORES
    assert restored > 100
    assert count > 1000


def test_a_log_that_was_read_back_from_the_topic_is_what_readers_elsewhere_have_handled() -> None:
    restored = 0
    for state in explore(Faults(), recover=True):
        assert not broken_by_recovery(state), state
        restored += at_rest(state) and state.restores == RESTORES
    assert restored > 50


@pytest.mark.parametrize(
    "faults",
    [Faults(no_new_generation=True), Faults(no_cut=True), Faults(generation_counted=True)],
    ids=lambda faults: next(name for name, on in faults._asdict().items() if on),
)
def test_without_a_safeguard_a_run_that_breaks_the_promise_is_found(faults: Faults) -> None:
    assert any(broken_by_a_cut(state) for state in explore(faults, recover=False))


def test_a_log_that_was_not_read_back_differs_from_what_readers_elsewhere_have_handled() -> None:
    assert any(broken_by_recovery(state) for state in explore(Faults(no_reading_back=True), recover=True))
