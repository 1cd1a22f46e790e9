"""Pages under docs/ with parts that follow from the code: the operations of the API, the small clients."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.writing import ROOT

_VERBS = ("get", "put", "post", "patch", "delete")
_LANGUAGES = {".py": "python", ".mjs": "js"}


def pages(document: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """The pages with their generated parts anew, from the OpenAPI document of all services."""
    api = ROOT / "docs" / "api.md"
    yield api, _between(api.read_text(), "operations", _operations(document))
    page = ROOT / "docs" / "front-ends.md"
    text = page.read_text()
    for client in sorted((ROOT / "docs" / "clients").iterdir()):
        if client.suffix in _LANGUAGES:
            code = f"```{_LANGUAGES[client.suffix]}\n{client.read_text()}```"
            text = _between(text, client.name, code)
    yield page, text


def _between(text: str, name: str, part: str) -> str:
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in text or end not in text:
        raise ValueError(f"the page has no place for {name!r}: write {begin} and {end} into it")
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n{part}\n{end}{rest.partition(end)[2]}"


def _operations(document: Mapping[str, Any]) -> str:
    parts = []
    for tag in document["tags"]:
        lines = [f"### {tag['name']}", "", "| operation | who | what it does |", "|---|---|---|"]
        for path, item in sorted(document["paths"].items()):
            for verb in _VERBS:
                operation = item.get(verb)
                if operation is not None and tag["name"] in operation["tags"] and "/v1/" in path:
                    lines.append(f"| `{verb.upper()} {path}` | {_who(operation)} | {_what(operation)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _who(operation: Mapping[str, Any]) -> str:
    roles = {
        role or "signed in"
        for way in operation.get("security", [])
        for roles in way.values()
        for role in roles
    }
    if not operation.get("security"):
        return "anybody"
    return ", ".join(sorted(roles)) or "signed in"


def _what(operation: Mapping[str, Any]) -> str:
    summary = str(operation["summary"]).rstrip(".")
    needs = []
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "header" and parameter["name"] in ("If-Match", "Idempotency-Key"):
            needs.append(f"`{parameter['name']}`")
    text = f"{summary} ({', '.join(needs)})" if needs else summary
    return re.sub(r"\s+", " ", text).replace("|", "\\|")
