"""The API page at /docs: Swagger UI from an installed package, no other host, no inline script."""

import html
import json
from importlib.resources import files
from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import FileResponse, HTMLResponse, Response

_FILES: Final = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_POLICY: Final = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_CACHED: Final = {"Cache-Control": "public, max-age=86400"}


def add_docs(app: FastAPI) -> None:
    """Add /docs and its three files to the app. Swagger UI writes style attributes, hence its own policy."""
    assets = files("fastapi_offline") / "static"

    @app.get("/docs", include_in_schema=False)
    async def api_page(request: Request) -> HTMLResponse:
        root = html.escape(request.scope.get("root_path", ""))
        title = html.escape(app.title)
        return HTMLResponse(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f'<link rel="stylesheet" href="{root}/docs/swagger-ui.css"></head><body>'
            f'<div id="swagger-ui"></div>'
            f'<script src="{root}/docs/swagger-ui-bundle.js"></script>'
            f'<script src="{root}/docs/start.js"></script></body></html>',
            headers={"Content-Security-Policy": _POLICY},
        )

    @app.get("/docs/start.js", include_in_schema=False)
    async def api_page_script(request: Request) -> Response:
        options = {
            "url": f"{request.scope.get('root_path', '')}/openapi.json",
            "dom_id": "#swagger-ui",
            "deepLinking": True,
        }
        return Response(f"SwaggerUIBundle({json.dumps(options)});", media_type="text/javascript")

    @app.get("/docs/{file}", include_in_schema=False)
    async def api_page_file(file: str) -> Response:
        kind = _FILES.get(file)
        if kind is None:
            return Response(status_code=404)
        return FileResponse(str(assets / file), media_type=kind, headers=_CACHED)
