"""What was recorded is decided again, byte for byte; what differs is found and shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import command_line
from services.routing.domain.commands import Command
from services.routing.domain.engine import Engine
from services.routing.domain.state import Step
from services.routing.simulation.recording import Given, lines
from tests.unit.routing.pools import RICH
from tests.unit.routing.stories import Op, Story, random_story


class Recorded(Story):
    """A story that keeps what a recording keeps, from a snapshot in its middle on."""

    def __init__(self) -> None:
        super().__init__(Engine, RICH)
        self.given: list[Given] = []
        self.decided: list[object] = []

    def apply(self, command: Command) -> Step:
        known = command.answered and command.command_id in self.saved.results
        step = super().apply(command)
        if not known:
            self.given.append(Given(self.at, command))
            self.decided += step.decisions
        return step

    def begin_anew(self) -> None:
        """The recorded pool goes on."""

    def _repeat(self, a: int, b: int) -> None:
        """Repeats of unanswered commands number their explanations on; a recording has the first ones."""


def recorded(folder: Path, seed: int) -> Path:
    story = Recorded()
    first: list[Op] = random_story(seed, 60)
    story.play(first)
    story.given, story.decided = [], []
    snapshot = story.saved.load()
    story.play(random_story(seed + 1, 120))
    path = folder / "recording.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines(snapshot, story.given, story.decided)))
    return path


@pytest.mark.parametrize("seed", range(4))
def test_recorded_commands_give_the_recorded_decisions(tmp_path: Path, seed: int) -> None:
    done = CliRunner().invoke(command_line(["replay"]), ["replay", str(recorded(tmp_path, seed)), "--json"])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["same"]
    assert facts["decisions"] > 20


def test_another_decision_is_shown_beside_the_recorded_one(tmp_path: Path) -> None:
    path = recorded(tmp_path, 1)
    text = path.read_text().splitlines()
    place = next(n for n, line in enumerate(text) if line.startswith('{"decision"'))
    text[place] = text[place].replace('"at_ms":1', '"at_ms":2', 1)
    path.write_text("\n".join(text))
    done = CliRunner().invoke(command_line(["replay"]), ["replay", str(path)])
    assert done.exit_code == 1
    assert done.stdout.startswith("Decision 1 of ")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: [], ":1: empty"),
        (lambda text: text[1:], ":1: the first line has the snapshot"),
        (lambda text: [text[0], "{"], ":2: not a line of a recording"),
        (
            lambda text: [text[0], '{"command":{"at_ms":-1,"id":"a","name":"TimePassed","arguments":{}}}'],
            ":2:",
        ),
        (
            lambda text: [text[0], '{"command":{"at_ms":1,"id":"a","name":"Explode","arguments":{}}}'],
            "no command is called 'Explode'",
        ),
    ],
)
def test_a_recording_that_cannot_be_used_is_refused_with_its_line(
    tmp_path: Path, change: object, why: str
) -> None:
    path = recorded(tmp_path, 2)
    path.write_text("\n".join(change(path.read_text().splitlines())))  # type: ignore[operator]  # a function
    done = CliRunner().invoke(command_line(["replay"]), ["replay", str(path)])
    assert done.exit_code == 2
    assert why in done.stderr.replace("\n", " ")
