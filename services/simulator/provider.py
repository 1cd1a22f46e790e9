"""A provider that runs: takes our messages, tells their statuses, posts customers' messages, with faults."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.simulator.serving import serving_app
from services.simulator.shapes import Payload, Shape


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares of what goes wrong, each 0 to 1."""

    busy: float = 0
    """Of our calls answered 503."""
    refused: float = 0
    """Of our calls answered that it will never be."""
    doubled: float = 0
    """Of its webhooks posted twice."""
    reordered: float = 0
    """Of its webhooks held back behind the next ones."""
    delay_s: float = 0
    """Longest pause before an answer."""


@dataclass
class SimulatedProvider:
    """One provider on this machine."""

    shape: Shape
    secret: str
    hook_url: str = ""
    """Where its webhooks go, as reached from here."""
    signed_url: str = ""
    """What it signs: the public address of the same; empty for `hook_url`."""
    faults: Faults = Faults()
    seed: int = 1
    statuses: tuple[str, ...] = ()
    """Told of each message it has taken, in this order before faults."""
    taken: list[tuple[str, str]] = field(default_factory=list)
    """(recipient, text) of what it took."""
    heard: Callable[[str, str], None] | None = None
    """Called with (recipient, text) of each message it takes."""
    calls: int = 0
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    """What it says to the next calls, one each, before anything else."""
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def app(self) -> Starlette:
        """Its API."""
        return Starlette(routes=[Route("/{path:path}", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        self.calls += 1
        await asyncio.sleep(self._random.random() * self.faults.delay_s)
        if self.answers:
            status, said = self.answers.pop(0)
        elif self._random.random() < self.faults.busy:
            status, said = 503, b"busy"
        elif self._random.random() < self.faults.refused:
            status, said = self.shape.refusal()
        else:
            number = len(self.taken) + 1
            recipient, text = self.shape.taken(body)
            self.taken.append((recipient, text))
            if self.heard is not None:
                self.heard(recipient, text)
            status, said = self.shape.answer(number)
            task = asyncio.create_task(self._tell(self.shape.answer_id(number), recipient))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return Response(said, status, media_type="application/json")

    async def _tell(self, id_: str, recipient: str) -> None:
        told = [
            one for status in self.statuses if (one := self.shape.status(id_, recipient, status)) is not None
        ]
        if told and self.hook_url:
            async with httpx.AsyncClient(timeout=30) as client:
                await self.post(client, told)

    def headers(self, payload: Payload) -> dict[str, str]:
        """A webhook's headers, signed now."""
        signed = self.shape.sign(
            payload.body, self.signed_url or self.hook_url, self.secret, int(time.time())
        )
        return {"Content-Type": payload.media_type, **signed}

    async def post(self, client: httpx.AsyncClient, payloads: list[Payload]) -> int:
        """Posts webhooks with its faults, each until it is taken, as providers do. Returns how many were refused."""
        order = list(payloads)
        for place in range(len(order) - 1):
            if self._random.random() < self.faults.reordered:
                order[place], order[place + 1] = order[place + 1], order[place]
        order += [one for one in payloads if self._random.random() < self.faults.doubled]
        refused = 0
        for payload in order:
            refused += not await self._until_taken(client, payload)
        return refused

    async def _until_taken(self, client: httpx.AsyncClient, payload: Payload) -> bool:
        for attempt in range(60):
            with contextlib.suppress(httpx.HTTPError):
                answer = await client.post(self.hook_url, content=payload.body, headers=self.headers(payload))
                if answer.status_code < 300:
                    return True
                if answer.status_code < 500 and answer.status_code != 429:
                    return False
            await asyncio.sleep(min(1.0, 0.05 * 2**attempt))
        return False


@contextlib.asynccontextmanager
async def serving(provider: SimulatedProvider, port: int = 0) -> AsyncIterator[str]:
    """Its API on a port of this machine: the address."""
    async with serving_app(provider.app(), port) as address:
        yield address
