"""Reads the operator's taxonomy; a mistake is told with file, line and reason."""

import dataclasses
import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml

from services.triage.domain.taxonomy import (
    CHANNELS,
    COMPARE,
    KINDS,
    NUMBERS,
    URGENCIES,
    WORDS,
    Condition,
    Rule,
    Taxonomy,
    Thresholds,
    Topic,
)

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_COMPARISON = re.compile(r"(>=|<=|>|<)\s*(0(?:\.\d+)?|1(?:\.0+)?|\.\d+)")


class TaxonomyError(ValueError):
    """The file cannot be used. The text is `file:line: reason`."""


def load_taxonomy(path: Path) -> Taxonomy:
    """Read and check a taxonomy. Raises TaxonomyError, or OSError when there is no such file."""
    content = path.read_bytes()
    try:
        root = yaml.compose(content.decode("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise TaxonomyError(f"{path}:1: not UTF-8 at byte {error.start}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TaxonomyError(f"{path}:{line}: {error.problem}") from None
    reader = _Reader(path)
    if root is None:
        reader.refuse(None, "the file is empty")
    return reader.taxonomy(root, hashlib.sha256(content).hexdigest()[:12])


class _Reader:
    """Walks the nodes of one file, which know their lines."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def refuse(self, node: yaml.Node | None, reason: str) -> NoReturn:
        line = node.start_mark.line + 1 if node is not None else 1
        raise TaxonomyError(f"{self._path}:{line}: {reason}")

    def taxonomy(self, root: yaml.Node, version: str) -> Taxonomy:
        parts = self._mapping(root, required=("languages", "topics", "thresholds", "rules"))
        languages = tuple(
            self._word(node, _LANGUAGE, "a language such as en") for node in self._list(parts["languages"])
        )
        if not languages:
            self.refuse(parts["languages"], "languages needs at least one")
        topics: dict[str, Topic] = {}
        for node in self._list(parts["topics"]):
            fields = self._mapping(node, required=("key",), optional=("label", "about"))
            key = self._word(fields["key"], _KEY, "a key of small letters, digits, dot and dash")
            if key in topics or key == "unknown":
                self.refuse(node, f"topic {key!r} " + ("is reserved" if key == "unknown" else "stands twice"))
            label = self._text(fields["label"]) if "label" in fields else key
            topics[key] = Topic(key, label, self._text(fields["about"]) if "about" in fields else "")
        if not topics:
            self.refuse(parts["topics"], "topics needs at least one")
        limits = self._mapping(
            parts["thresholds"], required=tuple(field.name for field in dataclasses.fields(Thresholds))
        )
        thresholds = Thresholds(**{name: self._number(node, 0.0, 1.0) for name, node in limits.items()})
        allowed = {
            "topic": {*topics, "unknown"},
            "kind": set(KINDS),
            "language": {*languages, "und"},
            "urgency": set(URGENCIES),
            "channel": set(CHANNELS),
        }
        rules = [self._rule(node, allowed) for node in self._list(parts["rules"])]
        for index, rule in enumerate(rules):
            if rule.name in {earlier.name for earlier in rules[:index]}:
                self.refuse(self._list(parts["rules"])[index], f"rule {rule.name!r} stands twice")
        return Taxonomy(version, languages, tuple(topics.values()), thresholds, tuple(rules))

    def _rule(self, node: yaml.Node, allowed: Mapping[str, set[str]]) -> Rule:
        fields = self._mapping(node, required=("name", "when", "then"))
        when = tuple(
            self._condition(fact, value, allowed, fields["when"])
            for fact, value in self._mapping(fields["when"], optional=(*WORDS, *NUMBERS)).items()
        )
        then = self._mapping(
            fields["then"], optional=("priority", "queue_hint", "handling", "tags", "skills")
        )
        if not then:
            self.refuse(fields["then"], "then sets nothing")
        read: dict[str, Callable[[yaml.Node], Any]] = {
            "priority": self._priority,
            "queue_hint": lambda n: self._word(n, _KEY, "a queue id"),
            "handling": lambda n: self._one_of(n, {"human"}),
            "tags": lambda n: tuple(self._word(item, _KEY, "a tag") for item in self._list(n)),
            "skills": lambda n: tuple(self._word(item, _KEY, "a skill id") for item in self._list(n)),
        }
        return Rule(
            self._text(fields["name"]), when, **{name: read[name](value) for name, value in then.items()}
        )

    def _condition(
        self, fact: str, node: yaml.Node, allowed: Mapping[str, set[str]], near: yaml.Node
    ) -> Condition:
        if fact in NUMBERS:
            text = self._text(node)
            found = _COMPARISON.fullmatch(text)
            if found is None:
                self.refuse(
                    node, f'{fact}: {text!r} is no comparison such as ">= 0.7" ({", ".join(COMPARE)})'
                )
            return Condition(fact, compare=found[1], bound=float(found[2]))
        values = self._list(node) if isinstance(node, yaml.SequenceNode) else [node]
        if not values:
            self.refuse(near, f"{fact}: an empty list never matches")
        return Condition(fact, frozenset(self._one_of(value, allowed[fact]) for value in values))

    def _mapping(
        self, node: yaml.Node, *, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()
    ) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self.refuse(
                node, f"expected {', '.join(required) or 'fields'}, found {node.tag.rpartition(':')[2]}"
            )
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self._text(key)
            if name not in (*required, *optional):
                self.refuse(key, f"unknown field {name!r}; known are {', '.join((*required, *optional))}")
            if name in found:
                self.refuse(key, f"field {name!r} stands twice")
            found[name] = value
        if missing := [name for name in required if name not in found]:
            self.refuse(node, f"missing {', '.join(missing)}")
        return found

    def _list(self, node: yaml.Node) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            self.refuse(node, "expected a list")
        return list(node.value)

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
            self.refuse(node, "expected a text")
        return str(node.value).strip()

    def _word(self, node: yaml.Node, pattern: re.Pattern[str], meaning: str) -> str:
        text = self._text(node)
        if not pattern.fullmatch(text):
            self.refuse(node, f"{text!r} is not {meaning}")
        return text

    def _one_of(self, node: yaml.Node, allowed: set[str]) -> str:
        text = self._text(node)
        if text not in allowed:
            self.refuse(node, f"{text!r} is none of {', '.join(sorted(allowed))}")
        return text

    def _number(self, node: yaml.Node, least: float, most: float) -> float:
        text = self._text(node)
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            self.refuse(node, f"{text!r} is not a number from {least:g} to {most:g}")
        return value

    def _priority(self, node: yaml.Node) -> int:
        text = self._text(node)
        if text not in ("-2", "-1", "0", "1", "2"):
            self.refuse(node, f"priority {text!r} is not one of -2, -1, 0, 1, 2")
        return int(text)
