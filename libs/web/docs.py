"""The reference at /docs: a page of our own that reads the OpenAPI and AsyncAPI documents in the browser.

Its files stand in `reference/`. It asks no other host for anything, so it works where there is no way out, and has
nothing inline, so the common policy for pages holds.
"""

import html
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from libs.contracts import asyncapi_document

HOST: Final = "host"
"""The name of the app before all services: its page shows every one of them."""
_FOLDER: Final = Path(__file__).parent / "reference"
_PAGE: Final = (_FOLDER / "index.html").read_text(encoding="utf-8")
_KINDS: Final = {".css": "text/css", ".js": "text/javascript"}
_FILES: Final = {path.name: path for path in sorted(_FOLDER.iterdir()) if path.suffix in _KINDS}
_CACHED: Final = {"Cache-Control": "public, max-age=600"}


def add_docs(app: FastAPI, name: str) -> None:
    """Add /docs with its files, and /asyncapi.json: the topics of all services, whoever answers."""

    @app.get("/docs", include_in_schema=False)
    async def reference(request: Request) -> HTMLResponse:
        return reference_page(request, app.title, name)

    @app.get("/docs/{file}", include_in_schema=False)
    async def reference_file(file: str) -> Response:
        path = _FILES.get(file)
        if path is None:
            return Response(status_code=404)
        return FileResponse(path, media_type=_KINDS[path.suffix], headers=_CACHED)

    topics: dict[str, Any] = asyncapi_document(app.version)

    @app.get("/asyncapi.json", include_in_schema=False)
    async def asyncapi() -> JSONResponse:
        return JSONResponse(topics)


def reference_page(request: Request, title: str, name: str) -> HTMLResponse:
    """The page of one service, or of all for the host."""
    filled = _PAGE.replace("{title}", html.escape(title))
    filled = filled.replace("{root}", html.escape(request.scope.get("root_path", "")))
    return HTMLResponse(filled.replace("{service}", "" if name == HOST else html.escape(name)))


def wants_page(request: Request) -> bool:
    """Whether a browser's address line asks, rather than a program."""
    return "text/html" in request.headers.get("accept", "")
