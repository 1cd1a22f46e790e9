"""A small server of the OpenAI shape that answers what it is told, and keeps what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class FakeEndpoint:
    """Answers by `content`, `status` and `seconds`, which a test may change at any time."""

    content: str = '{"topic": "none", "confidence": 0.9}'
    """What the model said."""
    status: int = 200
    seconds: float = 0.0
    """How long it thinks."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    """The bodies it was sent."""
    heads: list[str] = field(default_factory=list)
    """Their request lines and headers."""
    url: str = ""

    def says(self, topic: str, confidence: float = 0.9) -> None:
        """From now on this is the answer."""
        self.content = json.dumps({"topic": topic, "confidence": confidence})

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            writer.close()
            return
        length = next(
            int(v)
            for k, _, v in (h.partition(":") for h in head.lower().split("\r\n"))
            if k == "content-length"
        )
        self.asked.append(json.loads(await reader.readexactly(length)))
        self.heads.append(head)
        await asyncio.sleep(self.seconds)
        body = json.dumps(
            {"choices": [{"index": 0, "message": {"role": "assistant", "content": self.content}}]}
        )
        where = "Location: http://127.0.0.1:1/\r\n" if self.status in (301, 302, 307) else ""
        size = len(body.encode())
        writer.write(f"HTTP/1.1 {self.status} Said\r\n{where}Content-Length: {size}\r\n\r\n{body}".encode())
        writer.close()


@asynccontextmanager
async def fake_endpoint() -> AsyncIterator[FakeEndpoint]:
    """On a free port of this machine."""
    fake = FakeEndpoint()
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield fake
    finally:
        server.close()
        await server.wait_closed()
