"""Turns a failed validation into a problem: where, and what was expected, never what was sent."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Request, params
from fastapi.exceptions import RequestValidationError

from libs.web.bodies import is_json, media_type, unsupported_media
from libs.web.problems import BadRequest, Problem, Unprocessable, UnsupportedMedia

_MOST_ERRORS: Final = 20
_LONGEST_NAME: Final = 100
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


def problem_of_validation(request: Request, error: RequestValidationError) -> Problem:
    """415 when the body came under another content type, 400 when it is not JSON, else 422 with `errors`.

    Each error has `detail` and either `pointer` (a JSON pointer into the body, such as `#/customer/name`) or
    `in` and `parameter`. At most 20 are listed.
    """
    errors = error.errors()
    if any(item["loc"][:1] == ("body",) for item in errors):
        wrong = _wrong_media(request)
        if wrong is not None:
            return wrong
        if errors[0]["type"] == "json_invalid":
            reason = str(errors[0].get("ctx", {}).get("error", ""))
            at = errors[0]["loc"][-1]
            return BadRequest(f"The body is not JSON: {reason} (at character {at}).", slug="malformed-json")
    listed = [_one(item) for item in errors[:_MOST_ERRORS]]
    first = listed[0]
    where = first.get("pointer") or f"{first['in']} parameter {first['parameter']}"
    more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
    return Unprocessable(f"{where}: {first['detail']}{more}", extensions={"errors": listed})


def _one(item: Mapping[str, Any]) -> dict[str, str]:
    place: Sequence[Any] = item["loc"]
    names = [str(part)[:_LONGEST_NAME].replace("~", "~0").replace("/", "~1") for part in place[1:]]
    detail = str(item["msg"])[:300]
    if place[:1] == ("body",):
        return {"pointer": "#" + "".join(f"/{name}" for name in names), "detail": detail}
    return {"in": str(place[0]), "parameter": "/".join(names), "detail": detail}


def _wrong_media(request: Request) -> UnsupportedMedia | None:
    context = request.scope.get("fastapi", {}).get("effective_route_context")
    field = getattr(context, "body_field", None)
    if field is None:
        return None
    given = media_type(request.headers.get("content-type"))
    if not given and request.headers.get("content-length", "0") == "0" and not _chunked(request):
        return None
    wants_form = isinstance(field.field_info, params.Form)
    accepted = _FORMS if wants_form else ("application/json",)
    if given in accepted or (not wants_form and is_json(given)):
        return None
    return unsupported_media(given, *accepted)


def _chunked(request: Request) -> bool:
    return "transfer-encoding" in request.headers
