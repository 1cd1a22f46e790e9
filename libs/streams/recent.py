"""The newest rows that this process has appended, kept for its own readers: most rows are read by several groups within
milliseconds of their commit, and what is in memory need not be asked for."""

from collections import deque
from typing import Final

from libs.streams.transport import TopicPartition

_MOST_BYTES: Final = 8 * 1024 * 1024


class Recent:
    """Committed rows by partition and number, the oldest dropped first. Rows may be missing; none is wrong."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._rows: dict[TopicPartition, dict[int, bytes]] = {}
        self._oldest: deque[tuple[TopicPartition, int]] = deque()

    def put(self, source: TopicPartition, number: int, data: bytes) -> None:
        """A row, once it is committed."""
        if len(data) > self._most_bytes:
            return
        self._rows.setdefault(source, {})[number] = data
        self._oldest.append((source, number))
        self._bytes += len(data)
        while self._bytes > self._most_bytes:
            old, passed = self._oldest.popleft()
            self._bytes -= len(self._rows[old].pop(passed))

    def after(
        self, source: TopicPartition, number: int, max_rows: int, max_bytes: int
    ) -> list[tuple[int, bytes]]:
        """The rows right behind a number, without a gap; none when the first of them is not here. At most so many, and so
        many bytes unless the first alone has more."""
        rows = self._rows.get(source)
        found: list[tuple[int, bytes]] = []
        size = 0
        while rows and len(found) < max_rows:
            data = rows.get(number + 1)
            if data is None:
                break
            size += len(data)
            if found and size > max_bytes:
                break
            number += 1
            found.append((number, data))
        return found

    def clear(self) -> None:
        """Drops all: the rows in the database have been changed."""
        self._rows.clear()
        self._oldest.clear()
        self._bytes = 0
