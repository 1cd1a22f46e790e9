"""`centralino evaluate` and `centralino classify`, as a person runs them."""

import csv
import gzip
import io
import json
from pathlib import Path

from typer.testing import CliRunner, Result

from services.cli import command_line

_TRAIN = [
    ("my parcel is lost", "parcel"), ("where is the parcel", "parcel"), ("parcel never came", "parcel"),
    ("dov'è il mio pacco", "parcel"), ("the courier lost my box", "parcel"),
    ("cannot log in", "login"), ("forgot my password", "login"), ("the account is locked", "login"),
    ("non riesco ad accedere", "login"), ("no code for sign in", "login"),
]  # fmt: skip
_TEST = [("has anyone seen my parcel", "parcel"), ("password reset please", "login"), ("what is love", "oos")]


def write(path: Path, rows: list[tuple[str, ...]], header: tuple[str, ...] = ("text", "label")) -> Path:
    target = io.StringIO()
    csv.writer(target).writerows([header, *rows])
    content = target.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def evaluate(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        command_line(["evaluate"]),
        ["evaluate", *arguments, "--predictions", str(folder / "predictions.csv")],
        catch_exceptions=False,
    )


def test_labels_never_seen_before_are_learnt_measured_and_written(tmp_path: Path) -> None:
    train = write(tmp_path / "train.csv.gz", [*_TRAIN])
    test = write(tmp_path / "test.csv", [*_TEST])
    found = evaluate(tmp_path, "--train", str(train), "--test", str(test), "--json")
    figures = json.loads(found.stdout)
    assert figures["accuracy"] == 1.0
    assert figures["out_of_scope_texts"] == 1
    rows = list(csv.DictReader((tmp_path / "predictions.csv").open()))
    assert [row["row"] for row in rows] == ["1", "2", "3"]
    assert [row["label"] for row in rows[:2]] == ["parcel", "login"]
    assert all(0 <= float(row[name]) <= 1 for row in rows for name in ("confidence", "out_of_scope"))


def test_dirty_rows_are_named_by_line_and_passed_over(tmp_path: Path) -> None:
    train = tmp_path / "train.csv"
    good = "".join(f'"{text}",{label}\n' for text, label in _TRAIN)
    train.write_bytes(
        ("text,label\n" + good).encode() + b"no label here,\n,login\n\xff\xfe broken,login\none,two,three\n"
    )
    test = write(tmp_path / "test.csv", [*_TEST])
    found = evaluate(tmp_path, "--train", str(train), "--test", str(test), "--json", "--tier", "words")
    dirty = json.loads(found.stdout)["dirty"]["train"]
    assert [(one["line"], one["reason"]) for one in dirty] == [
        (12, "no label"),
        (13, "no text"),
        (14, "not UTF-8"),
        (15, "3 cells, the header has 2"),
    ]
    assert "train.csv:12: no label" in found.stderr


def test_a_file_without_the_columns_is_refused_with_what_was_seen(tmp_path: Path) -> None:
    train = write(tmp_path / "train.csv", [("a", "b")], ("question", "answer"))
    found = evaluate(tmp_path, "--train", str(train), "--test", str(train))
    assert found.exit_code == 2
    assert "question, answer" in " ".join(found.output.replace("│", " ").split())


def test_languages_of_any_operator_are_told_apart(tmp_path: Path) -> None:
    rows = [("waar is mijn pakket gebleven", "nl"), ("gdzie jest moja paczka", "pl")]
    path = write(tmp_path / "rows.csv", [*rows])
    found = evaluate(tmp_path, "--train", str(path), "--test", str(path), "--task", "language", "--json")
    assert json.loads(found.stdout)["accuracy"] == 1.0


def test_labels_spelt_otherwise_are_matched_and_the_note_says_so(tmp_path: Path) -> None:
    train = write(tmp_path / "train.csv", [*_TRAIN])
    test = write(tmp_path / "test.csv", [(text, label.upper()) for text, label in _TEST[:2]])
    found = evaluate(tmp_path, "--train", str(train), "--test", str(test), "--json", "--tier", "words")
    told = json.loads(found.stdout)
    assert told["texts"] == 2
    assert any("folded" in note for note in told["notes"])


def test_lines_in_give_one_object_a_line_out_whatever_they_hold() -> None:
    lines = [b"where is my parcel, order 4711", b"", b"\xff\xfe\x00", "👍".encode(), b"{}", b"x" * 200_000]
    found = CliRunner().invoke(
        command_line(["classify"]), ["classify"], input=b"\n".join(lines) + b"\n", catch_exceptions=False
    )
    answers = [json.loads(line) for line in found.stdout.splitlines()]
    assert len(answers) == len(lines)
    assert answers[0]["best_topic"] in ("delivery", "order")
    assert {"language", "topic", "kind", "urgency", "anger", "wish_for_person", "spam", "reasons"} <= set(
        answers[0]
    )
