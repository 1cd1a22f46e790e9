"""A small HTTP/1.1 client for load generators: keep-alive connections, no more work than needed."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit


class Wire:
    """Requests to one address over a pool of connections."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), parts.port or 80
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.requests = 0

    async def ask(
        self, method: str, path: str, body: Any = None, token: str = "", **headers: str
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers (lower case) and the JSON of the answer."""
        reader, writer = (
            self._idle.pop() if self._idle else await asyncio.open_connection(self._host, self._port)
        )
        payload = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", f"Content-Length: {len(payload)}"]
        if body is not None:
            lines.append("Content-Type: application/json")
        if token:
            lines.append(f"Authorization: Bearer {token}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + payload)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        answered = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        content = await reader.readexactly(int(answered.get("content-length", "0")))
        self._idle.append((reader, writer))
        self.requests += 1
        is_json = "json" in answered.get("content-type", "")
        return int(head[0].split()[1]), answered, json.loads(content) if content and is_json else None

    async def stream(self, path: str, token: str) -> AsyncGenerator[tuple[str, Any], None]:
        """Server-sent events as (kind, data)."""
        self.requests += 1
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=4 * 1024 * 1024)
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Bearer {token}\r\n"
            "Accept: text/event-stream\r\n\r\n".encode()
        )
        try:
            await reader.readuntil(b"\r\n\r\n")
            text = b""
            while True:
                size = int((await reader.readline()).strip() or b"0", 16)
                if size == 0:
                    return
                text += await reader.readexactly(size)
                await reader.readexactly(2)
                while b"\n\n" in text.replace(b"\r\n", b"\n"):
                    text = text.replace(b"\r\n", b"\n")
                    block, _, text = text.partition(b"\n\n")
                    kind, data = "message", ""
                    for line in block.decode().split("\n"):
                        if line.startswith("event:"):
                            kind = line[6:].strip()
                        elif line.startswith("data:"):
                            data += line[5:].strip()
                    if data:
                        yield kind, json.loads(data)
        finally:
            writer.close()
