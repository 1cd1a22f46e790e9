"""Runs the steps of the Dockerfile in an empty folder, where there is no Docker: COPY from the checkout,
RUN with a fresh Python environment, then the image's command with `--help` and `run --print-config`.

Users, volumes and ports are Docker's own business and are left out. Ends with 1 when a step fails.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
_LEFT_OUT = ("FROM", "USER", "VOLUME", "EXPOSE")


def instructions() -> Iterator[tuple[str, str]]:
    """(instruction, arguments) in order."""
    text = re.sub(r"^#.*$", "", DOCKERFILE.read_text(), flags=re.M).replace("\\\n", " ")
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, arguments = line.partition(" ")
        yield name.upper(), arguments


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="centralino-image-") as folder:
        place, work = Path(folder), Path(folder) / "app"
        venv.create(place / "python", with_pip=True)
        environment = {
            "PATH": f"{place / 'python' / 'bin'}:/usr/bin:/bin",
            "HOME": folder,
            "CENTRALINO_DATA": f"{folder}/data",
        }
        command: list[str] = []
        for name, arguments in instructions():
            print(f"{name} {arguments}", flush=True)
            if name == "ENV":
                environment |= dict(pair.split("=", 1) for pair in shlex.split(arguments))
            elif name == "ARG":
                variable, _, value = arguments.partition("=")
                environment[variable] = value
            elif name == "WORKDIR":
                work.mkdir()
            elif name == "COPY":
                _copy(arguments.split(), work)
            elif name == "RUN" and not arguments.startswith("useradd"):
                subprocess.run(["/bin/sh", "-c", arguments], cwd=work, env=environment, check=True)
            elif name == "ENTRYPOINT":
                command = json.loads(arguments)
            elif name not in (*_LEFT_OUT, "RUN", "CMD"):
                sys.exit(f"{name} is not known here: teach scripts/run_dockerfile.py")
        os.chdir(folder)
        for words in (["--help"], ["run", "--print-config"]):
            subprocess.run([*command, *words], env=environment, check=True, stdout=subprocess.DEVNULL)
        print("the image's command answers")


def _copy(words: list[str], work: Path) -> None:
    *sources, target = words
    for source in sources:
        to = work / target
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, to)


if __name__ == "__main__":
    main()
