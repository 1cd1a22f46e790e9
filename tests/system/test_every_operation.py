"""Every operation of every published API takes generated input, right and wrong, without ever answering 500."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from libs.web import TokenKeys, Tokens
from tests.system.conftest import RunningHost
from tests.system.desk import Desk

OPENAPI = Path(__file__).resolve().parents[2] / "openapi"
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "6"))
STREAMS = {"text/event-stream"}


def _is_stream(operation: dict[str, Any]) -> bool:
    content = operation.get("responses", {}).get("200", {}).get("content", {})
    return bool(STREAMS & set(content))


def _schema() -> Any:
    document = json.loads((OPENAPI / "all.json").read_text())
    for path, item in list(document["paths"].items()):
        for method in [m for m in item if isinstance(item[m], dict) and _is_stream(item[m])]:
            del item[method]
        if not any(isinstance(value, dict) for value in item.values()):
            del document["paths"][path]
    return schemathesis.openapi.from_dict(document)


schema = _schema()


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_an_operation_answers_as_its_document_says(case: Any, littered_host: RunningHost) -> None:
    tokens = Tokens(TokenKeys.load_or_create(littered_host.data / "token-keys.json"))
    headers = {"Authorization": f"Bearer {tokens.issue('fuzz', 'admin', 600)}"}
    if "wait" in (case.query or {}):
        case.query["wait"] = 0
    case.call_and_validate(
        base_url=littered_host.url,
        headers=headers,
        timeout=20,
        checks=[not_a_server_error, status_code_conformance, content_type_conformance],
    )


def test_streams_are_left_to_their_own_tests() -> None:
    document = json.loads((OPENAPI / "all.json").read_text())
    streams = [
        path
        for path, item in document["paths"].items()
        for operation in item.values()
        if isinstance(operation, dict) and _is_stream(operation)
    ]
    if not streams:
        pytest.fail("no event stream is published, or its content type is not declared")


def test_afterwards_every_part_of_the_platform_works(shared: Desk) -> None:
    shared.is_well()
