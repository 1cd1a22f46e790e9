"""Writes what follows from the services: OpenAPI documents, the AsyncAPI document, the flow picture of the README.

`--check` writes nothing and exits 1 when a committed file differs from what would be written.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from libs.contracts import PARTITIONS, TOPICS, full_name, message_type
from libs.runtime import Platform, ServiceDefinition, SystemClock
from libs.runtime.lifecycle import VERSION, assemble
from libs.runtime.peers import InProcessPeers
from libs.storage import Database, Engines
from libs.streams import Log, PostgresTransport
from libs.web import TokenKeys, Tokens, combined_openapi
from scripts.writing import ROOT, write_or_check
from services.registry import SERVICES

BEGIN, END = "<!-- flow: begin -->", "<!-- flow: end -->"

_SCALARS = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_INT64: {"type": "string", "format": "int64"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}


def openapi() -> Iterator[tuple[Path, str]]:
    """One document for each service and one for all."""
    engines = Engines.connect("postgresql://nobody@localhost/none", web_connections=2, stream_connections=1)
    log = Log(engines.streams)
    tokens = Tokens(TokenKeys.generate())
    apps = {}
    with tempfile.TemporaryDirectory() as folder:
        for definition in SERVICES:
            platform = Platform(
                Database(engines, definition.name, SystemClock(), log),
                log,
                SystemClock(),
                tokens,
                InProcessPeers(tokens, definition.name, dict),
                Path(folder),
                "http://localhost:8600",
            )
            apps[definition.name] = assemble(
                definition, platform, PostgresTransport(engines.streams, log)
            ).app
        for name, app in apps.items():
            yield ROOT / "openapi" / f"{name}.json", _json(app.openapi())
        yield (
            ROOT / "openapi" / "all.json",
            _json(combined_openapi(apps, title="Centralino", version=VERSION)),
        )


def _json(document: object) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _schema(descriptor: Any) -> dict[str, object]:
    properties: dict[str, object] = {}
    for field in descriptor.fields:
        if field.message_type is not None:
            one: dict[str, object] = _schema(field.message_type)
        elif field.enum_type is not None:
            one = {"type": "string", "enum": [value.name for value in field.enum_type.values]}
        else:
            one = dict(_SCALARS[field.type])
        properties[field.json_name] = {"type": "array", "items": one} if field.is_repeated else one
    return {"type": "object", "properties": properties}


def asyncapi() -> str:
    """AsyncAPI 3: the published topics; local ones stay inside a service and are left out."""
    channels: dict[str, object] = {}
    operations: dict[str, object] = {}
    messages: dict[str, object] = {}
    for topic in TOPICS.values():
        if topic.local:
            continue
        inside = {}
        for name in topic.messages:
            kind = message_type(name)
            assert kind is not None
            short = name.rsplit(".", 1)[1]
            messages[short] = {
                "name": name,
                "contentType": "application/protobuf",
                "headers": {"$ref": "#/components/schemas/CloudEventHeaders"},
                "payload": _schema(kind.DESCRIPTOR),
            }
            inside[short] = {"$ref": f"#/components/messages/{short}"}
        channel = topic.name.replace(".", "_")
        kept = (
            {"cleanup.policy": ["compact"]}
            if topic.compact
            else {"retention.ms": topic.retention_days * 86_400_000}
        )
        channels[channel] = {
            "address": topic.name,
            "description": topic.purpose,
            "messages": inside,
            "bindings": {
                "kafka": {
                    "topic": topic.name,
                    "partitions": PARTITIONS,
                    "replicas": 1,
                    "topicConfiguration": kept,
                    "bindingVersion": "0.5.0",
                }
            },
        }
        operations[f"{topic.producer}_sends_{channel}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{channel}"},
            "summary": f"{topic.producer} writes; the key is {topic.key}",
        }
        for consumer in topic.consumers:
            operations[f"{consumer}_receives_{channel}"] = {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{channel}"},
            }
    headers = ["ce_id", "ce_source", "ce_type", "ce_specversion", "ce_time", "ce_subject", "ce_sequence"]
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Centralino",
            "version": VERSION,
            "description": "The event topics of the platform: CloudEvents 1.0 in binary mode, payloads in protobuf.",
        },
        "defaultContentType": "application/protobuf",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": {
                "CloudEventHeaders": {
                    "type": "object",
                    "required": headers,
                    "properties": {
                        name: {"type": "string"} for name in [*headers, "ce_generation", "traceparent"]
                    },
                }
            },
        },
    }
    return _json(document)


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
    for definition in SERVICES:
        for topic in consumes(definition):
            readers.setdefault(topic, []).append(definition.name)
    lines = ["```text"]
    for definition in SERVICES:
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
    yield ROOT / "openapi" / "asyncapi.json", asyncapi()
    yield ROOT / "README.md", readme()


if __name__ == "__main__":
    write_or_check(__doc__, files(), "the services say")
