"""The taxonomy of a trained version: topics from labels, thresholds and general rules as the service's own file has them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from services.triage.adapters.language_detectors import knows
from services.triage.adapters.taxonomy_file import load_taxonomy

_HEAD: Final = """\
# Topics as `centralino train` found them. Labels, thresholds and rules are yours to edit; the keys belong to the model.
"""


def taxonomy_of(names: Mapping[str, str], languages: Sequence[str], threshold: float, default: Path) -> str:
    """The content of a file for topics (key -> label), languages and the threshold of a topic.

    Rules of the default that name a topic are left out: they are about other topics.
    """
    content: dict[str, Any] = yaml.safe_load(default.read_text(encoding="utf-8"))
    served = [code for code in languages if len(code) == 2 and knows(code)] or list(content["languages"])
    rest = {k: v for k, v in content.items() if k not in ("languages", "topics")}
    rest["thresholds"] = {**rest["thresholds"], "topic": threshold}
    if isinstance(rest.get("rules"), list):
        rest["rules"] = [rule for rule in rest["rules"] if not _names_topic(rule)]
    parts = [
        _HEAD,
        f"languages: [{', '.join(dict.fromkeys(served))}]",
        "",
        "topics:",
        *(_line(key, label) for key, label in sorted(names.items())),
        "",
        yaml.safe_dump(rest, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110),
    ]
    return "\n".join(parts)


def with_topics(content: str, names: Mapping[str, str], path: Path) -> str:
    """The same file with the topics that it lacks at the head of its topics. `path` is where it was read from."""
    known = load_taxonomy(path).keys
    new = [_line(key, label) for key, label in sorted(names.items()) if key not in known]
    if not new:
        return content
    return content.replace("\ntopics:\n", "\n".join(("\ntopics:", *new, "")), 1)


def _line(key: str, label: str) -> str:
    # What JSON quotes, YAML reads.
    return f"  - {{key: {json.dumps(key)}, label: {json.dumps(label[:200], ensure_ascii=False)}}}"


def _names_topic(rule: object) -> bool:
    if isinstance(rule, Mapping):
        return "topic" in rule or any(_names_topic(value) for value in rule.values())
    return isinstance(rule, list) and any(_names_topic(value) for value in rule)
