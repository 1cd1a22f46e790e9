"""A simulated agent at work: a front-end's view of the platform, by event stream and plain requests."""

import asyncio
from collections.abc import Callable
from typing import Any

from services.demo.access import Access, Refused
from services.demo.casework import Casework
from services.demo.cast import Person
from services.demo.events import follow
from services.demo.scene import Scene

_HEARTBEAT_S = 15.0
_LOOK_AT_CLOCK_S = 0.5
_SWEEP_S = 15.0


class Agent:
    """One person. `on_call` says whether they are wanted now, by their shift or because the day is over and work is left."""

    def __init__(self, scene: Scene, person: Person, on_call: Callable[[Person], bool]) -> None:
        self.person = person
        self._scene = scene
        self._access: Access = scene.access
        self._token = scene.access.token("agent", person.agent_id)
        self._on_call = on_call
        self._draw = scene.chance(person.agent_id)
        self._work: set[str] = set()
        self._cases: dict[str, Casework] = {}
        self._offers: set[asyncio.Task[None]] = set()
        self._asked: set[str] = set()
        self._presence = "offline"

    @property
    def busy(self) -> int:
        """Conversations at hand."""
        return len(self._work)

    def begin(self) -> None:
        """Works for the rest of the run."""
        for work in (self._keep_time(), self._read_feed(), self._sweep()):
            self._scene.together.spawn(work)

    async def _keep_time(self) -> None:
        """Comes, stays in touch, and leaves when the shift is over and nothing is left to do."""
        last_beat = 0.0
        loop = asyncio.get_running_loop()
        while True:
            if self._on_call(self.person):
                wanted = "online"
            else:
                wanted = "no_new" if self._work or self._offers else "offline"
            if wanted != self._presence:
                await self._post("PUT", "/routing/v1/presence", {"presence": wanted})
                self._presence = wanted
            elif wanted != "offline" and loop.time() - last_beat > _HEARTBEAT_S:
                await self._post("POST", "/routing/v1/presence/heartbeat", None)
                last_beat = loop.time()
            await asyncio.sleep(_LOOK_AT_CLOCK_S)

    async def _read_feed(self) -> None:
        async for event in follow(self._access, "/routing/v1/feed", self._token):
            match event.name:
                case "offer":
                    self._consider(event.data)
                case "assigned":
                    self.take(event.data["conversation_id"])
                case "unassigned":
                    self._drop(event.data["conversation_id"], event.data.get("cause", ""))
                case "presence":
                    # The platform may have sent the person away: the clock notices and comes back.
                    self._presence = str(event.data["presence"])
                case "state" | "resync":
                    for offer in event.data.get("offers", ()):
                        self._consider(offer)
                    for assignment in event.data.get("assignments", ()):
                        self.take(assignment["conversation_id"])

    def _consider(self, offer: dict[str, Any]) -> None:
        if offer["offer_id"] in self._asked:
            return
        self._asked.add(offer["offer_id"])
        self._scene.counts["offers"] += 1
        task = self._scene.together.spawn(self._answer_offer(offer))
        self._offers.add(task)
        task.add_done_callback(self._offers.discard)

    async def _answer_offer(self, offer: dict[str, Any]) -> None:
        chance = self._draw.random()
        if chance < self.person.misses:
            self._scene.counts["missed"] += 1
            return
        await asyncio.sleep(self._scene.pace.draw("decide", self._draw))
        path = f"/routing/v1/offers/{offer['offer_id']}"
        if chance < self.person.misses + self.person.declines:
            answer = await self._post("POST", f"{path}/decline", {"reason": "busy"})
            self._scene.counts["declined"] += answer == 200
            return
        if await self._post("POST", f"{path}/accept", None) == 200:
            self._scene.counts["accepted"] += 1
            self.take(offer["conversation_id"])

    async def _sweep(self) -> None:
        """Now and then a look at one's own list, as people do: nothing stays lying that the feed did not bring."""
        while True:
            await asyncio.sleep(_SWEEP_S * self._draw.uniform(0.7, 1.3))
            await self._look_around()

    async def _look_around(self) -> None:
        for assignment in await self._access.get("/routing/v1/assignments", self._token):
            self.take(assignment["conversation_id"])

    def take(self, conversation_id: str) -> None:
        """Begins to work on a conversation, unless that is being done."""
        if conversation_id not in self._work:
            self._work.add(conversation_id)
            self._scene.together.spawn(self._handle(conversation_id))

    def _drop(self, conversation_id: str, cause: str) -> None:
        case = self._cases.get(conversation_id)
        if case is not None and cause not in ("resolved", "closed"):
            case.over = True

    async def _handle(self, conversation_id: str) -> None:
        case = Casework(self._scene, self.person, self._token, self._draw, conversation_id)
        self._cases[conversation_id] = case
        try:
            await case.do()
        except Refused as error:
            self._scene.trouble(str(error))
        finally:
            self._work.discard(conversation_id)
            del self._cases[conversation_id]

    async def _post(self, method: str, path: str, body: dict[str, Any] | None) -> int:
        """Sends a command; one that was refused because things have moved on is no trouble."""
        key = self._scene.key(self.person.agent_id)
        response = await self._access.command(method, path, self._token, body, {"Idempotency-Key": key})
        if response.status_code >= 400 and response.status_code not in (404, 409, 412):
            self._scene.trouble(str(Refused(response, "working")))
        return response.status_code
