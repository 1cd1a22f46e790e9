"""What the service has written is the engine: random lives of a pool, run through the log and the database."""

from dataclasses import replace
from itertools import groupby

import pytest

from libs.contracts import PARTITIONS
from services.routing.adapters.contracts import pool_command
from services.routing.domain.commands import Command, Enqueue, PutAgent, PutDirectory, SetPresence
from services.routing.domain.engine import Engine
from services.routing.domain.rebuilding import Rows
from services.routing.domain.state import Step
from services.routing.pools import Pools
from services.routing.workers import default_directory
from tests.service.routing.scenes import Scene, scene
from tests.support.harness import START_MS
from tests.unit.routing.pools import DIRECTORY, PROFILES
from tests.unit.routing.stories import Story, random_story


class Recorder(Story):
    """A story that begins with a fresh installation and keeps its commands with their instants."""

    def __init__(self) -> None:
        super().__init__(Engine)
        self.engine = Engine("default", default_directory())
        self.at = START_MS
        self.sent: list[tuple[int, Command]] = []
        self.apply(PutDirectory(command_id="directory", directory=DIRECTORY))
        for profile in PROFILES:
            self.apply(PutAgent(command_id=f"put-{profile.agent_id}", agent=profile))
            self.apply(
                SetPresence(command_id=f"be-{profile.agent_id}", agent_id=profile.agent_id, presence="online")
            )

    def apply(self, command: Command) -> Step:
        self.sent.append((self.at, command))
        step = self.engine.apply(command, self.at)
        self.last = (command, step)
        return step

    def _repeat(self, a: int, b: int) -> None:
        if self.last is not None:
            self.sent.append((self.at, self.last[0]))

    def _arrive(self, a: int, b: int) -> Enqueue:
        """Of nobody that the service knows: it would send commands of its own about a late resolution."""
        return replace(super()._arrive(a, b), customer_id="")

    def _leave(self, a: int, b: int) -> Command:
        """This installation has one pool."""
        return self._release(a, b)

    def _crash(self, a: int, b: int) -> None:
        """The service's engine crashes, this one does not."""


async def loaded(s: Scene) -> Rows:
    """The pool as a new owner would load it."""
    pools = Pools()
    async with s.service.database.begin_stream() as uow:
        await pools.claimed(uow, frozenset(range(PARTITIONS)))
    return pools.engine("default").snapshot()


@pytest.mark.parametrize("seed", range(3))
async def test_a_pool_loaded_from_its_rows_is_the_pool_that_wrote_them(seed: int) -> None:
    story = Recorder()
    story.play(random_story(seed, 150))
    async with scene() as s:
        [processor] = [p for p in s.service.assembled.processors if p.group == "routing-engine"]
        for turn, (at_ms, group) in enumerate(groupby(story.sent, key=lambda sent: sent[0])):
            s.service.clock.advance(at_ms - s.service.clock.now_ms())
            await s.service.publish(*(pool_command("default", command) for _, command in group))
            await s.service.settle()
            if turn % 5 == 4:
                processor.claims.forget()
        assert await s.service.events("PoolCommand")
        expected, found = story.engine.snapshot(), await loaded(s)
        assert len(expected.items) > 3
        for name in Rows.__dataclass_fields__:
            assert getattr(found, name) == getattr(expected, name), name
