"""Wake-ups: a thread has changed, a delivery waits."""

import asyncio
from contextlib import AbstractContextManager
from typing import Final, Literal

from libs.web import Broadcast, Wakeup
from services.ingest.domain.model import PROVIDED, ChannelName

Lane = Literal["thread", "mail", "provider"]
"""Ways out that do not wait for each other."""
LANES: Final[tuple[Lane, ...]] = ("thread", "mail", "provider")

Side = Literal["customer", "agent"]


def lane_of(channel: str) -> Lane:
    """The lane of a channel."""
    if channel in PROVIDED:
        return "provider"
    return "mail" if channel == ChannelName.MAIL else "thread"


def channels_of(lane: Lane) -> list[str]:
    """The channels of a lane."""
    return sorted(name.value for name in ChannelName if lane_of(name) == lane)


class Signals:
    """Bells by conversation and by kind of way out."""

    def __init__(self, bells: Broadcast) -> None:
        self._hub = bells

    def thread_changed(self, conversation_id: str) -> None:
        """Wakes who watches a thread."""
        self._hub.notify(("thread", conversation_id))

    def watch_thread(self, conversation_id: str) -> AbstractContextManager[Wakeup]:
        """A bell that rings when the thread has changed; listen first, then read."""
        return self._hub.listen(("thread", conversation_id))

    def acts(self, conversation_id: str, who: Side, what: str) -> None:
        """Tells who follows a conversation that one side does something just now, such as `typing`."""
        self._hub.notify(("activity", conversation_id, who, what))

    def watch_acts(
        self, conversation_id: str, who: Side, *what: str, thread: bool = False
    ) -> AbstractContextManager[Wakeup]:
        """A bell for what one side does; with `thread` it rings when the thread has changed too."""
        keys = [("activity", conversation_id, who, one) for one in what]
        return self._hub.listen(*keys, *([("thread", conversation_id)] if thread else []))

    def delivery_waits(self, channel: str) -> None:
        """Wakes the sender of this channel."""
        self._hub.notify(("deliveries", lane_of(channel)))

    def notice_waits(self) -> None:
        """Wakes who posts webhooks."""
        self._hub.notify(("notices",))

    def watch_notices(self) -> AbstractContextManager[Wakeup]:
        """A bell that rings when a webhook is to be posted."""
        return self._hub.listen(("notices",))

    def outreach_waits(self) -> None:
        """Wakes who sends what rules have made of events."""
        self._hub.notify(("outreach",))

    def watch_outreach(self) -> AbstractContextManager[Wakeup]:
        """A bell that rings when an event has made a message."""
        return self._hub.listen(("outreach",))

    def file_waits(self) -> None:
        """Wakes who fetches files from providers."""
        self._hub.notify(("files",))

    def watch_files(self) -> AbstractContextManager[Wakeup]:
        """A bell that rings when a file is to be fetched."""
        return self._hub.listen(("files",))

    def watch_deliveries(self, lane: Lane) -> AbstractContextManager[Wakeup]:
        """A bell that rings when something is to be sent on a lane."""
        return self._hub.listen(("deliveries", lane))


async def rung_or_stopped(bell: Wakeup, stop: asyncio.Event, seconds: float) -> None:
    """Waits for the bell, for the end, or so long: a worker that sleeps must not hold up a stop."""
    waiting = [asyncio.ensure_future(bell.wait(seconds)), asyncio.ensure_future(stop.wait())]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
