"""The files of the widget: its script, its texts in eight languages, and a page that shows it."""

import gzip
import hashlib
import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from fastapi import APIRouter, Request, Response

from libs.web import NotFound

_WEB: Final = Path(__file__).resolve().parents[1] / "web"
_CACHE: Final = "public, max-age=600, stale-while-revalidate=86400"
_DEMO_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)


@dataclass(frozen=True, slots=True)
class File:
    """A file as it goes out."""

    media_type: str
    plain: bytes
    zipped: bytes
    tag: str


def file_of(media_type: str, plain: bytes) -> File:
    """The file with its compressed form, made once."""
    tag = f'"{hashlib.sha256(plain).hexdigest()[:16]}"'
    return File(media_type, plain, gzip.compress(plain, 9, mtime=0), tag)


def read_texts() -> dict[str, dict[str, str]]:
    """The texts by language. Raises ValueError where a language lacks one that English has, or has another."""
    texts: dict[str, dict[str, str]] = yaml.safe_load((_WEB / "texts.yaml").read_text(encoding="utf-8"))
    for language, own in texts.items():
        if odd := own.keys() ^ texts["en"].keys():
            raise ValueError(f"texts.yaml: {language} and en do not have the same texts: {sorted(odd)}")
    return texts


SCRIPT: Final = file_of("text/javascript; charset=utf-8", (_WEB / "static" / "widget.js").read_bytes())


def widget_files_router() -> APIRouter:
    """GET the script, the texts of a language, and the demonstration."""
    router = APIRouter(prefix="/v1", tags=["widget"])
    texts = {
        f"{language}.json": file_of(
            "application/json", json.dumps(own, ensure_ascii=False, separators=(",", ":")).encode()
        )
        for language, own in read_texts().items()
    }
    style = file_of("text/css; charset=utf-8", (_WEB / "static" / "demo.css").read_bytes())
    page = (_WEB / "templates" / "demo.html").read_text(encoding="utf-8")

    @router.get("/widget.js", include_in_schema=False)
    async def widget_script(request: Request) -> Response:
        return _answer(request, SCRIPT)

    @router.get("/widget/texts/{name}", include_in_schema=False)
    async def widget_texts(name: str, request: Request) -> Response:
        if name not in texts:
            raise NotFound(f"There are texts for {', '.join(sorted(texts))}.", slug="unknown-language")
        return _answer(request, texts[name])

    @router.get("/widget/demo.css", include_in_schema=False)
    async def demo_style(request: Request) -> Response:
        return _answer(request, style)

    @router.get("/widget/demo", include_in_schema=False)
    async def demo(lang: str = "en", mode: str = "chat", account: str = "default") -> Response:
        language = lang if f"{lang}.json" in texts else "en"
        filled = page
        for name, value in {
            "language": language,
            "direction": "rtl" if language == "ar" else "ltr",
            "mode": "form" if mode == "form" else "chat",
            "account": html.escape(account[:64]),
        }.items():
            filled = filled.replace("{" + name + "}", value)
        headers = {"Content-Security-Policy": _DEMO_POLICY, "Cache-Control": "no-store"}
        return Response(filled, media_type="text/html; charset=utf-8", headers=headers)

    return router


def _answer(request: Request, file: File) -> Response:
    """The same for everybody, so any site may read it."""
    headers = {
        "Cache-Control": _CACHE,
        "ETag": file.tag,
        "Vary": "Accept-Encoding",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            file.zipped, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"}
        )
    return Response(file.plain, media_type=file.media_type, headers=headers)
