"""The public page of an invitation. Reading never records: mail scanners open every link they see."""

import json
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from libs.web import BadRequest, NotFound, Problem, Unprocessable, body_limit, require_media_type
from services.survey.api.limits import PostLimit
from services.survey.api.pages import STYLE, Draft, Pages
from services.survey.api.schemas import Answered, NewAnswer, answered
from services.survey.domain.definitions import Definition
from services.survey.operations import MOST_COMMENT, Answers, tidy

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_MOST_BODY: Final = 64 * 1024
Token = Annotated[str, Path(min_length=1, max_length=300)]
Score = Annotated[str, Query(max_length=20, description="Preselects this score; nothing is recorded")]
Language = Annotated[str, Query(alias="lang", max_length=20, description="Show the page in this language")]
_FIELDS: Final = {
    "score": {"type": "integer", "minimum": 1, "maximum": 5},
    "comment": {"type": "string", "maxLength": MOST_COMMENT},
}
_POST: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            _JSON: {
                "schema": {
                    "type": "object",
                    "properties": _FIELDS,
                    "required": ["score"],
                    "additionalProperties": False,
                }
            },
            _FORM: {
                "schema": {
                    "type": "object",
                    "properties": {**_FIELDS, "lang": {"type": "string"}},
                    "required": ["score"],
                }
            },
        },
    }
}
_PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/html": {"schema": {"type": "string"}}}, "description": "The page"},
    404: {"description": "The link opens nothing; a page says so to a browser"},
}


def public(operations: Answers, definition: Definition, pages: Pages, limit: PostLimit) -> APIRouter:
    """The page, its form and its style. The token in the address is all the right a caller needs."""
    router = APIRouter(prefix="/v1", tags=["page"])
    clock = operations.database.clock

    @router.head("/s/{token}", include_in_schema=False)
    @router.get("/s/{token}", summary="The page of an invitation", response_class=Response, responses=_PAGE)
    async def show_survey(token: Token, request: Request, score: Score = "", lang: Language = "") -> Response:
        invitation = await operations.find(token)
        if invitation is None:
            return _gone(request)
        chosen = _score(score, definition.scale_max) or invitation.score
        language = pages.language(lang, invitation.answer_language or invitation.language)
        return pages.form(token, invitation, language, Draft(chosen, invitation.comment))

    @router.post(
        "/s/{token}",
        summary="Answer, or change the answer",
        response_class=Response,
        responses={
            200: {
                "model": Answered,
                "content": {"text/html": {"schema": {"type": "string"}}},
                "description": "Kept: a page for a browser, which accepts text/html, JSON for others",
            },
            404: _PAGE[404],
        },
        openapi_extra=_POST,
    )
    @body_limit(_MOST_BODY)
    async def answer_survey(token: Token, request: Request) -> Response:
        content_type = request.headers.get("content-type")
        require_media_type(content_type, _JSON, _FORM)
        given = (content_type or "").split(";")[0].strip().lower()
        if _wants_page(request):
            return await _answer_as_page(token, request, given)
        return await _answer_as_json(token, request, given)

    async def _answer_as_json(token: str, request: Request, given: str) -> Response:
        fields = await _json_fields(request) if given == _JSON else _form_answer(await _form_fields(request))
        comment = tidy(fields.comment)
        if fields.score > definition.scale_max:
            raise Unprocessable(f"#/score: the scale goes from 1 to {definition.scale_max}.")
        if len(comment) > MOST_COMMENT:
            raise Unprocessable(f"#/comment: at most {MOST_COMMENT} characters.")
        _check_limit(token)
        kept = await operations.record(token, fields.score, comment, "")
        if kept is None:
            return _gone(request)
        return Response(answered(kept, definition.scale_max).model_dump_json(), media_type=_JSON)

    async def _answer_as_page(token: str, request: Request, given: str) -> Response:
        open_now = await operations.find(token)
        if open_now is None:
            return _gone(request)
        if given == _JSON:
            sent = await _json_fields(request)
            fields = {"score": str(sent.score), "comment": sent.comment}
        else:
            fields = await _form_fields(request)
        language = pages.language(fields.get("lang", ""), open_now.language)
        score, comment = (
            _score(fields.get("score", ""), definition.scale_max),
            tidy(fields.get("comment", "")),
        )
        fault = "choose" if not score else "too_long" if len(comment) > MOST_COMMENT else ""
        if fault:
            return pages.form(token, open_now, language, Draft(score, comment, fault), 422)
        if not limit.take(open_now.invitation_id, clock.now_ms()):
            page = pages.form(token, open_now, language, Draft(score, comment, "busy"), 429)
            page.headers["Retry-After"] = "60"
            return page
        kept = await operations.record(token, score, comment, language)
        if kept is None:
            return _gone(request)
        return pages.form(token, kept, language, Draft(kept.score, kept.comment))

    def _gone(request: Request) -> Response:
        """The same for unknown, forged, expired and revoked links: a page for a browser, a problem for a program."""
        if not _wants_page(request):
            raise NotFound("This link opens no survey, or its time has passed.", slug="no-survey")
        return pages.gone(request.headers.get("accept-language", ""))

    def _check_limit(token: str) -> None:
        invitation_id = operations.keys.invitation_of(token)
        if invitation_id is not None and not limit.take(invitation_id, clock.now_ms()):
            detail = "This link was used too often in the last minute."
            raise Problem(429, "too-many-answers", "Too many answers", detail, headers={"Retry-After": "60"})

    @router.get("/page.css", include_in_schema=False)
    async def page_style() -> Response:
        return Response(STYLE, media_type="text/css", headers={"Cache-Control": "public, max-age=86400"})

    return router


def _score(text: str, scale_max: int) -> int:
    """A score as the form sends it; 0 for anything that is none."""
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text[:3]) <= scale_max else 0


def _wants_page(request: Request) -> bool:
    """Browsers name HTML in what they accept."""
    return "text/html" in request.headers.get("accept", "")


async def _json_fields(request: Request) -> NewAnswer:
    try:
        value = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON.", slug="malformed-json") from None
    return _validated(value)


def _validated(value: object) -> NewAnswer:
    try:
        return NewAnswer.model_validate(value)
    except ValidationError as error:
        errors = error.errors(include_input=False, include_url=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in errors]) from None


async def _form_fields(request: Request) -> dict[str, str]:
    """The fields of the form; the first of each name counts."""
    form = await request.form(max_fields=20)
    fields: dict[str, str] = {}
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            fields.setdefault(name, value)
    return fields


def _form_answer(fields: dict[str, str]) -> NewAnswer:
    score = fields.get("score", "")
    return _validated(
        {"score": int(score) if _score(score, 11) else score, "comment": fields.get("comment", "")}
    )
