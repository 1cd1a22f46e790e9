"""Retraining after 1,000 corrections, and what a triage process and its worker hold in memory.

`--data DIR` is the folder with banking77; without it the own set stands for the tickets. The version before was trained
on all but 1,000 texts; those come as corrections, as `centralino train --corrections` reads them. `--quick` leaves the
memory out.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench import report
from services.operators.evaluate import tools_of
from services.operators.train import with_stored_vectors
from services.triage.adapters.knowledge import HERE, TAXONOMY, Sources
from services.triage.adapters.labelled_files import read_labelled
from services.triage.adapters.learning.bases import joined, own_examples
from services.triage.adapters.learning.tickets import sift
from services.triage.adapters.learning.training import Made, make_version, split
from services.triage.adapters.learning.versions import Example, Versions
from services.triage.adapters.taxonomy_file import load_taxonomy
from services.triage.adapters.worker_pool import WorkerPool
from services.triage.domain.classification import Query
from services.triage.domain.judged import compare
from services.triage.domain.overlay import Lesson

_CORRECTIONS = 1_000


def retraining(name: str, examples: Sequence[Example]) -> list[str]:
    """One row."""
    order = np.random.default_rng(1).permutation([i for i, e in enumerate(examples) if not e.check])
    late = {int(i) for i in order[:_CORRECTIONS]}
    base = [e for i, e in enumerate(examples) if i not in late]
    corrected = [replace(examples[i], origin="correction") for i in sorted(late)]
    with tempfile.TemporaryDirectory() as folder:
        before = _make(Path(folder), base, "1")
        began, used = time.perf_counter(), time.process_time()
        after = _make(Path(folder), joined(base, corrected)[0], "2")
        wall, cpu = time.perf_counter() - began, time.process_time() - used
    found = compare(before.judged, after.judged)
    return [
        f"retraining, {name}, {len(after.judged)} texts after {_CORRECTIONS} corrections",
        f"{wall:.1f} s ({cpu:.1f} s of CPU)",
        "60 s",
        "10 s",
        f"accuracy {found.before['accuracy']:.4f} before, {found.after['accuracy']:.4f} after, on {found.texts} texts",
    ]


def _make(folder: Path, examples: Sequence[Example], started: str) -> Made:
    versions = Versions(folder)
    return make_version(
        versions,
        examples,
        lambda _languages, _threshold: TAXONOMY.read_text(encoding="utf-8"),
        with_stored_vectors(tools_of("encoder"), versions, lambda _done, _all: None),
        started=started,
        threshold=0.4,
        about={},
        progress=lambda what: print(f"  {what}", flush=True),
    )


async def memory() -> list[list[str]]:
    """Rows for the host of triage and one worker, before and after the first correction loads the encoder."""
    pool = WorkerPool(Sources.default(), 1)
    await pool.start()
    texts = [e.text for e in own_examples(HERE / "data", load_taxonomy(TAXONOMY))][:2_000]
    rows = []
    for state in ("no correction", "with corrections, Romanian ones among them"):
        await pool.classify([Query(text) for text in texts])
        held = sum(_resident(process) for process in (os.getpid(), *pool.process_ids))
        rows.append(
            [f"memory of this process and one worker, {state}", f"{held:.0f} MB", "900 MB", "500 MB", ""]
        )
        lessons = [Lesson(n, f"c{n}/m", text, "en", "order") for n, text in enumerate(texts[:200], 1)]
        await pool.teach([*lessons, Lesson(900, "r/m", "unde este coletul meu de ieri", "ro", "order")])
    await pool.close()
    return rows


def _resident(process: int) -> float:
    """Megabytes."""
    fields = Path(f"/proc/{process}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with banking77/train.csv.gz")
    parser.add_argument("--quick", action="store_true", help="without the memory")
    arguments = parser.parse_args()
    rows = [] if arguments.quick else asyncio.run(memory())
    if arguments.data:
        rows_of_file = sift(read_labelled(arguments.data / "banking77" / "train.csv.gz")).rows
        examples = split([replace(row, language="en") for row in rows_of_file])
        rows.append(retraining("banking77", examples))
    else:
        rows.append(retraining("own set", own_examples(HERE / "data", load_taxonomy(TAXONOMY))))
    report.write(
        "learning_banking77" if arguments.data else "learning",
        "Learning: retraining and memory",
        "python -m bench.learning" + (" --data DIR" if arguments.data else ""),
        ["what", "found", "must", "aim", "beside"],
        rows,
        "Vectors of the texts before are kept from the training before, as they are in an installation.",
    )


if __name__ == "__main__":
    main()
