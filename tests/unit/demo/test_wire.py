"""Event streams, mail and the record, byte by byte."""

import asyncio
import smtplib
from typing import Any

import pytest

from services.demo.events import StreamEvent, parse
from services.demo.figures import sums
from services.demo.post import LetterBox, compose, read_letter, survey_link
from services.demo.record import Record, read_record


async def parsed(text: str) -> list[StreamEvent]:
    async def lines():
        for line in text.split("\n"):
            yield line

    return [event async for event in parse(lines())]


async def test_events_have_name_number_and_data_and_comments_are_passed_over():
    text = 'retry: 1000\n\n: keep-alive\n\nid: 7\nevent: offer\ndata: {"a":1}\n\ndata: [2]\n\n'
    assert await parsed(text) == [StreamEvent("offer", {"a": 1}, 7), StreamEvent("message", [2], None)]


async def test_an_event_that_breaks_off_is_not_told():
    assert await parsed('id: 7\nevent: offer\ndata: {"a":1}') == []
    assert await parsed("id: 7\ndata: {broken\n\n") == []


def test_a_letter_keeps_name_text_and_thread():
    first = compose("Élodie", "e@example.org", "s@example.org", "Où ?", "Ça va\nمرحبا", "<1@x>", None, "")
    read = read_letter(first)
    assert (read.message_id, read.subject, read.text) == ("<1@x>", "Où ?", "Ça va\nمرحبا")
    assert "Élodie" in read.reply_to
    answer = compose("S", "s@example.org", "e@example.org", "Re", "yes", "<2@x>", read, "")
    assert read_letter(answer).references == "<1@x>"
    assert b"In-Reply-To: <1@x>" in answer


def test_the_link_of_a_survey_is_found_without_the_stop_after_it():
    text = "How was it? http://127.0.0.1:8600/survey/v1/s/k1-abc_D-e. Thank you"
    assert survey_link(text) == "http://127.0.0.1:8600/survey/v1/s/k1-abc_D-e"
    assert survey_link("no link") == ""


async def test_a_letter_that_comes_twice_is_given_once():
    got: list[Any] = []
    async with LetterBox() as box:
        box.expect("Ada@example.org", got.append)
        raw = compose("S", "s@example.org", "ada@example.org", "Re", "hello", "<9@x>", None, "")

        def send(recipient: str) -> None:
            with smtplib.SMTP("127.0.0.1", box.port) as server:
                server.sendmail("s@example.org", [recipient], raw)

        for recipient in ("ada@example.org", "ada@example.org", "nobody@example.org"):
            await asyncio.to_thread(send, recipient)
        assert [letter.text for letter in got] == ["hello"]
        assert (box.repeated, box.unexpected) == (1, 1)


async def test_a_line_is_on_disk_when_write_returns(tmp_path):
    async with Record(tmp_path / "r.jsonl") as record:
        await asyncio.gather(*(record.write("message", key=str(n), text="è\n") for n in range(100)))
        lines = list(read_record(record.path))
        assert sorted(int(line["key"]) for line in lines) == list(range(100))
        assert lines[0]["text"] == "è\n"
        await record.write("message", key="last")
        assert list(read_record(record.path))[-1]["key"] == "last"
    with pytest.raises(RuntimeError, match="closed"):
        await record.write("message", key="late")


async def test_a_line_cut_off_by_a_crash_is_left_out(tmp_path):
    async with Record(tmp_path / "r.jsonl") as record:
        await record.write("message", key="whole")
    with record.path.open("ab") as file:
        file.write(b'{"what":"mess')
    assert [line["key"] for line in read_record(record.path)] == ["whole"]


def test_metrics_are_summed_over_their_labels():
    text = 'centralino_x_total{a="1"} 2.0\ncentralino_x_total{a="2"} 3.0\n# HELP centralino_y y\ncentralino_y 1.0\n'
    assert sums(text) == {"centralino_x_total": 5.0, "centralino_y": 1.0}
