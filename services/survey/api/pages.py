"""Renders what a customer sees. Works without scripts, asks no third party for anything, never stored."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.dates import format_date
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from libs.primitives import Clock
from services.survey.domain.definitions import RIGHT_TO_LEFT, Definition, Texts
from services.survey.domain.invitations import Invitation
from services.survey.operations import MOST_COMMENT

_WEB: Final = Path(__file__).resolve().parents[1] / "web"
STYLE: Final = (_WEB / "static" / "page.css").read_bytes()
STYLE_VERSION: Final = hashlib.sha256(STYLE).hexdigest()[:12]
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Vary": "Accept, Accept-Language",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What the form shows: chosen score (0 for none), comment, and the name of a text to show as a fault."""

    score: int
    comment: str
    fault: str = ""


class Pages:
    """The pages of one definition."""

    def __init__(self, definition: Definition, default_language: str, late_ms: int, clock: Clock) -> None:
        self._definition = definition
        self._default_language = default_language
        self._late_ms = late_ms
        self._clock = clock
        self._templates = Environment(
            loader=FileSystemLoader(_WEB / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def language(self, chosen: str, invited: str) -> str:
        """The language of a page: what was asked for, else the invitation's."""
        return self._definition.language_for(chosen, invited, self._default_language)

    def form(
        self, token: str, invitation: Invitation, language: str, draft: Draft, status: int = 200
    ) -> HTMLResponse:
        """The form; with thanks above it once there is an answer, and thanks alone after a late one."""
        texts = self._definition.texts[language]
        window_ended = self._clock.now_ms() >= invitation.expires_at_ms
        last_ms = invitation.expires_at_ms + (self._late_ms if window_ended else 0)
        return self._page(
            "form.html",
            language,
            status,
            token=token,
            answered=invitation.revision > 0,
            final=invitation.late,
            draft=draft,
            fault=getattr(texts, draft.fault) if draft.fault else "",
            fault_at=draft.fault,
            until=texts.until.replace("{date}", _date(last_ms, language)),
            most_comment=MOST_COMMENT,
        )

    def gone(self, accept_language: str) -> HTMLResponse:
        """The one page for every link that opens nothing, in a language of the browser."""
        wanted = [part.split(";")[0].strip() for part in accept_language.split(",")[:20]]
        return self._page("gone.html", self._definition.language_for(*wanted, self._default_language), 404)

    def _page(self, name: str, language: str, status: int, **values: object) -> HTMLResponse:
        texts: Texts = self._definition.texts[language]
        html = self._templates.get_template(name).render(
            t=texts,
            language=language,
            direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
            languages={code: one.name for code, one in self._definition.texts.items()},
            style_version=STYLE_VERSION,
            **values,
        )
        return HTMLResponse(html, status, {**HEADERS, "Content-Language": language})


def _date(ms: int, language: str) -> str:
    return format_date(datetime.fromtimestamp(ms / 1000, UTC), "long", language)
