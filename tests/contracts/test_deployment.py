"""The files of docker compose, the gateway and the image: loaded by what loads them, and true to the code."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from libs.runtime import PlatformSettings
from libs.telemetry import declared
from libs.telemetry.otel import wanted
from services.registry import NAMES, services

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = ROOT / "docker-compose.yml"
METRICS = DEPLOY / "compose" / "metrics.yml"
TRACES = DEPLOY / "compose" / "traces.yml"


def _compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return loaded


@pytest.fixture(scope="module")
def loader(in_ci: bool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The loader of docker compose itself, as a program that prints the services of the files it is given."""
    if shutil.which("go") is None:
        assert not in_ci, "Go is missing, which CI has"
        pytest.skip("Go is missing: the loader of docker compose is a Go module")
    program = tmp_path_factory.mktemp("loader") / "check"
    subprocess.run(["go", "build", "-o", program, "."], cwd=DEPLOY / "compose" / "check", check=True)
    return program


def _load(loader: Path, *files: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([loader, *files], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "files", [(COMPOSE,), (COMPOSE, METRICS), (COMPOSE, METRICS, TRACES)], ids=["plain", "metrics", "traces"]
)
def test_docker_compose_can_load_the_files(loader: Path, files: tuple[Path, ...]) -> None:
    done = _load(loader, *files)
    assert done.returncode == 0, done.stderr
    assert set(NAMES) | {"kafka", "postgres", "gateway"} <= set(done.stdout.split())


def test_a_misspelt_key_is_noticed(loader: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(COMPOSE.read_text().replace("healthcheck:", "healthchek:", 1))
    done = _load(loader, wrong)
    assert done.returncode == 1
    assert "healthchek" in done.stderr


def test_compose_sets_only_variables_that_exist() -> None:
    prefix = "CENTRALINO_"
    known = {f"{prefix}{name}".upper() for name in PlatformSettings.model_fields}
    for definition in services():
        own = definition.settings.model_config.get("env_prefix", "")
        known |= {f"{own}{name}".upper() for name in definition.settings.model_fields}
    for name, service in _compose()["services"].items():
        for variable in service.get("environment", {}):
            if variable.startswith(prefix):
                assert variable in known, f"{name} sets {variable}, which nothing reads"


def test_every_service_has_a_container_with_a_health_check_limits_and_a_restart_rule() -> None:
    composed = _compose()["services"]
    for definition in services():
        service = composed[definition.name]
        assert service["command"] == ["serve", definition.name]
        assert service["restart"] == "unless-stopped"
        assert "/readyz" in " ".join(service["healthcheck"]["test"])
        assert service["deploy"]["resources"]["limits"].keys() >= {"cpus", "memory"}
        assert service["secrets"] == ["database_url"]


def test_with_traces_every_service_names_the_collector_and_its_image_can_send_them() -> None:
    layer = yaml.safe_load(TRACES.read_text())["services"]
    for definition in services():
        service = layer[definition.name]
        assert wanted(service["environment"])
        assert service["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://traces:4318"
    # They share one image: whichever is built last, it must be the same.
    built = {name for name, service in _compose()["services"].items() if "build" in service}
    assert {layer[name]["build"]["args"]["LOCK"] for name in built} == {"requirements-otel.lock"}


def test_a_secret_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "database_url").write_text("postgresql://centralino:hidden@postgres/centralino\n")
    (tmp_path / "centralino_kafka_password").write_text("hidden\n")
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "services", "run", "--print-config"],
        env={**inherited, "CENTRALINO_SECRETS": str(tmp_path), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=True,
    )
    platform = {row["name"]: row["value"] for row in json.loads(done.stdout)["platform"]}
    assert platform["database_url"] == "postgresql://***@postgres/centralino"
    assert "hidden" not in done.stdout


def test_the_secrets_are_made_once(tmp_path: Path) -> None:
    script = tmp_path / "make_secrets.sh"
    shutil.copy(DEPLOY / "compose" / "make_secrets.sh", script)
    subprocess.run(["sh", str(script)], check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert made["database_url"] == f"postgresql://centralino:{made['postgres_password']}@postgres/centralino"
    assert len(made["postgres_password"]) == 48
    subprocess.run(["sh", str(script)], check=True)
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made


def test_the_gateway_loads_its_file_and_knows_every_service(in_ci: bool) -> None:
    if shutil.which("caddy") is None:
        assert not in_ci, "Caddy is missing, which CI installs"
        pytest.skip("Caddy is not installed")
    done = subprocess.run(
        ["caddy", "adapt", "--config", str(DEPLOY / "caddy" / "Caddyfile"), "--adapter", "caddyfile"],
        env={**os.environ, "TRIAGE": "127.0.0.1:1 127.0.0.1:2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    dials = set(re.findall(r'"dial":"([^"]+)"', done.stdout))
    assert {f"{name}:8600" for name in NAMES if name != "triage"} | {
        "127.0.0.1:1",
        "127.0.0.1:2",
    } == dials


def test_every_metric_has_a_panel_and_every_alert_an_explanation() -> None:
    board = json.loads((DEPLOY / "grafana" / "dashboards" / "centralino.json").read_text())
    asked = " ".join(target["expr"] for panel in board["panels"] for target in panel.get("targets", ()))
    assert [metric.name for metric in declared() if metric.name not in asked] == []
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
    page = (ROOT / "docs" / "operations.md").read_text()
    assert [rule["alert"] for rule in rules if f"| {rule['alert']} |" not in page] == []


def test_the_image_copies_what_it_needs_and_no_more() -> None:
    dockerfile = (DEPLOY / "docker" / "Dockerfile").read_text()
    copied = {word for line in re.findall(r"^COPY (.+)$", dockerfile, re.M) for word in line.split()[:-1]}
    locks = {"requirements.lock", "requirements-otel.lock"}
    assert copied == {*locks, "pyproject.toml", "README.md", "LICENSE", "libs", "services"}
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_in == copied
