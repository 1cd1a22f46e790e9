"""Customers and agents that take conversations through their whole life over HTTP, as lean as they can be.

Usage: python -m bench.life_load URL DATA_FOLDER --conversations N --open K, or --rate R; prints one JSON object.
"""

import argparse
import asyncio
import contextlib
import json
import time
from pathlib import Path

import uvloop

from bench.wire import Wire
from libs.web import TokenKeys, Tokens

AGENTS = 24
TEXTS = (
    "where is my parcel, it should have come on monday",
    "my card was charged twice for the same order, please give me my money back",
    "the app crashes whenever I open the invoices",
    "how do I change the address of my account?",
    "do you have this lamp in blue, and what is the warranty?",
)


class Life:
    """One run: `open_` conversations at a time until so many have an answered survey in their outcome.

    With a `rate`, conversations a second, each begins when it is due, however many are open.
    """

    def __init__(
        self, url: str, data: Path, conversations: int, open_: int, limit_s: float, rate: float = 0.0
    ) -> None:
        tokens = Tokens(TokenKeys.load_or_create(data / "token-keys.json"))
        self.wire = Wire(url)
        self.staff = tokens.issue("bench", "admin", 86_400)
        self.agents = {f"bench-{i}": tokens.issue(f"bench-{i}", "agent", 86_400) for i in range(AGENTS)}
        self.conversations = conversations
        self.room = asyncio.Semaphore(conversations if rate else open_)
        self.spacing_s = 1 / rate if rate else 0.0
        self.started: dict[str, float] = {}
        self.lives: list[float] = []
        self.done = asyncio.Event()
        self.limit_s = limit_s
        self.refused: dict[str, int] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        teams = ["billing", "orders", "it-help-desk", "product-specialists", "general"]
        for agent, token in self.agents.items():
            body = {"name": agent, "teams": teams, "languages": ["en"]}
            status, head, answer = await self.wire.ask("PUT", f"/routing/v1/agents/{agent}", body, self.staff)
            while status == 202:
                # A platform of many processes that has just begun takes a command first and does it later.
                await asyncio.sleep(0.2)
                status, _, answer = await self.wire.ask("GET", head["location"], token=self.staff)
            assert status in {200, 201}, answer
            await self.wire.ask("PUT", "/routing/v1/presence", {"presence": "online"}, token)

    def count(self, what: str) -> None:
        self.refused[what] = self.refused.get(what, 0) + 1

    async def customer(self, number: int) -> None:
        """Writes, follows the thread until the survey's link comes, answers."""
        await asyncio.sleep(number * self.spacing_s)
        await self.room.acquire()
        sender = {"external_id": f"life-{number}", "name": "Life"}
        body = {"channel": "chat", "sender": sender, "text": TEXTS[number % len(TEXTS)]}
        begun = time.perf_counter()
        status, _, sent = await self.wire.ask("POST", "/ingest/v1/messages", body, Prefer="wait=10")
        if status != 202:
            self.count(f"message {status}")
            return
        case, token = sent["conversation_id"], sent["visitor_token"]
        self.started[case] = begun
        asked = ""
        thread = self.wire.stream(f"/ingest/v1/conversations/{case}/events", token)
        async with contextlib.aclosing(thread) as entries:
            async for kind, entry in entries:
                if kind == "survey":
                    asked = entry["text"]
                    break
        path = "/survey/" + asked.partition("/survey/")[2].split()[0]
        status, _, _ = await self.wire.ask(
            "POST", path, {"score": 1 + number % 5, "comment": ""}, Accept="application/json"
        )
        if status >= 300:
            self.count(f"survey {status}")

    async def agent(self, agent: str, token: str) -> None:
        async for kind, data in self.wire.stream("/routing/v1/feed", token):
            offers = (
                data.get("offers", []) if kind in {"state", "resync"} else [data] if kind == "offer" else []
            )
            for offer in offers:
                if offer.get("offer_id"):
                    task = asyncio.create_task(self.work(offer, token))
                    self.tasks.add(task)
                    task.add_done_callback(self.tasks.discard)

    async def work(self, offer: dict[str, str], token: str) -> None:
        case = offer["conversation_id"]
        status, _, _ = await self.wire.ask(
            "POST", f"/routing/v1/offers/{offer['offer_id']}/accept", token=token
        )
        if status != 200:
            self.count(f"accept {status}")
            return
        status, headers, seen = await self.wire.ask("GET", f"/agent/v1/conversations/{case}", token=token)
        if status != 200:
            self.count(f"read {status}")
            return
        last = seen["last_seq"] if "last_seq" in seen else seen["conversation"]["last_seq"]
        reply = {"text": "It is on its way, and here is what to do next.", "after_seq": last}
        status, headers, _ = await self.wire.ask(
            "POST", f"/agent/v1/conversations/{case}/replies", reply, token, If_Match=headers["etag"]
        )
        if status != 201:
            self.count(f"reply {status}")
            return
        status, _, _ = await self.wire.ask(
            "POST",
            f"/agent/v1/conversations/{case}/resolve",
            {"through_seq": last, "reason": "solved"},
            token,
            If_Match=headers["etag"],
        )
        if status != 200:
            self.count(f"resolve {status}")

    async def outcomes(self) -> None:
        """Follows the feed: a life is over when its outcome has the answer."""
        after = ""
        while len(self.lives) < self.conversations:
            _, _, page = await self.wire.ask(
                "GET", f"/analytics/v1/outcomes?after={after}&wait=5&limit=1000", token=self.staff
            )
            for outcome in page["items"]:
                begun = self.started.get(outcome["conversation_id"])
                if begun is not None and outcome.get("csat_score"):
                    del self.started[outcome["conversation_id"]]
                    self.lives.append(time.perf_counter() - begun)
                    self.room.release()
            after = page["next_cursor"] or after
        self.done.set()

    async def run(self) -> dict[str, object]:
        await self.prepare()
        reading = [asyncio.create_task(self.agent(agent, token)) for agent, token in self.agents.items()]
        await asyncio.sleep(1)
        started, own = time.perf_counter(), time.process_time()
        following = asyncio.create_task(self.outcomes())
        customers = [asyncio.create_task(self.customer(number)) for number in range(self.conversations)]
        try:
            async with asyncio.timeout(self.limit_s):
                await self.done.wait()
        except TimeoutError:
            self.count("never finished")
        took = time.perf_counter() - started
        for task in (*reading, following, *customers):
            task.cancel()
        self.lives.sort()
        return {
            "conversations": len(self.lives),
            "seconds": took,
            "per_second": len(self.lives) / took,
            "requests": self.wire.requests,
            "own_cpu_s": time.process_time() - own,
            "life_p50_s": self.lives[len(self.lives) // 2],
            "life_p99_s": self.lives[int(len(self.lives) * 0.99)],
            "refused": self.refused,
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("data", type=Path)
    parser.add_argument("--conversations", type=int, default=2000)
    parser.add_argument("--open", type=int, default=200)
    parser.add_argument("--rate", type=float, default=0.0, help="conversations a second, in place of --open")
    parser.add_argument("--limit", type=float, default=600, help="seconds")
    given = parser.parse_args()
    life = Life(given.url, given.data, given.conversations, given.open, given.limit, given.rate)
    print(json.dumps(uvloop.run(life.run())))
