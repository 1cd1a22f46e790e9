"""Reads the operator's taxonomy; a mistake is told with file, line and reason."""

import dataclasses
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Any, NoReturn

import yaml

from services.triage.adapters.rules_reader import Path, RulesError, read_rules
from services.triage.domain.products import Product
from services.triage.domain.rules import Rule
from services.triage.domain.taxonomy import Taxonomy, Thresholds, Topic

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2}")


class TaxonomyError(ValueError):
    """The file cannot be used. The text is `file:line: reason`."""


def load_taxonomy(path: FilePath) -> Taxonomy:
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

    def __init__(self, path: FilePath) -> None:
        self._path = path

    def refuse(self, node: yaml.Node | None, reason: str) -> NoReturn:
        line = node.start_mark.line + 1 if node is not None else 1
        raise TaxonomyError(f"{self._path}:{line}: {reason}")

    def taxonomy(self, root: yaml.Node, version: str) -> Taxonomy:
        parts = self._mapping(
            root, required=("languages", "topics", "thresholds", "rules"), optional=("products",)
        )
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
        rules = self._rules(parts["rules"], tuple(topics), languages)
        products = (
            [self._product(node) for node in self._list(parts["products"])] if "products" in parts else []
        )
        return Taxonomy(version, languages, tuple(topics.values()), thresholds, rules, tuple(products))

    def _rules(self, node: yaml.Node, topics: Sequence[str], languages: Sequence[str]) -> tuple[Rule, ...]:
        try:
            return read_rules(self._plain(node), topics, languages)
        except RulesError as error:
            fault = error.faults[0]
            self.refuse(_at(node, fault.path), str(fault))

    def _product(self, node: yaml.Node) -> Product:
        fields = self._mapping(node, required=("key", "names"))
        names = tuple(self._text(name) for name in self._list(fields["names"]))
        return Product(self._word(fields["key"], _KEY, "a key of small letters, digits, dot and dash"), names)

    def _plain(self, node: yaml.Node) -> Any:
        """The value of a node; a field that stands twice is refused."""
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item) for item in node.value]
        if isinstance(node, yaml.MappingNode):
            found: dict[Any, Any] = {}
            for key, value in node.value:
                name = self._plain(key)
                if not isinstance(name, str):
                    self.refuse(key, f"field {name!r} is no text")
                if name in found:
                    self.refuse(key, f"field {name!r} stands twice")
                found[name] = self._plain(value)
            return found
        return yaml.SafeLoader("").construct_object(node, deep=True)

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

    def _number(self, node: yaml.Node, least: float, most: float) -> float:
        text = self._text(node)
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            self.refuse(node, f"{text!r} is not a number from {least:g} to {most:g}")
        return value


def _at(node: yaml.Node, path: Path) -> yaml.Node:
    """The node that a path leads to, or the nearest one on the way."""
    for part in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode):
            found = next((v for k, v in node.value if k.value == part), None)
            if found is None:
                return node
            node = found
    return node
