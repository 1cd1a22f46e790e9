"""A day of customers and agents on a platform, from the first arrival until nothing moves any more."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

from services.demo.agents import Agent
from services.demo.arrivals import Day
from services.demo.cast import Person
from services.demo.collect import outcomes, pages, unplaced
from services.demo.customers import Customer
from services.demo.office import hire
from services.demo.scene import Scene
from services.demo.stories import Story
from services.demo.threads import Watcher

_OPEN: Final = ("open", "pending_customer", "on_hold", "snoozed")
_LOOK_S: Final = 1.0
_MOVES: Final = ("messages", "replies", "resolved", "surveys", "transfers", "accepted", "declined")


class Simulation:
    """Plays stories, one for each arrival of the day. `still_s`: nothing moved for so long, and nothing is open = over.

    `most_s` bounds the time after the last arrival. `alone`: nobody else uses the platform.
    """

    def __init__(
        self,
        scene: Scene,
        stories: Sequence[Story],
        day: Day,
        people: Sequence[Person],
        *,
        still_s: float,
        most_s: float = 600.0,
        alone: bool = True,
    ) -> None:
        self.scene = scene
        self.customers: list[Customer] = []
        self.phase = "preparing"
        self._stories = stories
        self._day = day
        self._people = people
        self._still_s = still_s
        self._most_s = most_s
        self._alone = alone
        self._begun = 0.0
        self._watcher = Watcher(scene)
        self._agents = [Agent(scene, person, self._on_call) for person in people]

    def clock_time(self) -> str:
        """The simulated time of day."""
        if not self._begun:
            return "00:00"
        at_s = time.monotonic() - self._begun
        if at_s >= self._day.seconds:
            return "after hours"
        minutes = int(self._day.hour(at_s) * 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}"

    def _on_call(self, person: Person) -> bool:
        """By the shift; everybody when the day is over and work is left."""
        at_s = time.monotonic() - self._begun
        return at_s >= self._day.seconds or person.on_shift(self._day.hour(at_s))

    async def play(self) -> None:
        """Runs to the end. Raises PlatformGone when the platform stays away."""
        await self.scene.together.until(self._play())
        self.phase = "over"

    async def _play(self) -> None:
        await hire(self.scene, self._people, own_office=self._alone)
        self._begun = time.monotonic()
        for agent in self._agents:
            agent.begin()
        self.scene.together.spawn(self._watcher.live())
        self.phase = "the day runs"
        for story, at_s in zip(self._stories, self._day.arrivals_s, strict=True):
            await asyncio.sleep(max(0.0, self._begun + at_s - time.monotonic()))
            customer = Customer(self.scene, self._watcher, story)
            self.customers.append(customer)
            self.scene.together.spawn(customer.live())
        await asyncio.sleep(max(0.0, self._begun + self._day.seconds - time.monotonic()))
        await self._until_still()

    async def _until_still(self) -> None:
        """Waits until customers and agents have nothing to do, and the outcomes have caught up."""
        until = time.monotonic() + self._most_s
        moved, since = self._moves(), time.monotonic()
        while time.monotonic() < until:
            await asyncio.sleep(_LOOK_S)
            writing = sum(not customer.done for customer in self.customers)
            cases = sum(agent.busy for agent in self._agents)
            self.phase = f"{writing} customers write, agents have {cases} cases"
            if (now := self._moves()) != moved or writing or cases:
                moved, since = now, time.monotonic()
            elif time.monotonic() - since > self._still_s:
                if late := await self._on_their_way():
                    self.phase = f"{late} messages are still on their way through the platform"
                elif left := await self._still_open():
                    self.phase = f"{len(left)} conversations are open, such as {left[0]}"
                else:
                    self.phase = "waiting for the last outcomes"
                    await self._outcomes_arrived(min(until, time.monotonic() + 60))
                    return

    def _moves(self) -> tuple[int, ...]:
        return tuple(self.scene.counts[name] for name in _MOVES)

    async def _on_their_way(self) -> int:
        """How many accepted messages the platform has not placed: a line that stands still is not one that is done."""
        asked = dict(self.scene.accepted)
        late = await unplaced(self.scene.access, asked)
        for message_id in asked.keys() - late.keys():
            del self.scene.accepted[message_id]
        return len(late)

    async def _still_open(self) -> list[str]:
        """Conversations of ours in which an episode is open."""
        ours = {customer.conversation_id for customer in self.customers}
        token = self.scene.access.token("supervisor", "demo-supervisor")
        found = []
        for status in _OPEN:
            async for item in pages(self.scene.access, "/agent/v1/conversations", token, status=status):
                if self._alone or item["id"] in ours:
                    found.append(item["id"])
        return found

    async def _outcomes_arrived(self, until: float) -> None:
        """As many outcomes and answers as were made, or the time is over: the account says what is missing."""
        while time.monotonic() < until:
            newest: dict[str, Any] = {}
            ours = {customer.conversation_id for customer in self.customers}
            async for outcome in outcomes(self.scene.access):
                if self._alone or outcome["conversation_id"] in ours:
                    newest[outcome["episode_id"]] = outcome
            answered = sum(outcome["csat_score"] is not None for outcome in newest.values())
            counts = self.scene.counts
            if len(newest) >= counts["resolved"] and answered >= counts["surveys"]:
                return
            await asyncio.sleep(_LOOK_S)
