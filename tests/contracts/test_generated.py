"""What is generated is fresh, what is published does not break, documents are valid."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def _run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("what", ["contracts", "documents", "monitoring"])
def test_generated_files_are_fresh(what: str) -> None:
    done = _run(sys.executable, "-m", f"scripts.generate_{what}", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_protocol_passes_lint() -> None:
    done = _run(str(BIN / "buf"), "lint", "proto")
    assert done.returncode == 0, done.stdout


def test_the_protocol_does_not_break_what_was_published() -> None:
    done = _run(str(BIN / "buf"), "breaking", "proto", "--against", "proto/published.binpb")
    assert done.returncode == 0, done.stdout


def test_a_renamed_field_would_be_noticed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    changed = tmp_path / "proto" / "centralino" / "ingest" / "v1" / "messages.proto"
    changed.write_text(changed.read_text().replace("string text = 7", "string words = 7"))
    done = _run(
        str(BIN / "buf"), "breaking", "proto", "--against", str(ROOT / "proto/published.binpb"), cwd=tmp_path
    )
    assert done.returncode != 0


def test_the_asyncapi_document_is_valid(tmp_path: Path, in_ci: bool) -> None:
    if shutil.which("npm") is None:
        assert not in_ci, "npm is missing, which CI has"
        pytest.skip("npm is missing: the schema of AsyncAPI comes from its registry package")
    done = _run("npm", "pack", "--silent", "@asyncapi/specs@6.11.1", cwd=tmp_path)
    if done.returncode != 0:
        assert not in_ci, done.stderr
        pytest.skip(f"npm could not fetch the schema: {done.stderr.strip()[:200]}")
    (archive,) = tmp_path.glob("*.tgz")
    with tarfile.open(archive) as tar:
        member = tar.extractfile("package/schemas/3.0.0.json")
        assert member is not None
        schema = json.load(member)
    document = json.loads((ROOT / "openapi" / "asyncapi.json").read_text())
    validator = jsonschema.Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(document)] == []
    del document["info"]
    assert list(validator.iter_errors(document))


def test_ci_runs_the_verb_that_a_person_runs() -> None:
    text = (ROOT / ".ci" / "run").read_text()
    assert "make test" in text
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
