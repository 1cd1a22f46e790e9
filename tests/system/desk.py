"""What people do to a running platform over HTTP, step by step, for the tests that look at it from outside."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

from libs.web import TokenKeys, Tokens

T = TypeVar("T")
PROBLEM = "application/problem+json"
TEAM = "it-help-desk"
TEXT = "I cannot log in to my account, the password is refused"
_UNEXPECTED = re.compile(r"^centralino_http_unexpected_errors_total(?:\{[^}]*\})? (\S+)$", re.M)


def until(look: Callable[[], T | None], seconds: float = 20, *, what: str = "it") -> T:
    """What `look` finds; it is asked again until it finds something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come within {seconds} s")


def refused(answer: httpx.Response, status: int, slug: str, said: str = "") -> Any:
    """The problem document of a refusal, checked in all its parts."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["content-type"] == PROBLEM
    problem = answer.json()
    assert problem["type"] == f"urn:centralino:problem:{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert len(problem["detail"].split()) >= 3
    assert problem["detail"] != problem["title"]
    assert said.lower() in problem["detail"].lower(), problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    return problem


def problem(answer: httpx.Response, statuses: tuple[int, ...], said: str = "") -> Any:
    """The same for a refusal that may have one of several statuses, and any slug."""
    assert answer.status_code in statuses, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["content-type"] == PROBLEM
    return refused(answer, answer.status_code, answer.json()["type"].rpartition(":")[2], said)


class Desk:
    """A client of one platform that signs its own tokens with the installation's keys."""

    def __init__(self, url: str, data: Path) -> None:
        self.client = httpx.Client(base_url=url, timeout=20)
        self._data = data

    def token(self, role: str = "admin", subject: str = "tester", seconds: int = 3600) -> str:
        keys = TokenKeys.load_or_create(self._data / "token-keys.json")
        return Tokens(keys).issue(subject, role, seconds)  # type: ignore[arg-type]  # tests name any role

    def ask(
        self, method: str, path: str, role: str | None = "admin", subject: str = "tester", **more: Any
    ) -> httpx.Response:
        """A request with a token of the role, or with none."""
        headers = dict(more.pop("headers", {}))
        if role is not None:
            headers.setdefault("Authorization", f"Bearer {self.token(role, subject)}")
        return self.client.request(method, path, headers=headers, **more)

    def done(self, method: str, path: str, role: str | None = "admin", **more: Any) -> Any:
        """The JSON of a request that has to succeed."""
        answer = self.ask(method, path, role, **more)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def unexpected(self) -> float:
        """How many errors nobody foresaw the host has met."""
        return sum(float(value) for value in _UNEXPECTED.findall(self.client.get("/metrics").text))

    def is_well(self) -> None:
        """Raises AssertionError when the host has met an error nobody foresaw, or a part of it does not work."""
        assert self.unexpected() == 0
        ready = self.client.get("/readyz")
        assert ready.status_code == 200, ready.text

    def agent(self, name: str, presence: str = "online") -> None:
        """Puts a person into the team, in that presence."""
        entry = {"name": name.capitalize(), "teams": [TEAM], "languages": ["en"]}
        self.done("PUT", f"/routing/v1/agents/{name}", json=entry)
        self.presence(name, presence)

    def presence(self, name: str, presence: str) -> None:
        self.done("PUT", "/routing/v1/presence", "agent", subject=name, json={"presence": presence})

    def write(self, text: str = TEXT, channel: str = "chat", visitor: str = "", **more: Any) -> Any:
        """A customer's message, threaded."""
        headers = {"Prefer": "wait=10"} | ({"Authorization": f"Bearer {visitor}"} if visitor else {})
        body = {"channel": channel, "text": text, **more}
        state = self.done("POST", "/ingest/v1/messages", None, json=body, headers=headers)
        assert state["state"] == "received", state
        return state

    def offers(self, name: str) -> list[Any]:
        offers: list[Any] = self.done("GET", "/routing/v1/offers", "agent", subject=name)
        return offers

    def offer(self, name: str, case: str, seconds: float = 20) -> str:
        """The offer of the conversation to that agent, once it is made."""

        def look() -> str | None:
            return next((o["offer_id"] for o in self.offers(name) if o["conversation_id"] == case), None)

        return until(look, seconds, what=f"the offer of {case} to {name}")

    def accept(self, name: str, offer: str) -> httpx.Response:
        return self.ask("POST", f"/routing/v1/offers/{offer}/accept", "agent", name)

    def act(
        self, name: str, case: str, what: str, body: Any, version: int | None, **headers: str
    ) -> httpx.Response:
        """An act on a conversation, made on the version that was read."""
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        path = f"/agent/v1/conversations/{case}/{what}"
        return self.ask("POST", path, "agent", name, json=body, headers=headers)

    def reads(self, case: str, seq: int = 1) -> Any:
        """The conversation as agents see it, once it holds an open episode and that message."""

        def look() -> Any:
            answer = self.ask("GET", f"/agent/v1/conversations/{case}")
            if answer.status_code != 200 or not answer.json()["history"]["episodes"]:
                return None
            return answer.json() if answer.json()["last_seq"] >= seq else None

        return until(look, what=f"message {seq} of {case} at the agents' desk")

    def resolve(self, name: str, case: str) -> None:
        """Answers the first message and ends the episode."""
        self.reads(case)
        reply = self.act(name, case, "replies", {"text": "Try the new one.", "after_seq": 1}, 0)
        assert reply.status_code == 201, reply.text
        resolved = self.act(name, case, "resolve", {"through_seq": 1}, 1)
        assert resolved.status_code == 200, resolved.text

    def outcome(self, case: str) -> Any:
        """The outcome of the first episode, once it is published."""

        def look() -> Any:
            answer = self.ask("GET", f"/analytics/v1/outcomes/{case}:1", "supervisor")
            return answer.json() if answer.status_code == 200 else None

        return until(look, what=f"the outcome of {case}")
