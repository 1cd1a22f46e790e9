"""Numbers of cases, taken in blocks so that a process asks for them seldom."""

from typing import Any, Final

from libs.storage import fetch_one
from services.ingest.domain.reference import NUMBERS, reference_of

_BLOCK: Final = 1000


class CaseNumbers:
    """References that no other case has. Use it from one task at a time."""

    def __init__(self) -> None:
        self._next = 0
        self._end = 0

    async def have(self, count: int, connection: Any) -> None:
        """Makes sure that `count` can be taken without asking; at most a block."""
        while count > self._end - self._next:
            row = await fetch_one(connection, "SELECT nextval('ingest.case_blocks')")
            assert row is not None
            begin = row[0] * _BLOCK % NUMBERS
            # 0 would be written 000-00000, which nobody takes for a case.
            self._next, self._end = max(1, begin), begin + _BLOCK

    def take(self) -> str:
        """The next one."""
        self._next += 1
        return reference_of(self._next - 1)
