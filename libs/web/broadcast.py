"""Wake-ups: who waits for a key is told that something about it changed, not what."""

import asyncio
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from libs.web.problems import Unavailable


class Wakeup:
    """One listener's bell."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the listener, now or at its next wait."""
        self._event.set()

    async def wait(self, timeout_s: float) -> bool:
        """True when it rang since the last wait, False after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        finally:
            self._event.clear()
        return True


class Broadcast:
    """Listeners by key. Memory is bounded by `most_listeners`; a key without listeners costs nothing.

    Call it from the event loop only. Notify after the commit (`uow.after_commit`). Other processes hear of it
    through `elsewhere`, which is called with each key, if at all: poll with the timeout as the safety net. Keys are
    text or tuples of text, so that they can travel.
    """

    def __init__(
        self, most_listeners: int = 10_000, *, elsewhere: Callable[[Hashable], None] | None = None
    ) -> None:
        self._most = most_listeners
        self._elsewhere = elsewhere
        self._count = 0
        self._by_key: dict[Hashable, set[Wakeup]] = {}

    def __len__(self) -> int:
        return self._count

    @contextmanager
    def listen(self, *keys: Hashable) -> Iterator[Wakeup]:
        """A bell for these keys. Listen first and read then: what changes in between rings.

            with hub.listen(agent_id) as bell:
                while True:
                    for row in await read_after(number): ...
                    await bell.wait(5.0)

        Unavailable when there are `most_listeners` already.
        """
        if self._count >= self._most:
            raise Unavailable("Too many streams are open.", slug="too-many-streams", retry_after_s=10)
        bell = Wakeup()
        self._count += 1
        for key in keys:
            self._by_key.setdefault(key, set()).add(bell)
        try:
            yield bell
        finally:
            self._count -= 1
            for key in keys:
                bells = self._by_key[key]
                bells.discard(bell)
                if not bells:
                    del self._by_key[key]

    async def wait(self, key: Hashable, timeout_s: float) -> bool:
        """Wait once for `key`. What changed before the call does not ring: use `listen` around a read."""
        with self.listen(key) as bell:
            return await bell.wait(timeout_s)

    def notify(self, key: Hashable) -> None:
        """Ring for everyone who listens to `key`, here and elsewhere."""
        self.ring(key)
        if self._elsewhere is not None:
            self._elsewhere(key)

    def ring(self, key: Hashable) -> None:
        """Ring for everyone who listens to `key` in this process."""
        for bell in self._by_key.get(key, ()):
            bell.ring()

    def notify_all(self) -> None:
        """Ring for everyone, after a gap in what this process could see."""
        for bells in self._by_key.values():
            for bell in bells:
                bell.ring()
