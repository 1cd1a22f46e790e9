"""A configuration as a file: what `reading.load` reads back as the same."""

from __future__ import annotations

from typing import Any

import yaml

from services.routing.config.easing import eased
from services.routing.config.shapes import POOL_FIELDS, Configuration, FileShape, PoolShape

_WIDE = 118


class _Dumper(yaml.SafeDumper):
    """Texts with signs that are not printable stand in quotes: YAML folds some of them as line ends."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = None if value.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def document_of(configuration: Configuration) -> dict[str, Any]:
    """The file's sections as a person would write them: defaults left out, promises named once."""
    directory = configuration.directory.model_dump(exclude_defaults=True)
    pool = PoolShape(
        id=configuration.pool_id, **{n: getattr(configuration.directory, n) for n in POOL_FIELDS}
    )
    sections: dict[str, Any] = {name: [] for name in FileShape.model_fields}
    sections |= {name: rows for name, rows in directory.items() if name in sections}
    sections["pools"] = [pool.model_dump(exclude_defaults=True)]
    if configuration.agents is not None:
        sections["agents"] = [
            {"id": agent_id, **agent.model_dump(exclude_defaults=True)}
            for agent_id, agent in sorted(configuration.agents.items())
        ]
    sections["sla_policies"] = _name_promises(sections["queues"])
    required = {name for name, field in FileShape.model_fields.items() if field.is_required()}
    if configuration.agents is not None:
        required |= {"agents"}
    kept = {name: rows for name, rows in sections.items() if rows or name in required}
    return {name: eased(rows, (name,)) for name, rows in kept.items()}


def text_of(configuration: Configuration) -> str:
    """The file."""
    parts = [
        yaml.dump(
            {name: rows},
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            width=_WIDE,
            default_flow_style=None,
        )
        for name, rows in document_of(configuration).items()
    ]
    return "\n".join(parts)


def _name_promises(queues: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each promise once, called after the first queue that makes it; the queues name it instead."""
    policies: list[dict[str, Any]] = []
    for queue in queues:
        promise = queue["sla"]
        known = next((p for p in policies if {k: v for k, v in p.items() if k != "id"} == promise), None)
        if known is None:
            known = {"id": queue["id"], **promise}
            policies.append(known)
        queue["sla"] = known["id"]
    return policies
