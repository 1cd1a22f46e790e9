"""Server-sent events: numbered, resumable, alive through proxies, gone at once when the process drains."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from libs.telemetry import get_logger
from libs.web.problems import BadRequest

_log = get_logger("http")
_LONGEST_ID: Final = 18
_LINE_BREAKS: Final = ("\r", "\n", "\0")


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event. `data` is a pydantic model or a JSON value; `id` the dense number to resume from."""

    data: Any
    event: str = "message"
    id: int | None = None

    def encode(self) -> bytes:
        """The event on the wire. JSON escapes line breaks, so `data` is always one line."""
        if any(mark in self.event for mark in _LINE_BREAKS):
            raise ValueError("the name of an event is one line")
        data = self.data.model_dump_json() if isinstance(self.data, BaseModel) else _json(self.data)
        number = "" if self.id is None else f"id: {self.id}\n"
        return f"{number}event: {self.event}\ndata: {data}\n\n".encode()


def last_event_id(request: Request) -> int | None:
    """The number after which to go on: the header Last-Event-ID, or `?last_event_id=`; None for a new stream.

    BadRequest `bad-last-event-id` when it is not a number of 0 or more.
    """
    given = request.headers.get("last-event-id")
    if given is None:
        given = request.query_params.get("last_event_id")
    if given is None or given == "":
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= _LONGEST_ID):
        raise BadRequest("Last-Event-ID is the id of an event of this stream.", slug="bad-last-event-id")
    return int(given)


def sse_response(
    request: Request, source: AsyncIterator[SseEvent], *, keepalive_s: float = 15.0, retry_ms: int = 1000
) -> Response:
    """Send `source` as an event stream until it ends, the client goes, or the app's `stopping` event is set.

    A comment goes out every `keepalive_s` without an event. The source is cancelled and closed at the end;
    if it fails, the stream ends and the client comes back with its Last-Event-ID. Do everything that can
    refuse the request (rights, unknown ids) before: after the first byte there is no status any more.
    """
    return _EventStream(source, request.app.state.stopping, keepalive_s, retry_ms)


class _ClientGone(Exception):
    """The client went while we wrote: nothing to say and nobody to say it to."""


class _EventStream(Response):
    media_type = "text/event-stream"

    def __init__(
        self, source: AsyncIterator[SseEvent], stopping: asyncio.Event, keepalive_s: float, retry_ms: int
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-cache, no-store", "X-Accel-Buffering": "no"})
        self.raw_headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]
        self._source = source
        self._stopping = stopping
        self._keepalive_s = keepalive_s
        self._retry_ms = retry_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_part(part: bytes, *, more: bool = True) -> None:
            try:
                await send({"type": "http.response.body", "body": part, "more_body": more})
            except OSError as error:
                raise _ClientGone from error

        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        gone = asyncio.create_task(_wait_for_disconnect(receive))
        stopped = asyncio.create_task(self._stopping.wait())
        following: asyncio.Task[SseEvent] | None = None
        try:
            await send_part(f"retry: {self._retry_ms}\n\n".encode())
            while not gone.done() and not stopped.done():
                following = following or asyncio.create_task(_next(self._source))
                await asyncio.wait(
                    {following, gone, stopped},
                    timeout=self._keepalive_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if following.done():
                    done, following = following, None
                    await send_part(done.result().encode())
                elif not gone.done() and not stopped.done():
                    await send_part(b": keep-alive\n\n")
        except StopAsyncIteration:
            pass  # the source has said all
        except _ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - the status is sent: the client resumes, the log has the reason
            _log.error("event_stream_failed", exc_info=error)
        finally:
            client_gone = gone.done()
            await self._close(following, gone, stopped)
        if not client_gone:
            with suppress(_ClientGone):
                await send_part(b"", more=False)

    async def _close(self, *tasks: "asyncio.Task[Any] | None") -> None:
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        close = getattr(self._source, "aclose", None)
        if close is not None:
            await close()


async def _next(source: AsyncIterator[SseEvent]) -> SseEvent:
    return await anext(source)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
