"""Real data as stories, and what cannot be played."""

import gzip
import json
from pathlib import Path

import pytest

from services.demo.inputs import read_input
from services.demo.stories import CHANNELS, UnreadableInput, own_stories, story_from


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def texts(played) -> list[list[str]]:
    return [[turn.text for turn in story.turns] for story in played.stories]


def test_a_csv_gives_one_story_for_each_text(tmp_path):
    path = write(tmp_path, "some.csv", 'text,label\nwhere is it?,delivery\n"two\nlines, one cell",x\n')
    played = read_input(path, seed=1)
    assert texts(played) == [["where is it?"], ["two\nlines, one cell"]]
    assert played.skipped == []
    assert all(story.name and story.channel in CHANNELS for story in played.stories)


def test_a_csv_may_be_compressed_and_name_the_language(tmp_path):
    path = write(tmp_path, "some.csv.gz", gzip.compress("lang,i,text\nit,0,Dov'è?\nRO,1,Unde e?\n".encode()))
    assert [story.language for story in read_input(path, seed=1).stories] == ["it", "ro"]


def test_rows_that_cannot_be_played_are_skipped_with_their_line(tmp_path):
    rows = b'label,text\na,fine\nb,   \nc\nd,"a\x00b"\ne,bad \xff byte\nf,' + b"x" * 70_000 + b"\ng,last\n"
    played = read_input(write(tmp_path, "hostile.csv", rows), seed=1)
    assert texts(played) == [["fine"], ["last"]]
    assert [one.line for one in played.skipped] == [3, 4, 5, 6, 7]
    assert [one.reason for one in played.skipped] == [
        "empty text",
        "1 cells, the text is cell 2",
        "a NUL in the text",
        "half a surrogate pair in the text",
        "70000 bytes of text",
    ]


def test_of_a_dialogue_only_what_the_customer_says_is_sent(tmp_path):
    dialogue = {
        "conversation_id": "d1",
        "utterances": [
            {"index": 0, "speaker": "assistant", "text": "hello"},
            {"index": 1, "speaker": "user", "text": "one tea"},
            {"index": 2, "speaker": "user", "text": "please"},
            {"index": 3, "speaker": "assistant", "text": "sugar?"},
            {"index": 4, "speaker": "customer", "text": "no"},
        ],
    }
    path = write(tmp_path, "d.jsonl", json.dumps(dialogue) + "\n")
    [story] = read_input(path, seed=1).stories
    assert [(turn.when, turn.text) for turn in story.turns] == [("start", "one tea\nplease"), ("reply", "no")]


def test_dialogues_that_cannot_be_played_are_skipped_with_their_line(tmp_path):
    lines = [
        "{broken",
        "[1]",
        '{"utterances":[{"speaker":"assistant","text":"hi"}]}',
        '{"utterances":[{"speaker":"user"}]}',
        '{"text":"half \\ud800"}',
        '{"text":"good"}',
        "[" * 100_000,
    ]
    played = read_input(write(tmp_path, "d.jsonl", "\n".join(lines)), seed=1)
    assert texts(played) == [["good"]]
    assert [one.line for one in played.skipped] == [1, 2, 3, 4, 5, 7]


def test_stories_of_the_own_format_are_played_as_they_are(tmp_path):
    story = {
        "id": "x-1",
        "lang": "it",
        "channel": "mail",
        "name": "Ada",
        "subject": "S",
        "turns": [{"when": "start", "text": "ciao"}],
        "rating": 5,
    }
    [read] = read_input(write(tmp_path, "s.jsonl", json.dumps(story)), seed=1).stories
    assert read == story_from(story)


MAIL = """From: {who}
To: support@example.org
Subject: {subject}
Message-ID: <{id}@example.org>
{more}
{text}
"""


def mail(who: str, id_: str, text: str, more: str = "", subject: str = "Lamp") -> str:
    return MAIL.format(who=who, id=id_, text=text, more=more, subject=subject)


def test_an_mbox_gives_one_story_for_each_thread_of_a_sender(tmp_path):
    mails = [
        mail("Ada <ada@example.org>", "1", "it is broken"),
        mail("Bo <bo@example.org>", "2", "mine too", "In-Reply-To: <1@example.org>\n"),
        mail("Ada <ada@example.org>", "3", "still broken", "References: <1@example.org>\n"),
    ]
    box = "".join(f"From x@example.org Mon Nov 23 00:00:00 2026\n{one}\n" for one in mails)
    played = read_input(write(tmp_path, "m.mbox", box), seed=1)
    assert texts(played) == [["it is broken", "still broken"], ["mine too"]]
    assert {story.channel for story in played.stories} == {"mail"}
    assert played.stories[0].subject == "Lamp"


def test_a_folder_of_mails_leaves_out_those_without_text(tmp_path):
    write(tmp_path, "a.eml", mail("Ada <ada@example.org>", "1", "hello"))
    write(tmp_path, "b.eml", mail("Ada <ada@example.org>", "2", ""))
    write(tmp_path, "c.eml", b"\xff\x00\xfe nothing of a mail")
    played = read_input(tmp_path, seed=1)
    assert ["hello"] in texts(played)
    assert 2 in [one.line for one in played.skipped]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", ""),
        ("a.csv", "one,two\n1,2\n"),
        ("a.jsonl", "{}\n"),
        ("a.txt", "hello"),
        ("a.csv.gz", b"no gzip"),
    ],
)
def test_an_input_that_holds_nothing_is_refused_as_a_whole(tmp_path, name, content):
    with pytest.raises(UnreadableInput):
        read_input(write(tmp_path, name, content), seed=1)
    with pytest.raises(UnreadableInput, match="does not exist"):
        read_input(tmp_path / "nowhere.csv", seed=1)


def test_the_same_seed_gives_the_same_customers(tmp_path):
    path = write(tmp_path, "some.csv", "text\n" + "".join(f"message {n}\n" for n in range(50)))
    assert read_input(path, seed=4).stories == read_input(path, seed=4).stories
    channels = {story.channel for story in read_input(path, seed=4).stories}
    assert channels == {"web", "chat", "mail"}


def test_the_own_set_has_three_hundred_stories_in_eight_languages_on_three_channels():
    stories = own_stories()
    assert len(stories) >= 300
    assert {story.language for story in stories} == {"en", "it", "ro", "ar", "fr", "pt", "es", "de"}
    assert {story.channel for story in stories} == {"web", "chat", "mail"}
    assert len({story.story_id for story in stories}) == len(stories)
    assert len({story.language for story in stories[:20]}) >= 6
