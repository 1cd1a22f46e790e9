"""What the README prints works as printed."""

import os
import re
import subprocess
from pathlib import Path

from tests.system.conftest import RunningHost

ROOT = Path(__file__).resolve().parents[2]


def _walk() -> str:
    text = (ROOT / "README.md").read_text()
    part = text.partition("<!-- walk: begin -->")[2].partition("<!-- walk: end -->")[0]
    blocks = re.findall(r"```sh\n(.*?)```", part, re.S)
    assert len(blocks) >= 7
    return "".join(blocks)


def test_the_conversation_by_hand_goes_from_a_message_to_an_outcome(host: RunningHost) -> None:
    script = _walk()
    assert script.count("ask ") + script.count("curl ") >= 10
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**os.environ, "URL": host.url, "CENTRALINO_DATA": str(host.data)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "urn:centralino:problem" not in done.stdout, done.stdout
    assert "It left the depot this morning" in done.stdout
    assert '"resolved_by":"anna"' in done.stdout.replace(" ", "")
    assert "delivery" in done.stdout
