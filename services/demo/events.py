"""Reading an event stream as a browser does: numbered, resumed after a break, until cancelled."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import httpx

from services.demo.access import Access, Refused

_PAUSE_S: Final = (0.2, 1.0)


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event. `number` is None for an event that cannot be resumed from."""

    name: str
    data: Any
    number: int | None


async def follow(
    access: Access, path: str, token: str, after: int | None = None
) -> AsyncIterator[StreamEvent]:
    """The events of a stream, the first after number `after`; a broken stream is taken up where it was.

    Raises Refused when the platform says no (4xx).
    """
    async with access.stream_client() as client:
        while True:
            headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
            if after is not None:
                headers["Last-Event-ID"] = str(after)
            try:
                async with client.stream("GET", path, headers=headers) as response:
                    if response.status_code == 200:
                        async for event in parse(response.aiter_lines()):
                            if event.number is not None:
                                after = event.number
                            yield event
                    elif 400 <= response.status_code < 500 and response.status_code != 429:
                        await response.aread()
                        raise Refused(response, "following a stream")
                    else:
                        access.trouble[f"stream status {response.status_code}"] += 1
            except httpx.HTTPError as error:
                access.trouble[f"stream {type(error).__name__}"] += 1
            await asyncio.sleep(random.uniform(*_PAUSE_S))


async def parse(lines: AsyncIterator[str]) -> AsyncIterator[StreamEvent]:
    """Server-sent events from lines; comments and what is not JSON are passed over."""
    name, number = "message", None
    data: list[str] = []
    async for line in lines:
        if not line:
            if data:
                content: Any = None
                with contextlib.suppress(ValueError):
                    content = json.loads("\n".join(data))
                if content is not None:
                    yield StreamEvent(name, content, number)
            name, data, number = "message", [], None
        elif not line.startswith(":"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                data.append(value)
            elif field == "event":
                name = value
            elif field == "id" and value.isdigit():
                number = int(value)
