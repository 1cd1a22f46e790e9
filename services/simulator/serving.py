"""An app on a port of this machine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import uvicorn
from starlette.types import ASGIApp


@contextlib.asynccontextmanager
async def serving_app(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """Its address, while it runs; port 0 takes a free one. Raises OSError for a port that is taken."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # of older versions only
    running = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if running.done():
                raise OSError(f"port {port} is taken: give another by --port")
            await asyncio.sleep(0.01)
        address = server.servers[0].sockets[0].getsockname()
        yield f"http://127.0.0.1:{address[1]}"
    finally:
        server.should_exit = True
        await running
