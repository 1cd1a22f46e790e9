"""How customers learn what is new in their thread: by event stream, by asking, or by mail."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from services.demo.access import Access, Refused
from services.demo.events import follow
from services.demo.post import survey_link
from services.demo.scene import Scene

_ASK_S: Final = 1.0
_SELDOM_S: Final = 4.0
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """What came from the platform: an agent's reply, the end of an episode, or the link of a survey."""

    kind: Literal["reply", "resolved", "survey"]
    link: str = ""


def entry_of(shown: dict[str, Any]) -> Entry | None:
    """An entry of the thread as the platform shows it; None for the customer's own messages."""
    match shown["kind"]:
        case "reply":
            return Entry("reply")
        case "resolved":
            return Entry("resolved")
        case "survey":
            return Entry("survey", survey_link(shown["text"]))
    return None


@dataclass(slots=True)
class _Watch:
    conversation_id: str
    token: str
    tell: Callable[[Entry], None]
    after: int = 0
    due_s: float = 0.0
    pause_s: float = _ASK_S


class Watcher:
    """Reads the threads of all customers: some by a stream each, the others by one asker for all."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._access: Access = scene.access
        self._asked: dict[str, _Watch] = {}
        self._streams: dict[str, asyncio.Task[None]] = {}
        self._few = asyncio.Semaphore(_AT_ONCE)

    def watch(self, conversation_id: str, token: str, tell: Callable[[Entry], None], *, stream: bool) -> None:
        """From now on `tell` is called with every entry of the thread, from its beginning."""
        if stream and len(self._streams) < self._scene.streams:
            reading = self._scene.together.spawn(self._stream(conversation_id, token, tell))
            self._streams[conversation_id] = reading
        else:
            self._asked[conversation_id] = _Watch(conversation_id, token, tell)

    def leave(self, conversation_id: str) -> None:
        """Nobody wants to know any more."""
        self._asked.pop(conversation_id, None)
        reading = self._streams.pop(conversation_id, None)
        if reading is not None:
            reading.cancel()

    async def live(self) -> None:
        """Asks for the rest of the run."""
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            due = [watch for watch in self._asked.values() if watch.due_s <= now]
            await asyncio.gather(*(self._ask(watch) for watch in due))
            await asyncio.sleep(0.1)

    async def _ask(self, watch: _Watch) -> None:
        path = f"/ingest/v1/conversations/{watch.conversation_id}/messages"
        async with self._few:
            try:
                page = await self._access.get(path, watch.token, limit=200)
            except Refused as error:
                self._scene.trouble(str(error))
                self._asked.pop(watch.conversation_id, None)
                return
        news = [shown for shown in page["items"] if shown["entry_seq"] > watch.after]
        for shown in news:
            watch.after = shown["entry_seq"]
            if entry := entry_of(shown):
                watch.tell(entry)
        watch.pause_s = _ASK_S if news else min(watch.pause_s * 1.3, _SELDOM_S)
        watch.due_s = asyncio.get_running_loop().time() + watch.pause_s * random.uniform(0.8, 1.2)

    async def _stream(self, conversation_id: str, token: str, tell: Callable[[Entry], None]) -> None:
        path = f"/ingest/v1/conversations/{conversation_id}/events"
        try:
            async for event in follow(self._access, path, token):
                if isinstance(event.data, dict) and "kind" in event.data and (entry := entry_of(event.data)):
                    tell(entry)
        except Refused as error:
            self._scene.trouble(str(error))
