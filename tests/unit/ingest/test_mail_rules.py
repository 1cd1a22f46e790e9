"""Signed ids, quotations, robots, texts and pauses."""

import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.automatic import automatic_reason
from services.ingest.domain.customers import identity_key, mail_identity
from services.ingest.domain.deliveries import backoff_ms
from services.ingest.domain.mail_threading import conversations_of, message_id, plus_address, references_of
from services.ingest.domain.model import ChannelName
from services.ingest.domain.quotations import without_quotation
from services.ingest.domain.texts import cut_to_bytes, one_line, storable

KEY = b"k" * 32
uuids = st.uuids().map(str)


@given(uuids, uuids)
def test_our_own_ids_and_addresses_are_recognised(conversation_id: str, source_id: str) -> None:
    ours = message_id(KEY, conversation_id, source_id, "shop.example")
    address = plus_address(KEY, conversation_id, "customer-service.eu@shop.example")
    assert conversations_of(KEY, [ours], []) == [conversation_id]
    assert conversations_of(KEY, [ours.upper()], [address.upper()]) == [conversation_id]
    assert conversations_of(KEY, [], [address]) == [conversation_id]
    assert conversations_of(b"other", [ours], [address]) == []
    assert len(address.partition("@")[0]) <= 64
    assert ours == message_id(KEY, conversation_id, source_id, "shop.example")


@given(uuids, uuids, st.integers(0, 200), st.characters(min_codepoint=33, max_codepoint=126))
def test_a_changed_id_is_not_ours(conversation_id: str, source_id: str, place: int, symbol: str) -> None:
    ours = message_id(KEY, conversation_id, source_id, "shop.example")
    signed = ours.index("@")
    changed = ours[: place % signed] + symbol + ours[place % signed + 1 :]
    same = changed.lower() == ours.lower()
    assert conversations_of(KEY, [changed], []) == ([conversation_id] if same else [])


@given(st.text(max_size=300), st.lists(st.text(max_size=80), max_size=5))
def test_rubbish_refers_to_nothing(text: str, recipients: list[str]) -> None:
    assert conversations_of(KEY, references_of(text, text), recipients) == []


def test_letters_that_only_look_like_ours_are_not() -> None:
    changed = 0
    for number in range(20):
        signed, at, domain = message_id(KEY, str(UUID(int=number)), str(number), "shop.example").partition(
            "@"
        )
        like = signed.replace("k", "\u212a").replace("s", "\u017f")
        changed += like != signed
        assert (conversations_of(KEY, [like + at + domain], []) == []) == (like != signed)
    assert changed


def test_references_are_read_nearest_first() -> None:
    assert references_of("<r>", "<a> <b>\r\n\t<c> <b>") == ["<r>", "<b>", "<c>", "<a>"]
    assert references_of("", "no ids at all") == []


QUOTED = {
    "english": "Thanks!\n\nOn Tue, 5 May 2026 at 10:00, Support <s@x> wrote:\n> Hello\n> there\n",
    "broken in two": "Thanks!\n\nOn Tue, 5 May 2026 at 10:00, Support Team\n<support@shop.example> wrote:\n> Hello\n",
    "italian": "Thanks!\n\nIl giorno mar 5 mag 2026 alle ore 10:00 Support <s@x> ha scritto:\n> Ciao\n",
    "french": "Thanks!\n\nLe mar. 5 mai 2026 à 10:00, Support <s@x> a écrit :\n> Bonjour\n",
    "spanish": "Thanks!\n\nEl mar, 5 may 2026 a las 10:00, Support (<s@x>) escribió:\n> Hola\n",
    "portuguese": "Thanks!\n\nEm ter., 5 de mai. de 2026 às 10:00, Support <s@x> escreveu:\n> Olá\n",
    "german": "Thanks!\n\nAm Di., 5. Mai 2026 um 10:00 Uhr schrieb Support <s@x>:\n> Hallo\n",
    "romanian": "Thanks!\n\nPe mar., 5 mai 2026 la 10:00, Support <s@x> a scris:\n> Bună\n",
    "arabic": "Thanks!\n\nفي الثلاثاء، 5 مايو 2026 في 10:00 م كتب Support <s@x>:\n> مرحبا\n",
    "outlook": "Thanks!\n\nFrom: Support <s@x>\nSent: Tuesday, May 5, 2026\nTo: Ada\nSubject: Parcel\n\nHello\n",
    "outlook, german": "Thanks!\n\nVon: Support <s@x>\nGesendet: Dienstag\nAn: Ada\nBetreff: Paket\n\nHallo\n",
    "original message": "Thanks!\n\n-----Original Message-----\nFrom: Support <s@x>\nSent: Tuesday\nTo: Ada\n\nHello\n",
    "only marks": "Thanks!\n\n> Hello\n> there\n",
    "signature": "Thanks!\n-- \nAda Rossi\nVia Roma 1\n",
    "introduction alone": "Thanks!\n\nOn Tue, 5 May 2026 at 10:00, Support <s@x> wrote:\n",
}


@pytest.mark.parametrize("name", sorted(QUOTED))
def test_what_is_quoted_below_is_left_out(name: str) -> None:
    assert without_quotation(QUOTED[name]) == "Thanks!"


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I wrote:\nplease send me the invoice\nand nothing came\nuntil now\nwhy?",
        "> can you confirm?\nYes\n> and the date?\nTomorrow",
        "From: the beginning\nI was unhappy with it",
        "> only a quotation",
        "On the box it says -- no returns",
    ],
)
def test_what_a_person_wrote_is_never_cut(text: str) -> None:
    assert without_quotation(text) == text


@given(st.text(max_size=500))
def test_something_always_remains(text: str) -> None:
    assert without_quotation(text) or not text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 60_000,
        "On Mon " * 9_000,
        "On Mon\n" * 9_000,
        "From: a\n" * 8_000,
        "> " * 30_000,
        "-" * 60_000,
        "On " + "a " * 180 + "wrote\n" * 200,
        "في يوم كتب " * 3_000,
        "From: a\nSent: b\n" * 4_000,
    ],
)
def test_hostile_texts_are_read_in_no_time(text: str) -> None:
    started = time.perf_counter()
    without_quotation(text + "x")
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    ("headers", "sender", "automatic"),
    [
        ({}, "ada@x", False),
        ({"auto-submitted": "no"}, "ada@x", False),
        ({"auto-submitted": "No; reason=x"}, "ada@x", False),
        ({"auto-submitted": "auto-replied"}, "ada@x", True),
        ({"auto-submitted": "Auto-Generated; x=y"}, "ada@x", True),
        ({"return-path": "<>"}, "ada@x", True),
        ({"return-path": "<ada@x>"}, "ada@x", False),
        ({"precedence": "Bulk"}, "ada@x", True),
        ({"precedence": "first-class"}, "ada@x", False),
        ({"list-id": "<l.x>"}, "ada@x", True),
        ({"content-type": 'Multipart/Report; boundary="x"'}, "ada@x", True),
        ({"x-auto-response-suppress": "All"}, "ada@x", False),
        ({}, "MAILER-DAEMON@x", True),
        ({}, "postmaster@x", True),
        ({}, "no-reply@x", True),
        ({}, "norepley@x", False),
    ],
)
def test_robots_are_known_by_their_headers(headers: dict[str, str], sender: str, automatic: bool) -> None:
    assert (automatic_reason(headers, sender) is not None) == automatic


def test_what_is_claimed_never_meets_what_is_vouched_for() -> None:
    keys = [
        identity_key(ChannelName.WEB, "a", "17", "", trusted=True),
        identity_key(ChannelName.WEB, "a", "17", "", trusted=False),
        identity_key(ChannelName.WEB, "a", "", "ada@x", trusted=True),
        identity_key(ChannelName.WEB, "a", "", "Ada@x", trusted=False),
        identity_key(ChannelName.CHAT, "a", "17", "", trusted=False),
        identity_key(ChannelName.WEB, "b", "17", "", trusted=False),
        mail_identity("a", "ada@x"),
    ]
    assert None not in keys
    assert len(set(keys)) == len(keys)
    assert identity_key(ChannelName.CHAT, "b", "17", "z@x", trusted=True) == keys[0]
    assert identity_key(ChannelName.WEB, "a", "", "", trusted=False) is None


@given(st.text())
def test_texts_become_storable(text: str) -> None:
    clean = storable(text + "\x00\ud800\r\nend")
    assert clean.encode()
    assert "\x00" not in clean
    assert clean.endswith("\nend")


@given(st.text(), st.integers(1, 100))
def test_a_cut_text_fits_and_is_a_beginning(text: str, most: int) -> None:
    text = storable(text)
    cut, shortened = cut_to_bytes(text, most)
    assert len(cut.encode()) <= most
    assert text.startswith(cut)
    assert shortened == (cut != text)


@given(st.text(), st.integers(1, 50))
def test_one_line_is_one_line(text: str, most: int) -> None:
    line = one_line(text, most)
    assert len(line) <= most
    assert len(line.splitlines()) <= 1


@given(st.integers(1, 1000), st.integers(1, 100_000), st.floats(0, 1))
def test_pauses_grow_and_are_bounded(attempts: int, first_ms: int, jitter: float) -> None:
    pause = backoff_ms(attempts, first_ms, jitter)
    assert first_ms // 2 <= pause <= 3_600_000
    assert pause <= backoff_ms(attempts + 1, first_ms, 1.0)


def test_a_pause_needs_an_attempt() -> None:
    with pytest.raises(ValueError, match="at least one"):
        backoff_ms(0, 1, 0)
