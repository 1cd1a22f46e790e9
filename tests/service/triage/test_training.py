"""`centralino train` and `centralino models`: tickets in, versions out, nothing half done."""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from services.cli import command_line
from services.operators.evaluate import tools_of
from services.triage.adapters.evaluation.labels import Tools
from services.triage.adapters.in_process import InProcessClassifier
from services.triage.adapters.knowledge import Sources, taxonomy_for
from services.triage.adapters.labelled_files import read_labelled
from services.triage.adapters.learning.bases import joined
from services.triage.adapters.learning.checkpoints import Busy, StoredVectors, alone
from services.triage.adapters.learning.tickets import sift
from services.triage.adapters.learning.training import Made, make_version, split
from services.triage.adapters.learning.versions import IN_USE, Example, VersionError, Versions, folder_in_use
from services.triage.adapters.taxonomy_file import load_taxonomy
from services.triage.adapters.worker_pool import WorkerPool
from services.triage.domain.classification import Query
from services.triage.domain.signals import Signals
from tests.support.encoders import BagOfWords

_MANY = {
    "Loan / Mortgage": ("mortgage rate", "loan for a house", "pay back my loan", "interest of the mortgage"),
    "Kartenverlust": ("card is stolen", "lost my card", "block the card", "somebody took my card"),
    "stock": ("buy shares", "sell my stocks", "price of the share", "stock order failed"),
}


def _tickets(path: Path, times: int = 3, swap: bool = False) -> Path:
    labels = list(_MANY)
    rows = [
        (f"{text} {'please' * (n > 0)} {'now' * n}", labels[(i + swap) % 3])
        for i, texts in enumerate(_MANY.values())
        for text in texts
        for n in range(times)
    ]
    with path.open("w", newline="", encoding="utf-8") as target:
        csv.writer(target).writerows([("text", "label"), *rows])
    return path


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(command_line(arguments), list(arguments), catch_exceptions=False)


@pytest.fixture(scope="module")
def tools() -> Tools:
    return replace(tools_of(None), encode=BagOfWords())


def _make(
    root: Path,
    source: Path,
    tools: Tools,
    progress: Callable[[str], None] = lambda _: None,
    corrected: Sequence[Example] = (),
    started: str = "20260101-000000",
) -> Made:
    examples, _ = joined(split(sift(read_labelled(source)).rows), corrected)
    taxonomy = Path(__file__).resolve().parents[3] / "services/triage/taxonomy.yaml"
    return make_version(
        Versions(root),
        examples,
        lambda _languages, _threshold: taxonomy.read_text(encoding="utf-8"),
        tools,
        started=started,
        threshold=0.4,
        about={},
        progress=progress,
    )


async def _topics(root: Path, texts: Sequence[str]) -> list[str]:
    classifier = InProcessClassifier(Sources(load_taxonomy(taxonomy_for(root)), model=root))
    await classifier.start()
    found = await classifier.classify([Query(text) for text in texts])
    return [one.best_topic for one in found if isinstance(one, Signals)]


async def test_an_operator_with_other_topics_is_served_after_one_command_and_told_how_well(
    tmp_path: Path,
) -> None:
    source, root = _tickets(tmp_path / "tickets.csv", 4), tmp_path / "models"
    with source.open("a", encoding="utf-8") as target:
        target.write('thing,rare\n,stock\nlost my card,stock\n"a torn quote,stock\n')
    done = _run("train", "--from", str(source), "--into", str(root), "--json")
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert (report["topics"], report["measured"], report["in_use"]) == (3, "cross-fit", True)
    assert report["accuracy"] > 0.8
    assert {row["topic"] for row in report["by_topic"]} == {"loan_mortgage", "kartenverlust", "stock"}
    told = {one["line"]: one["reason"] for one in report["skipped"]}
    assert told[50] == "the only example of label 'rare'; at least two are needed"
    assert told[51] == "no text"
    assert told[53].startswith("torn: a quote opens on this line")
    assert "the same text has label 'stock' here and 'kartenverlust' on line 22" in told[52]
    topics = await _topics(root, ["I want to repay my loan", "they stole my card", "sell shares"])
    assert topics == ["loan_mortgage", "kartenverlust", "stock"]
    labels = {topic.key: topic.label for topic in load_taxonomy(taxonomy_for(root)).topics}
    assert labels["loan_mortgage"] == "Loan / Mortgage"
    listed = _run("models", "list", "--in", str(root), "--json").stdout
    assert json.loads(listed)["in_use"] is True


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is empty"),
        ("question,answer\na,b\n", "no column 'text'"),
        ("text,label\n", "no usable row"),
        ("text,label\na b,x\nc d,x\n", "at least two are needed"),
    ],
)
def test_a_file_from_which_nothing_can_be_learnt_is_refused_with_a_sentence(
    tmp_path: Path, content: str, reason: str
) -> None:
    source = tmp_path / "t.csv"
    source.write_text(content, encoding="utf-8")
    done = _run("train", "--from", str(source), "--into", str(tmp_path / "m"))
    assert done.exit_code == 2
    assert reason in " ".join(done.output.replace("│", " ").split())
    assert not (tmp_path / "m" / IN_USE).exists()


def test_a_killed_training_goes_on_where_it_was_and_ends_the_same(tmp_path: Path, tools: Tools) -> None:
    source = _tickets(tmp_path / "t.csv")
    counted = BagOfWords()

    def stored(root: Path) -> Tools:
        return replace(tools, encode=StoredVectors(root / "vectors.bin", counted, lambda _done, _all: None))

    def kill(what: str) -> None:
        if what == "fold 3 of 5":
            raise KeyboardInterrupt

    root = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt):
        _make(root, source, stored(root), kill)
    assert Versions(root).names() == []
    assert counted.read
    counted.read.clear()
    kept = sorted(path.name for path in root.glob("work/*/*"))
    assert kept == ["fold-0.npz", "fold-1.npz", "strengths.npz"]
    with (root / "vectors.bin").open("ab") as file:
        file.write(b"torn by the kill")
    (next(root.glob("work/*")) / "fold-1.npz").write_bytes(b"PK\x03\x04 torn")
    made = _make(root, source, stored(root))
    assert not {row.text for row in read_labelled(source).rows} & set(counted.read)
    assert list(root.glob("work/*")) == []
    whole = _make(tmp_path / "whole", source, stored(tmp_path / "whole"))
    assert made.name == whole.name
    assert made.report["model_version"] == whole.report["model_version"]
    assert list(made.judged) == list(whole.judged)


def test_vectors_are_the_same_kept_or_made(tmp_path: Path) -> None:
    texts = ["one text", "another", "one text", ""]
    first = StoredVectors(tmp_path / "v", BagOfWords(), lambda _done, _all: None)(texts, ["en"] * 4)
    again = StoredVectors(tmp_path / "v", BagOfWords(), lambda _done, _all: None)(texts, ["en"] * 4)
    assert np.array_equal(first, again)
    assert np.array_equal(first[0], first[2])


def test_two_trainings_do_not_write_into_one_folder(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(Busy, match="another training works in"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


def test_a_worse_version_is_promoted_only_when_told_and_can_be_rolled_back(
    tmp_path: Path, tools: Tools
) -> None:
    source, root = _tickets(tmp_path / "t.csv"), tmp_path / "m"
    good = _make(root, source, tools).name
    versions = Versions(root)
    versions.promote(good)
    worse = _make(root, source, replace(tools, encode=None), started="20260102-000000").name
    judged = versions.folder(worse) / "judged.csv.gz"
    _spoil(judged)
    refused = _run("models", "promote", worse, "--in", str(root))
    assert refused.exit_code == 1
    assert "does worse than" in refused.output
    assert "became wrong" in refused.output
    assert versions.in_use() is not None
    assert folder_in_use(root).name == good
    assert _run("models", "promote", worse, "--in", str(root), "--even-if-worse").exit_code == 0
    assert folder_in_use(root).name == worse
    compared = json.loads(_run("models", "compare", good, "--in", str(root), "--json").stdout)
    assert compared["worse"] is False
    assert compared["gained"][0]["text"]
    assert _run("models", "roll-back", "--in", str(root)).exit_code == 0
    assert folder_in_use(root).name == good
    assert _run("models", "roll-back", "--in", str(root)).exit_code == 0
    assert versions.in_use() is None
    assert _run("models", "roll-back", "--in", str(root)).exit_code == 2


def _spoil(path: Path) -> None:
    """As if the version said the wrong topic of every third text."""
    import gzip

    rows = list(csv.reader(gzip.decompress(path.read_bytes()).decode().splitlines()))
    for row in rows[1::3]:
        row[2] = "nonsense"
    path.write_bytes(gzip.compress("\n".join(",".join(row) for row in rows).encode()))


@pytest.mark.parametrize("damage", ["torn entry", "no version", "torn model"])
def test_a_damaged_folder_of_versions_is_told_with_what_to_do(
    tmp_path: Path, tools: Tools, damage: str
) -> None:
    made = _make(tmp_path, _tickets(tmp_path / "t.csv"), tools)
    versions = Versions(tmp_path)
    versions.promote(made.name)
    if damage == "torn entry":
        (tmp_path / IN_USE).write_text('{"version": "2026')
        with pytest.raises(VersionError, match=r"is torn.*models promote NAME"):
            folder_in_use(tmp_path)
        versions.promote(made.name)
        assert folder_in_use(tmp_path) == made.folder
    elif damage == "no version":
        with pytest.raises(VersionError, match=f"there are: {made.name}"):
            versions.promote("../../etc")
    else:
        whole = (made.folder / "topics.npz").read_bytes()
        (made.folder / "topics.npz").write_bytes(whole[: len(whole) // 2])
        refused = _run("models", "promote", made.name, "--in", str(tmp_path))
        assert refused.exit_code == 2
        assert "train it again" in " ".join(refused.output.replace("│", " ").split())


def test_a_correction_stands_above_what_the_file_says_and_a_new_topic_needs_five(
    tmp_path: Path, tools: Tools
) -> None:
    source = _tickets(tmp_path / "t.csv")
    new = [Example(f"my crypto wallet {n} is empty", "crypto", "en", "correction", False) for n in "abcde"]
    changed = Example("Lost my card!", "stock", "en", "correction", False)
    one = Example("a lonely thing", "lonely", "en", "correction", False)
    examples, alone_ = joined(split(sift(read_labelled(source)).rows), [*new, changed, one])
    assert [e.label for e in examples if e.text.lower().strip(" !") == "lost my card"] == ["stock"]
    assert [told.reason for told in alone_] == [
        "correction 7: the only example of topic 'lonely'; at least two are needed"
    ]
    made = _make(tmp_path / "m", source, tools, corrected=[*new, changed])
    figures = {row["topic"]: row for row in made.report["by_topic"]}
    assert figures["crypto"]["recall"] >= 0.8
    assert made.report["corrections"] == 6


async def test_a_promoted_version_is_taken_up_by_running_processes(tmp_path: Path, tools: Tools) -> None:
    first = _make(tmp_path, _tickets(tmp_path / "a.csv"), replace(tools, encode=None))
    other = _make(
        tmp_path,
        _tickets(tmp_path / "b.csv", swap=True),
        replace(tools, encode=None),
        started="20260102-000000",
    )
    versions = Versions(tmp_path)
    versions.promote(first.name)
    taxonomy = load_taxonomy(taxonomy_for(None))
    topics = tuple(
        replace(taxonomy.topics[0], key=key) for key in ("loan_mortgage", "kartenverlust", "stock")
    )
    pool = WorkerPool(Sources(replace(taxonomy, topics=topics), model=tmp_path), 1)
    await pool.start()
    try:
        assert await _said(pool, "lost my card") == "kartenverlust"
        versions.promote(other.name)
        await pool.renew()
        assert await _said(pool, "lost my card") == "stock"
        assert len(pool.process_ids) == 1
    finally:
        await pool.close()


async def _said(pool: WorkerPool, text: str) -> str:
    (found,) = await pool.classify([Query(text)])
    assert isinstance(found, Signals)
    return found.best_topic
