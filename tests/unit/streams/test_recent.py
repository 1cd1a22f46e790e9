"""The rows that a process keeps of what it has appended."""

from hypothesis import given
from hypothesis import strategies as st

from libs.streams import TopicPartition
from libs.streams.recent import Recent

_SOURCES = [TopicPartition("a", 0), TopicPartition("a", 1), TopicPartition("b", 0)]
_ROWS = st.lists(st.tuples(st.sampled_from(_SOURCES), st.integers(0, 12)), max_size=60)


@given(_ROWS, st.integers(1, 100), st.integers(1, 6), st.integers(1, 40), st.integers(0, 20))
def test_what_it_gives_is_what_was_put_without_a_gap(
    sizes: list[tuple[TopicPartition, int]], most_bytes: int, max_rows: int, max_bytes: int, behind: int
) -> None:
    recent = Recent(most_bytes)
    put: dict[TopicPartition, list[bytes]] = {source: [] for source in _SOURCES}
    for index, (source, size) in enumerate(sizes):
        put[source].append(bytes([index]) * size)
        recent.put(source, len(put[source]), put[source][-1])
    for source, rows in put.items():
        found = recent.after(source, behind, max_rows, max_bytes)
        assert [number for number, _ in found] == list(range(behind + 1, behind + 1 + len(found)))
        assert [data for _, data in found] == rows[behind : behind + len(found)]
        assert len(found) <= max_rows
        assert len(found) <= 1 or sum(len(data) for _, data in found) <= max_bytes


@given(_ROWS, st.integers(1, 100))
def test_it_holds_the_newest_rows_that_fit_and_no_more(
    sizes: list[tuple[TopicPartition, int]], most_bytes: int
) -> None:
    recent = Recent(most_bytes)
    order: list[tuple[TopicPartition, int, int]] = []
    numbers = dict.fromkeys(_SOURCES, 0)
    for source, size in sizes:
        numbers[source] += 1
        recent.put(source, numbers[source], b"x" * size)
        order.append((source, numbers[source], size))
    room, kept = most_bytes, []
    for source, number, size in reversed(order):
        if size > most_bytes:
            continue
        room -= size
        if room < 0:
            break
        kept.append((source, number))
    for source, number, size in order:
        there = bool(recent.after(source, number - 1, 1, 1))
        # A row of no bytes beside the one that had to go may have stayed.
        assert there == ((source, number) in kept) or size == 0


def test_a_row_larger_than_the_room_is_not_kept_and_none_is_lost_for_it() -> None:
    recent = Recent(10)
    recent.put(_SOURCES[0], 1, b"x" * 5)
    recent.put(_SOURCES[0], 2, b"x" * 11)
    assert recent.after(_SOURCES[0], 0, 10, 100) == [(1, b"x" * 5)]
    assert recent.after(_SOURCES[0], 1, 10, 100) == []
    recent.clear()
    assert recent.after(_SOURCES[0], 0, 10, 100) == []
