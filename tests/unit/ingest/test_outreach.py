"""Who is written to unasked, when, in which words, and why not."""

from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.ingest.adapters.outreach_reader import RuleFaults, read_book, read_file
from services.ingest.domain.consents import ConsentState, word_of
from services.ingest.domain.outreach import Cap, Quiet, Rule, audience_fault, capped, later_ms, put_in
from services.ingest.domain.templates import BadValues

NIGHT = Quiet(time(21), time(8))
RULE = {
    "name": "late",
    "event": "order.delayed",
    "when": {"days": ">= 2", "country": ["IT", "RO"], "gift": False},
    "channels": ["whatsapp", "sms"],
    "text": {"en": "Order {order} is late.", "it": "L'ordine {order} è in ritardo."},
}


def ms(text: str, zone: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "now", "goes"),
    [
        ("Europe/Rome", "2026-06-10T20:59", "2026-06-10T20:59"),
        ("Europe/Rome", "2026-06-10T21:00", "2026-06-11T08:00"),
        ("Europe/Rome", "2026-06-11T07:59", "2026-06-11T08:00"),
        ("Europe/Rome", "2026-06-11T08:00", "2026-06-11T08:00"),
        # The night of the change of the clocks is an hour shorter, and ends by the wall clock all the same.
        ("Europe/Rome", "2026-03-28T23:00", "2026-03-29T08:00"),
        ("America/Sao_Paulo", "2026-06-10T23:30", "2026-06-11T08:00"),
        ("Asia/Kolkata", "2026-06-11T03:00", "2026-06-11T08:00"),
    ],
)
def test_nothing_goes_in_the_quiet_hours_of_the_customers_own_zone(zone: str, now: str, goes: str) -> None:
    assert later_ms(NIGHT, zone, ms(now, zone)) == ms(goes, zone)


def test_quiet_hours_within_a_day_and_none_at_all() -> None:
    noon = Quiet(time(12), time(14))
    assert later_ms(noon, "UTC", ms("2026-06-10T13:00", "UTC")) == ms("2026-06-10T14:00", "UTC")
    for quiet in (None, Quiet(time(8), time(8))):
        assert later_ms(quiet, "UTC", 5) == 5


def test_a_cap_counts_what_was_sent_within_its_days() -> None:
    day = 86_400_000
    assert capped(Cap(2, 7), [day, 2 * day], 8 * day - 1) == "the customer has been sent 2 in 7 days"
    assert capped(Cap(2, 7), [day, 2 * day], 8 * day) == ""
    assert capped(None, [1] * 9, 2) == ""


def rule(**fields: object) -> Rule:
    [made] = read_book({"rules": [{**RULE, **fields}]}, 1).rules
    return made


@pytest.mark.parametrize(
    ("attributes", "fault"),
    [
        ({"days": "2", "country": "it", "gift": "false"}, ""),
        ({"days": "1.5", "country": "it", "gift": "false"}, "'days' is '1.5'"),
        ({"days": "soon", "country": "it", "gift": "false"}, "'days' is 'soon'"),
        ({"days": "3", "country": "fr", "gift": "false"}, "'country' is 'fr'"),
        ({"days": "3", "country": "ro"}, "'gift' is 'not given'"),
    ],
)
def test_an_event_is_for_a_rule_when_all_its_attributes_are_so(
    attributes: dict[str, str], fault: str
) -> None:
    assert (
        (fault in audience_fault(rule(), attributes, "it"))
        if fault
        else not audience_fault(rule(), attributes, "it")
    )
    assert "language" in audience_fault(rule(when={}, languages=["it"]), {}, "en")


def test_places_are_filled_once_and_a_missing_attribute_is_named() -> None:
    assert put_in("{a} and {b}", {"a": "{b}", "b": "2"}) == "{b} and 2"
    with pytest.raises(BadValues, match="'b'"):
        put_in("{a} and {b}", {"a": "1", "b": " "})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event": "Order Delayed"}, "event"),
        ({"channels": []}, "channels"),
        ({"channels": ["fax"]}, "channels"),
        ({"channels": ["mail"]}, "subject"),
        ({"text": {}}, "text"),
        ({"text": {"en": " "}}, "text.en"),
        ({"text": {"english": "x"}}, "text.english"),
        ({"cap": {"messages": 0, "days": 1}}, "cap.messages"),
        ({"quiet": {"from": "25:00", "to": "08:00"}}, "quiet.from"),
        ({"consent": "none"}, "consent"),
        ({"when": {"days": {}}}, "when.days"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_is_wrong_names_the_rule_and_the_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(RuleFaults) as caught:
        read_book({"rules": [RULE, {**RULE, "name": "other", **change}]}, 1)
    name, place, _ = caught.value.faults[0]
    assert (name, place.startswith(field)) == ("other", True)


def test_the_whole_book_is_checked_and_read_from_yaml(tmp_path: Path) -> None:
    documents: list[object] = [
        [],
        "x",
        {"rule": []},
        {"rules": "x"},
        {"rules": [RULE, RULE]},
        {"rules": [RULE] * 201},
    ]
    for document in documents:
        with pytest.raises(RuleFaults):
            read_book(document, 1)
    path = tmp_path / "rules.yaml"
    path.write_text("cap: {messages: 2, days: 7}\nquiet: {from: '21:00', to: '08:00'}\nrules: []\n")
    assert read_book(read_file(path), 3).quiet == NIGHT
    path.write_text("rules: [")
    with pytest.raises(ValueError, match=r"rules\.yaml"):
        read_file(path)


@pytest.mark.parametrize(
    "text", ["Stop", "STOP.", " stop ", "¡Baja!", "désabonner", "DÉSABONNER", "الغاء الاشتراك"]
)
def test_stop_words_are_known_whatever_their_case_and_accents(text: str) -> None:
    word = word_of(text)
    assert word is not None
    assert word.state == ConsentState.WITHDRAWN


@pytest.mark.parametrize(
    "text", ["stop it now", "don't stop", "", "stop " * 20, "cancel", "end", "alto", "no"]
)
def test_other_words_are_messages(text: str) -> None:
    assert word_of(text) is None
    assert (word_of(text, sms=True) is not None) == (text in ("cancel", "end", "alto"))
