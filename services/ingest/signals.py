"""Wake-ups: a thread has changed, a delivery waits."""

from contextlib import AbstractContextManager

from libs.web import Broadcast, Wakeup


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

    def delivery_waits(self, channel: str) -> None:
        """Wakes the sender of this channel."""
        self._hub.notify(("deliveries", _way(channel == "mail")))

    def watch_deliveries(self, *, mail: bool) -> AbstractContextManager[Wakeup]:
        """A bell that rings when something by mail, or by the thread itself, is to be sent."""
        return self._hub.listen(("deliveries", _way(mail)))


def _way(mail: bool) -> str:
    return "mail" if mail else "thread"
