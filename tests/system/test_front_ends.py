"""The small clients of docs/clients against a real platform, their connections cut in the middle."""

import contextlib
import json
import queue
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.system.conftest import RunningHost
from tests.system.desk import Desk, until
from tests.system.processes import command

CLIENTS = Path(__file__).resolve().parents[2] / "docs" / "clients"
PASSWORD = "open sesame, please"
_PATIENCE_SECONDS = 90.0
"""A guard against hanging: a busy machine takes its time."""


@dataclass
class Line:
    """A connection to the host that can be cut: while it is, nobody is let through."""

    host: tuple[str, int]
    server: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    cut: threading.Event = field(default_factory=threading.Event)
    ends: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.getsockname()[1]}"

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.server.accept()
                if self.cut.is_set():
                    near.close()
                    continue
                far = socket.create_connection(self.host)
                self.ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def break_off(self) -> None:
        self.cut.set()
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@dataclass
class Screen:
    """A client as a process: what it has printed, and what it is told to do."""

    process: subprocess.Popen[str]
    printed: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)
    numbers: list[int] = field(default_factory=list)
    """Of the feed's events, as they came."""

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.put(json.loads(line))

    def next(self, event: str, **wanted: str) -> dict[str, Any]:
        """The next of that kind; others are passed over."""
        facts = {"event": event, **wanted}
        return self.seen(lambda line: all(line.get(name) == value for name, value in facts.items()))

    def seen(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            line = self.printed.get(timeout=_PATIENCE_SECONDS)
            if "id" in line:
                self.numbers.append(int(line["id"]))
            if wanted(line):
                return line

    def order(self, words: str) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        return self.seen(lambda line: line.get("order") == words.split()[0])["answer"]


@contextlib.contextmanager
def a_screen(host: RunningHost, *start: str, name: str) -> Iterator[tuple[Screen, Line]]:
    address = urlsplit(host.url)
    line = Line((str(address.hostname), int(address.port or 0)))
    threading.Thread(target=line.serve, daemon=True).start()
    process = subprocess.Popen(
        [*start, line.url, name, PASSWORD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    screen = Screen(process)
    threading.Thread(target=screen.read, daemon=True).start()
    try:
        yield screen, line
    finally:
        process.kill()
        process.wait(10)
        line.server.close()
        line.break_off()


def a_team(desk: Desk, name: str) -> None:
    """A team with a queue of its own, into which nothing comes by itself."""
    answer = desk.ask("GET", "/routing/v1/directory")
    directory = answer.json()["directory"]
    directory["teams"].append({"id": name, "name": "Front Ends"})
    directory["queues"].append({**directory["queues"][0], "id": name, "name": "For front-ends", "team": name})
    headers = {"If-Match": answer.headers["ETag"]}
    desk.done("PUT", "/routing/v1/directory", json=directory, headers=headers)


def waits_in(desk: Desk, queue_id: str, customer: str) -> str:
    """A conversation that somebody has moved into the queue."""
    case: str = desk.write(sender={"name": customer})["conversation_id"]
    until(
        lambda: desk.ask("GET", f"/routing/v1/conversations/{case}").status_code == 200 or None,
        _PATIENCE_SECONDS,
    )
    moved = {"queue_id": queue_id, "reason": "for this test"}
    desk.done("POST", f"/routing/v1/conversations/{case}/move", json=moved, headers={"If-Match": "*"})
    return case


@pytest.mark.parametrize("program", ["front_end.py", "front_end.mjs"])
def test_a_client_of_the_page_goes_on_where_it_was_cut_and_answers_offers(
    desk: Desk, host: RunningHost, program: str, in_ci: bool
) -> None:
    assert len((CLIENTS / program).read_text().splitlines()) < 100, "a reader takes it in at once"
    start = sys.executable if program.endswith(".py") else shutil.which("node")
    if start is None:
        assert not in_ci, "node is missing, which CI has"
        pytest.skip("node is missing")
    name = program.replace(".", "-")
    made = command(host.data, "admin", "create", name, "--role", "agent", CENTRALINO_PASSWORD=PASSWORD)
    assert made.returncode == 0, made.stderr
    a_team(desk, name)
    entry = {"name": "Anna", "teams": [name], "languages": ["en"]}
    desk.done("PUT", f"/routing/v1/agents/{name}", json=entry)
    with a_screen(host, start, str(CLIENTS / program), name=name) as (screen, line):
        assert screen.next("state")["presence"] == "online"

        first = waits_in(desk, name, "Tom")
        offer = screen.next("offer", conversation_id=first)
        assert offer["customer"]["name"] == "Tom"
        assert (offer["language"], offer["channel"], offer["queue_name"]) == ("en", "chat", "For front-ends")
        assert offer["team_name"] == "Front Ends"
        assert offer["expires_at"] > offer["made_at"]
        assert offer["why"]["text"].endswith(".")
        assert {clock["metric"] for clock in offer["clocks"]} >= {"first_response", "resolution"}
        assert all(clock["due_at"] for clock in offer["clocks"])

        assert screen.order(f"accept {offer['offer_id']}")["state"] == "assigned"
        line.break_off()
        second = waits_in(desk, name, "Mary")
        until(
            lambda: next((o for o in desk.offers(name) if o["conversation_id"] == second), None),
            _PATIENCE_SECONDS,
        )
        line.cut.clear()
        missed = screen.next("offer", conversation_id=second)
        assert missed["customer"]["name"] == "Mary"
        assert screen.numbers == list(range(screen.numbers[0], screen.numbers[-1] + 1)), "once and in order"

        assert screen.order(f"accept {offer['offer_id']}")["type"] == "urn:centralino:problem:offer-gone"
        assert screen.order(f"decline {missed['offer_id']}")["state"] == "declined"
        assert screen.order(f"release {first}")["state"] in ("waiting", "offered")
        assert screen.order("presence away")["presence"] == "away"
    assert desk.done("GET", "/routing/v1/presence", "agent", subject=name)["presence"] == "away"
