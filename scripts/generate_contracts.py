"""Writes what follows from `proto/`: the protobuf code, the catalogue, the list of messages and the AsyncAPI document.

`--check` writes nothing and exits 1 when a committed file differs from what would be written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import yaml
from grpc_tools import protoc

from scripts.writing import ROOT, write_or_check

PROTO = ROOT / "proto"
CONTRACTS = ROOT / "libs" / "contracts"
PREFIX = "libs.contracts.generated."


def protobuf_code() -> Iterator[tuple[Path, str]]:
    """Generated modules with their one import prefix rewritten to where they live."""
    sources = sorted(str(p.relative_to(PROTO)) for p in PROTO.glob("centralino/**/*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        well_known = str(resources.files("grpc_tools") / "_proto")
        arguments = [
            "protoc",
            f"-I{PROTO}",
            f"-I{well_known}",
            f"--python_out={folder}",
            f"--pyi_out={folder}",
        ]
        if protoc.main([*arguments, *sources]) != 0:
            raise SystemExit("protoc failed: see the lines above")
        packages: set[Path] = set()
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix in {".py", ".pyi"}:
                relative = path.relative_to(folder)
                packages.update(Path(p) for p in relative.parents)
                text = path.read_text().replace("from centralino.", f"from {PREFIX}centralino.")
                yield CONTRACTS / "generated" / relative, text
        for package in sorted(packages):
            yield CONTRACTS / "generated" / package / "__init__.py", ""


def topics() -> list[dict[str, object]]:
    """The topic files in the order of their names, with the name added."""
    return [
        {"name": path.stem, **yaml.safe_load(path.read_text())}
        for path in sorted(PROTO.glob("topics/*.yaml"))
    ]


def package_of(message: str) -> str:
    """The proto package that declares a message."""
    for path in sorted(PROTO.glob("centralino/**/*.proto")):
        if f"\nmessage {message} {{" in path.read_text():
            return ".".join(path.relative_to(PROTO).parts[:-1])
    raise SystemExit(f"proto/topics names {message}, which no file under proto/ declares")


def module_of(message: str) -> str:
    for path in sorted(PROTO.glob("centralino/**/*.proto")):
        if f"\nmessage {message} {{" in path.read_text():
            return ".".join(path.relative_to(PROTO).with_suffix("").parts) + "_pb2"
    raise SystemExit(f"no file under proto/ declares {message}")


def catalogue() -> str:
    lines = [
        '"""Which topic an event goes to and which of its fields is the key. Generated from proto/topics: do not edit."""',
        "",
        "from libs.contracts.topics import Entry, Topic",
        "",
        "TOPICS: dict[str, Topic] = {",
    ]
    entries = []
    for topic in topics():
        retention = topic["retention"]
        assert isinstance(retention, dict)
        messages = topic["messages"]
        assert isinstance(messages, list)
        fields = {
            "name": topic["name"],
            "purpose": " ".join(str(topic["purpose"]).split()),
            "producer": topic["producer"],
            "consumers": tuple(topic["consumers"]),  # type: ignore[arg-type]  # a list of names
            "messages": tuple(f"{package_of(m)}.{m}" for m in messages),
            "key": topic["key"],
            "retention_days": retention.get("days", 0),
            "compact": bool(retention.get("compact", False)),
            "local": bool(topic.get("local", False)),
            "personal": {
                f"{package_of(m)}.{m}": tuple(names)
                for m, names in topic.get("personal", {}).items()  # type: ignore[attr-defined]  # a mapping of lists
            },
        }
        lines.append(f'    "{topic["name"]}": Topic(')
        lines += [f"        {name}={_literal(value)}," for name, value in fields.items()]
        lines.append("    ),")
        keys = topic.get("keys", {})
        assert isinstance(keys, dict)
        for message in messages:
            key = keys.get(message, topic["key"])
            entries.append(f'    "{package_of(message)}.{message}": Entry("{topic["name"]}", "{key}"),')
    return "\n".join([*lines, "}", "", "CATALOGUE: dict[str, Entry] = {", *sorted(entries), "}", ""])


def _literal(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(name)}: {_literal(one)}" for name, one in value.items()) + "}"
    if isinstance(value, tuple):
        inner = ", ".join(f'"{v}"' for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def messages() -> str:
    """One module that names every message and enumeration of the contracts."""
    names: dict[str, list[str]] = {}
    for path in sorted(PROTO.glob("centralino/**/*.proto")):
        module = ".".join(path.relative_to(PROTO).with_suffix("").parts) + "_pb2"
        for line in path.read_text().splitlines():
            if line.startswith(("message ", "enum ")):
                names.setdefault(module, []).append(line.split()[1])
    lines = ['"""Every message and enumeration of the contracts. Generated from proto/: do not edit."""', ""]
    for module in sorted(names):
        wanted = ", ".join(sorted(names[module]))
        one = f"from {PREFIX}{module} import {wanted}"
        if len(one) > 110:
            inner = "".join(f"    {name},\n" for name in sorted(names[module]))
            one = f"from {PREFIX}{module} import (\n{inner})"
        lines.append(one)
    every = sorted(name for module in names.values() for name in module)
    lines += ["", "__all__ = ["] + [f'    "{name}",' for name in every] + ["]", ""]
    return "\n".join(lines)


def files() -> Iterator[tuple[Path, str]]:
    yield from protobuf_code()
    yield CONTRACTS / "catalogue.py", catalogue()
    yield CONTRACTS / "messages.py", messages()


if __name__ == "__main__":
    write_or_check(__doc__, files(), "proto/ says")
