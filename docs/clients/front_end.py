"""A front-end for one agent, on the terminal:  python front_end.py http://127.0.0.1:8600 anna PASSWORD

Prints what the feed says, a JSON line each, and takes orders, a line each:
accept OFFER | decline OFFER | release CONVERSATION | presence online | quit
"""

import contextlib
import json
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx


class FrontEnd:
    def __init__(self, url: str, username: str, password: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=20)
        who = {"username": username, "password": password}
        session = self._good(self.http.post("/agent/v1/sessions", json=who)).json()
        self.http.headers["Authorization"] = f"Bearer {session['token']}"
        self.last_event_id = ""
        self.stopped = threading.Event()

    def presence(self, presence: str) -> Any:
        """online, no_new, away or offline. Begins a lease; `beat` and an open feed keep it."""
        return self._good(self.http.put("/routing/v1/presence", json={"presence": presence})).json()

    def beat(self, seconds: float = 20) -> None:
        """Renews the lease until `stopped`. Only needed while no feed is open."""
        while not self.stopped.wait(seconds):
            with contextlib.suppress(httpx.TransportError):  # the next one comes in time
                self.http.post("/routing/v1/presence/heartbeat")

    def feed(self) -> Iterator[dict[str, Any]]:
        """Every event, once and in order. A cut is followed by a new connection that goes on where the old one was."""
        while not self.stopped.is_set():
            headers = {"Last-Event-ID": self.last_event_id} if self.last_event_id else {}
            # The host says something at least every 15 s: 40 s of silence is a dead connection.
            following = self.http.stream("GET", "/routing/v1/feed", headers=headers, timeout=40)
            with contextlib.suppress(httpx.TransportError), following as answer:
                if answer.status_code < 500:
                    self._good(answer)  # 401: the session has ended, sign in again
                    yield from self._events(answer.iter_lines())
            time.sleep(1)

    def accept(self, offer_id: str) -> Any:
        """The assignment, or the problem document that says what happened to the offer instead."""
        return self._order(f"/routing/v1/offers/{offer_id}/accept")

    def decline(self, offer_id: str, reason: str = "") -> Any:
        return self._order(f"/routing/v1/offers/{offer_id}/decline", {"reason": reason})

    def release(self, conversation_id: str, reason: str = "") -> Any:
        return self._order(f"/routing/v1/conversations/{conversation_id}/release", {"reason": reason})

    def _order(self, path: str, body: dict[str, str] | None = None) -> Any:
        key = {"Idempotency-Key": str(uuid.uuid4())}  # the same at each try, so that it counts once
        for _ in range(5):
            with contextlib.suppress(httpx.TransportError):
                answer = self.http.post(path, json=body, headers=key)
                if answer.status_code not in (202, 503):
                    return answer.json()
            time.sleep(1)
        raise RuntimeError(f"no answer to {path}: read the state again before you go on")

    def _events(self, lines: Iterator[str]) -> Iterator[dict[str, Any]]:
        fields: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "data" in fields:
                self.last_event_id = fields.get("id", self.last_event_id)
                yield {"id": self.last_event_id, "event": fields["event"], **json.loads(fields.pop("data"))}

    def _good(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            raise RuntimeError(f"{answer.status_code}: {answer.read().decode()}")
        return answer


if __name__ == "__main__":
    me = FrontEnd(*sys.argv[1:4])
    me.presence("online")
    # A line is one write: two threads speak.
    tell = partial(print, end="", flush=True)
    for work in (me.beat, lambda: [tell(json.dumps(event) + "\n") for event in me.feed()]):
        threading.Thread(target=work, daemon=True).start()
    for verb, *words in map(str.split, sys.stdin):
        if verb == "quit":
            break
        tell(json.dumps({"order": verb, "answer": getattr(me, verb)(*words)}) + "\n")
    me.presence("offline")
