"""What the generators share: files are written, or with `--check` only compared with what is committed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def write_or_check(about: str | None, files: Iterable[tuple[Path, str]], source: str) -> None:
    """Writes the files. With `--check` on the command line it exits 1 when one differs, and says that `source` says else."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for path, text in files:
        if check:
            if not path.exists() or path.read_text() != text:
                stale.append(str(path.relative_to(ROOT)))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if stale:
        sys.exit(f"not what {source} (run `make contracts`): {', '.join(stale)}")
