"""Writes what follows from the services: OpenAPI documents, the AsyncAPI document, the flow picture of the README, the
operations of docs/api.md and the clients of docs/front-ends.md.

`--check` writes nothing and exits 1 when a committed file differs from what would be written.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fastapi import FastAPI

from libs.contracts import TOPICS, asyncapi_document, full_name
from libs.runtime import Platform, ServiceDefinition, SystemClock
from libs.runtime.assembly import VERSION, assemble
from libs.runtime.peers import InProcessPeers
from libs.storage import Database, Engines
from libs.streams import Log, PostgresTransport
from libs.web import TokenKeys, Tokens, combined_openapi
from scripts.reference_pages import pages
from scripts.writing import ROOT, write_or_check
from services.registry import services

BEGIN, END = "<!-- flow: begin -->", "<!-- flow: end -->"


def platform_apps(folder: Path) -> dict[str, FastAPI]:
    """The app of every service, put together on a database that is never asked; keys go into the folder."""
    engines = Engines.connect("postgresql://nobody@localhost/none", web_connections=2, stream_connections=1)
    log = Log(engines.streams)
    tokens = Tokens(TokenKeys.generate())
    apps = {}
    for definition in services():
        platform = Platform(
            Database(engines, definition.name, SystemClock(), log),
            log,
            SystemClock(),
            tokens,
            InProcessPeers(tokens, definition.name, dict),
            folder,
            "http://localhost:8600",
        )
        apps[definition.name] = assemble(definition, platform, PostgresTransport(engines.streams, log)).app
    return apps


def openapi() -> Iterator[tuple[Path, str]]:
    """One document for each service and one for all, and the pages that quote it."""
    with tempfile.TemporaryDirectory() as folder:
        apps = platform_apps(Path(folder))
        for name, app in apps.items():
            yield ROOT / "openapi" / f"{name}.json", _json(app.openapi())
        whole = combined_openapi(apps, title="Centralino", version=VERSION)
        yield ROOT / "openapi" / "all.json", _json(whole)
        yield from pages(whole)


def _json(document: object) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def consumes(definition: ServiceDefinition) -> dict[str, set[str]]:
    """What a service's declared handlers take: topic to short event names."""
    taken: dict[str, set[str]] = {}
    for stream in definition.streams:
        for name in stream.events:
            topic = next(t for t in TOPICS.values() if name in t.messages)
            taken.setdefault(topic.name, set()).add(name.rsplit(".", 1)[1])
    return taken


def emits(definition: ServiceDefinition) -> dict[str, set[str]]:
    """What a service's handlers, timers and operations say they emit: topic to short event names."""
    kinds = set(definition.emits)
    for stream in definition.streams:
        for handler in stream.events.values():
            kinds |= set(handler.emits)
        for timer in stream.timers.values():
            kinds |= set(timer.emits)
    emitted: dict[str, set[str]] = {}
    for kind in kinds:
        name = full_name(kind)
        topic = next(t for t in TOPICS.values() if name in t.messages)
        emitted.setdefault(topic.name, set()).add(name.rsplit(".", 1)[1])
    return emitted


def flow() -> str:
    """The flow picture: which service writes what, and who reads it, from the handlers' own declarations."""
    readers: dict[str, list[str]] = {}
    for definition in services():
        for topic in consumes(definition):
            readers.setdefault(topic, []).append(definition.name)
    lines = ["```text"]
    for definition in services():
        lines.append(definition.name)
        for topic in sorted(emits(definition)):
            names = sorted(emits(definition)[topic])
            who = ", ".join(readers.get(topic, [])) or "anybody outside"
            lines.append(f"  └─ {topic}  ─▶ {who}")
            row = "       "
            for name in names:
                if len(row) + len(name) > 110:
                    lines.append(row.rstrip())
                    row = "       "
                row += name + "  "
            lines.append(row.rstrip())
    return "\n".join([*lines, "```"])


def readme() -> str:
    text = (ROOT / "README.md").read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{flow()}\n{END}{after}"


def files() -> Iterator[tuple[Path, str]]:
    yield from openapi()
    yield ROOT / "openapi" / "asyncapi.json", _json(asyncapi_document(VERSION))
    yield ROOT / "README.md", readme()


if __name__ == "__main__":
    write_or_check(__doc__, files(), "the services say")
