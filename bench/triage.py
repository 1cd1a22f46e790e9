"""Triage on labelled files: both tiers beside words alone and the encoder alone, of the same run.

`--data DIR` is a folder with the public sets named in the rows (a set that is missing is left out). Trained on each
set's train file; measured on its dev, val or valid file, which nothing was chosen by. The own set's check split and the
messages in `bench/unseen` stand for what no public set has. `--only NAME` runs one part.
"""

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench import report
from bench.triage_own import from_english, own
from bench.triage_sets import Bench, Line, tools
from bench.triage_unseen import support, unseen
from services.triage.adapters.encoders import Encoders

_TITLES = {
    "own": "the own set",
    "unseen": "messages that no model has seen",
    "english": "from English examples",
    "language": "languages",
    "banking": "banking77",
    "clinc": "CLINC150",
    "xsid": "xSID",
    "spam": "SMS spam",
    "arbanking": "ArBanking77",
    "romanian": "REDv2",
    "support": "support categories",
}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, help="folder with the sets; without it only the own set is measured"
    )
    parser.add_argument("--only", action="append", help="one part")
    arguments = parser.parse_args()
    bench = Bench(arguments.data or Path(), tools(Encoders(remembered=60_000)))
    parts: dict[str, Callable[[], Iterator[Line]]] = {
        "own": partial(own, bench),
        "unseen": partial(unseen, bench),
        "english": partial(from_english, bench),
    }
    if arguments.data:
        parts |= {
            "language": bench.language,
            "banking": bench.banking,
            "clinc": bench.clinc,
            "xsid": bench.xsid,
            "spam": bench.spam,
            "arbanking": bench.arbanking,
            "romanian": bench.romanian,
            "support": partial(support, bench),
        }
    for name, part in parts.items():
        if not arguments.only or name in arguments.only:
            _one(name, part, bench)


def _one(name: str, part: Callable[[], Iterator[Line]], bench: Bench) -> None:
    """A part has a table of its own, so that one of them can be measured again."""
    lines: list[Line] = []
    bench.notes.clear()
    try:
        for line in part():
            lines.append(line)
            print("  ".join(_cells(line)), flush=True)
    except (OSError, ValueError) as error:
        bench.notes.append(f"Not measured: {error}.")
    report.write(
        f"triage_{name}",
        f"Triage, {_TITLES[name]}: both tiers, words alone, the encoder alone",
        f"python -m bench.triage{'' if name in ('own', 'unseen', 'english') else ' --data DIR'} --only {name}",
        ["what", "both", "words alone", "encoder alone", "must", "aim", "reached"],
        [_cells(line) for line in lines],
        " ".join(bench.notes),
    )


def _cells(line: Line) -> list[str]:
    def shown(value: float | None) -> str:
        return "-" if value is None else f"{value:,.0f}" if value > 10 else f"{value:.4f}"

    def reached(goal: float) -> bool:
        return line.both <= goal if line.smaller else line.both >= goal

    said = "aim" if reached(line.aim) else "must" if reached(line.must) else "short"
    return [
        line.what,
        shown(line.both),
        shown(line.words),
        shown(line.encoder),
        f"{line.must:g}",
        f"{line.aim:g}",
        said,
    ]


if __name__ == "__main__":
    main()
