"""Reads JSON bodies of the busiest route straight into their model, and refuses them as every route does."""

from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from libs.web import BadRequest, require_media_type

M = TypeVar("M", bound=BaseModel)


async def read_body(request: Request, model: type[M]) -> M:
    """The body as a model, about twice as fast as by a parameter of the route.

    Raises UnsupportedMedia, BadRequest for what is no JSON, and RequestValidationError.
    """
    require_media_type(request.headers.get("content-type"), "application/json")
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        errors: list[Any] = error.errors(include_url=False, include_input=False)
        if errors[0]["type"] == "json_invalid":
            reason = errors[0]["ctx"]["error"]
            raise BadRequest(f"The body is not JSON: {reason}.", slug="malformed-json") from None
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in errors]) from None


def described(model: type[BaseModel], *headers: dict[str, Any]) -> dict[str, Any]:
    """What OpenAPI says of a route that reads its body and headers itself; other models it names stand in `components`."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "parameters": list(headers),
    }


def header(name: str, description: str, most: int) -> dict[str, Any]:
    """An optional header for `described`."""
    schema = {"type": "string", "maxLength": most}
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}
