"""The tree is the one that `docs/architecture.md` draws: rings, sizes, one place for topics."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.contracts import TOPICS
from scripts.generate_documents import consumes, emits
from services.registry import NAMES, services

ROOT = Path(__file__).resolve().parents[2]
CODE = sorted(
    path
    for folder in ("libs", "services")
    for path in (ROOT / folder).rglob("*.py")
    if "generated" not in path.parts and "versions" not in path.parts
)
ANATOMY = ("service.py", "settings.py", "api", "adapters", "domain", "migrations")
BANNED = {"utils", "util", "helpers", "helper", "common", "misc", "shared"}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def test_no_module_is_longer_than_400_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): n for path in CODE if (n := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


@pytest.mark.parametrize("definition", services(), ids=lambda d: d.name)
def test_every_service_has_the_same_anatomy(definition: object) -> None:
    folder = ROOT / "services" / definition.name  # type: ignore[attr-defined]  # a ServiceDefinition
    missing = [name for name in ANATOMY if not (folder / name).exists()]
    assert missing == []
    assert (folder / "handlers.py").exists() or (folder / "handlers" / "__init__.py").exists()
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))


def test_no_room_is_called_after_nothing() -> None:
    assert [str(p) for p in CODE if p.stem in BANNED or BANNED & set(p.relative_to(ROOT).parts)] == []


def test_services_do_not_import_each_other_and_libraries_no_service() -> None:
    names = set(NAMES)
    wrong = []
    for path in CODE:
        parts = path.relative_to(ROOT).parts
        for module in _imports(path):
            target = module.split(".")
            if parts[0] == "libs" and target[0] == "services":
                wrong.append((str(path), module))
            of_another = target[0] == "services" and len(target) > 1 and target[1] != parts[1]
            if parts[0] == "services" and parts[1] in names and of_another:
                wrong.append((str(path), module))
    assert wrong == []


def test_domains_are_pure() -> None:
    allowed_roots = set(sys.stdlib_module_names) | {"numpy", "services"}
    banned = {"time", "random", "asyncio", "socket", "secrets", "os", "subprocess"}
    wrong = []
    for path in CODE:
        parts = path.relative_to(ROOT).parts
        if parts[0] != "services" or "domain" not in parts:
            continue
        for module in _imports(path):
            root = module.split(".")[0]
            own = module.startswith(f"services.{parts[1]}.domain")
            if root in banned or root not in allowed_roots or (root == "services" and not own):
                wrong.append((str(path.relative_to(ROOT)), module))
    assert wrong == []


def test_commit_stands_only_at_the_edge() -> None:
    """A handler or a domain that commits would break the one transaction of a batch."""
    wrong = [
        str(path.relative_to(ROOT))
        for path in CODE
        if ("domain" in path.parts or path.name == "handlers.py" or "handlers" in path.parts)
        and ".commit()" in path.read_text()
    ]
    assert wrong == []


def test_what_services_declare_is_what_the_topics_say() -> None:
    produced: dict[str, set[str]] = {}
    readers: dict[str, set[str]] = {}
    for definition in services():
        for topic, names in emits(definition).items():
            assert TOPICS[topic].producer == definition.name, f"{definition.name} emits to {topic}"
            produced[topic] = names
        for topic in consumes(definition):
            readers.setdefault(topic, set()).add(definition.name)
    declared = {name: {m.rsplit(".", 1)[1] for m in topic.messages} for name, topic in TOPICS.items()}
    assert produced == declared
    assert {name: readers.get(name, set()) for name in TOPICS} == {
        name: set(topic.consumers) for name, topic in TOPICS.items()
    }


def test_metrics_and_topics_are_named_in_one_place() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in CODE
        if path.relative_to(ROOT).parts[:2] != ("libs", "telemetry")
        and re.search(r"\b(Counter|Gauge|Histogram|Summary)\(\s*[\"']", path.read_text())
    ]
    assert wrong == []


def test_import_rules_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_service_that_starts_reads_nothing_of_training_of_simulation_and_of_other_services() -> None:
    program = (
        "import sys; from services.cli import command_line; command_line(['serve', 'ingest'])\n"
        "from services.registry import service; service('ingest')\n"
        "late = ('sklearn', 'scipy', 'aiokafka', 'services.demo', 'services.operators.evaluate', 'services.routing')\n"
        "print([name for name in late if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
