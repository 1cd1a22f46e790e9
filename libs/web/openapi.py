"""The OpenAPI documents: one per service and one for all, with the problem document on every operation."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from libs.web.problems import PROBLEM_MEDIA_TYPE

_VERBS: Final = ("get", "put", "post", "delete", "patch", "options", "head", "trace")
_PROBLEM: Final[dict[str, Any]] = {
    "title": "Problem",
    "description": "RFC 9457 problem details. More members may stand beside these.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:centralino:problem:not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string", "description": "The same as in X-Request-Id; quote it in a report."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body"},
                    "in": {"type": "string", "enum": ["query", "path", "header", "cookie"]},
                    "parameter": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_CONTENT: Final = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def install_openapi(app: FastAPI) -> None:
    """Make `app.openapi()` and /openapi.json tell of errors; ValueError on a doubled operationId."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                servers=app.servers,
            )
            app.openapi_schema = _with_problems(document)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the documented way to replace it


def combined_openapi(apps: Mapping[str, FastAPI], *, title: str, version: str) -> dict[str, Any]:
    """One document for all services: paths under their prefix, schemas and operationIds with theirs."""
    whole: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": {},
        "components": {"schemas": {"Problem": _PROBLEM}, "securitySchemes": {}},
        "tags": [],
    }
    for name, app in apps.items():
        document = _renamed(deepcopy(app.openapi()), name)
        for path, item in document["paths"].items():
            for verb, operation in _operations(item):
                operation["operationId"] = f"{name}_{operation['operationId']}"
                operation["tags"] = [name]
                item[verb] = operation
            whole["paths"][f"/{name}{path}"] = item
        components = document.get("components", {})
        whole["components"]["schemas"].update(components.get("schemas", {}))
        whole["components"]["securitySchemes"].update(components.get("securitySchemes", {}))
        whole["tags"].append({"name": name, "description": app.title})
    return whole


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = _PROBLEM
    schemes = document["components"].get("securitySchemes", {})
    document["components"]["securitySchemes"] = {
        name.split(" ")[0]: schemes[name] for name in sorted(schemes)
    }
    seen: set[str] = set()
    for item in document.get("paths", {}).values():
        for _, operation in _operations(item):
            if operation["operationId"] in seen:
                raise ValueError(f"two routes are named {operation['operationId']}: rename one function")
            seen.add(operation["operationId"])
            _summed_up(operation)
            responses = operation.setdefault("responses", {})
            for status, response in responses.items():
                if status[:1] in "45":
                    response["content"] = _CONTENT
            if "422" in responses:
                responses["422"] = {"description": "The request is not valid", "content": _CONTENT}
            if "security" in operation:
                operation["security"] = [_with_roles(way) for way in operation["security"]]
            if operation.get("security"):
                responses.setdefault("401", {"description": "No valid token", "content": _CONTENT})
                responses.setdefault(
                    "403", {"description": "The token does not allow it", "content": _CONTENT}
                )
            responses["default"] = {"description": "Any other refusal", "content": _CONTENT}
    return document


def _summed_up(operation: dict[str, Any]) -> None:
    """A route without a summary of its own, which would be its function's name, is summed up by its first sentence."""
    if operation.get("summary") != str(operation["operationId"]).replace("_", " ").title():
        return
    text = " ".join(str(operation.get("description", "")).split("\n\n")[0].split())
    first, _, rest = text.partition(". ")
    if not first:
        return
    operation["summary"] = first.rstrip(".")
    more = [rest, *operation["description"].split("\n\n")[1:]]
    operation["description"] = "\n\n".join(part for part in more if part)
    if not operation["description"]:
        del operation["description"]


def _with_roles(way: dict[str, list[str]]) -> dict[str, list[str]]:
    """A way to be let in, with the roles that are."""
    return {name: roles for scheme in way for name, *roles in [scheme.split(" ")]}


def _operations(item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((verb, item[verb]) for verb in _VERBS if verb in item)


def _renamed(document: dict[str, Any], service: str) -> dict[str, Any]:
    """Give each schema the service's name in front, so that two services may both have a `Message`."""
    schemas = document.get("components", {}).get("schemas", {})
    names = {name: name if name == "Problem" else f"{service.capitalize()}{name}" for name in schemas}
    references = {f"#/components/schemas/{old}": f"#/components/schemas/{new}" for old, new in names.items()}

    def rewrite(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: rewrite(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [rewrite(inner) for inner in value]
        return references.get(value, value) if isinstance(value, str) else value

    changed: dict[str, Any] = rewrite(document)
    if schemas:
        changed["components"]["schemas"] = {
            names[old]: schema for old, schema in changed["components"]["schemas"].items()
        }
    return changed
