"""The directory as one file: every fault with its line, the same again after a round trip, what would change."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.operators.configuration import app
from services.routing.adapters.lengths import length_text, milliseconds
from services.routing.adapters.located_yaml import BadFile
from services.routing.config.differences import differences
from services.routing.config.reading import load
from services.routing.config.shapes import Configuration, FileShape, configuration_of
from services.routing.config.writing import text_of

ALPHA = Path(__file__).parents[3] / "services" / "routing" / "samples" / "alpha_company.yaml"
GOOD = """\
pools: [{id: default}]
teams:
  - {id: desk, name: Desk}
sla_policies:
  - {id: quick, first_response: 30m, resolution: 1d}
queues:
  - {id: desk, team: desk, name: Desk, sla: quick}
filters:
  - {queue: desk}
capacities:
  - id: default
    budget: 100
    interruptible_budget: 0
    channels:
      - {channel: chat, weight: 30, max_count: 3}
agents:
  - {id: ada, name: Ada, teams: [desk], languages: [en]}
"""


def faults_of(tmp_path: Path, text: str) -> list[str]:
    """The faults of a file, without its folder."""
    file = tmp_path / "office.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadFile) as bad:
        load(file)
    return [fault.removeprefix(f"{tmp_path}/") for fault in bad.value.faults]


def loaded(tmp_path: Path, text: str) -> Configuration:
    file = tmp_path / "office.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def test_the_sample_of_alpha_company_is_good_and_speaks_eight_languages() -> None:
    alpha = load(ALPHA)
    assert alpha.agents is not None
    spoken = {language for agent in alpha.agents.values() for language in agent.languages}
    assert spoken == {"en", "it", "ro", "ar", "fr", "pt", "es", "de"}
    assert [t.name for t in alpha.directory.teams] == [
        "Billing",
        "Orders",
        "IT help desk",
        "Product specialists",
        "General",
    ]


def test_the_sample_is_the_same_after_it_was_written_and_read(tmp_path: Path) -> None:
    alpha = load(ALPHA)
    assert loaded(tmp_path, text_of(alpha)) == alpha
    assert differences(alpha, loaded(tmp_path, text_of(alpha))) == []


def test_the_command_ends_with_what_it_found(tmp_path: Path) -> None:
    good = CliRunner().invoke(app, ["check", str(ALPHA)])
    assert (good.exit_code, "good: 5 teams, 6 queues, 11 agents" in good.output) == (0, True)
    file = tmp_path / "office.yaml"
    file.write_text(GOOD.replace("team: desk", "team: nobody"), encoding="utf-8")
    bad = CliRunner().invoke(app, ["check", str(file)])
    assert bad.exit_code == 2


def test_every_wrong_value_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = GOOD.replace("30m", "soon").replace("weight: 30", "weight: much").replace("name: Ada, ", "")
    assert faults_of(tmp_path, text) == [
        "office.yaml:5: sla_policies.0.first_response: expected a length of time such as 90s, 5m or 1h 30m, got 'soon'",
        "office.yaml:15: capacities.0.channels.0.weight: input should be a valid integer, got 'much'",
        "office.yaml:17: agents.0.name: is missing",
    ]


BAD = (
    ("a queue without a team", ("team: desk", "team: nobody"), 7, "unknown team 'nobody'"),
    ("a promise nobody made", ("sla: quick", "sla: slow"), 7, "no promise of sla_policies is called 'slow'"),
    ("a weight above the budget", ("weight: 30", "weight: 101"), 15, "nobody could ever take one"),
    ("no default queue", ("{queue: desk}", "{queue: desk, topics: [a]}"), 9, "last filter"),
    ("a filter to nowhere", ("{queue: desk}", "{queue: away}"), 9, "unknown queue 'away'"),
    ("a person of no team", ("teams: [desk]", "teams: [moon]"), 17, "unknown team 'moon'"),
    ("an unknown zone", ("sla_pol", "calendars: [{id: c, zone: Mars/Base}]\nsla_pol"), 4, "unknown zone"),
    ("a calendar nobody made", ("1d}", "1d, calendar: moon}"), 7, "unknown calendar 'moon'"),
    ("a skill beyond the levels", ("sla: quick", "sla: quick, skills: {x: 9}"), 7, "less than or equal to 5"),
    ("a skill nobody has", ("sla: quick", "sla: quick, skills: {x: 2}"), 7, "asks for x 2: no agent"),
    (
        "two agents with one id",
        ("languages: [en]}", "languages: [en]}\n  - {id: ada, name: B, teams: [desk], languages: [en]}"),
        18,
        "'ada' is there twice",
    ),
    (
        "a reserve for which nobody is left",
        ("{id: default}]", "{id: default, reserve: {queues: [desk], after: 1m}}]"),
        1,
        "reserve names every queue",
    ),
    ("a seniority nobody has", ("sla: quick", "sla: quick, tiers: {gold: {seniority: 3}}"), 7, "most senior"),
    ("two pools", ("{id: default}]", "{id: default}, {id: other}]"), 1, "at most 1 item"),
)


@pytest.mark.parametrize(("what", "change", "line", "why"), BAD, ids=lambda v: str(v)[:30])
def test_what_does_not_go_together_is_refused_with_its_line(
    tmp_path: Path, what: str, change: tuple[str, str], line: int, why: str
) -> None:
    found = faults_of(tmp_path, GOOD.replace(*change, 1))
    assert any(f"office.yaml:{line}:" in fault and why in fault for fault in found), (what, found)


def test_a_skill_that_nobody_declared_is_refused_where_skills_are_declared(tmp_path: Path) -> None:
    text = GOOD.replace("teams:\n", "skills: [{id: known}]\nteams:\n", 1)
    wrong = text.replace("languages: [en]", "languages: [en], skills: {knwon: 2}")
    assert faults_of(tmp_path, wrong) == [
        "office.yaml:18: agents.0: agent 'ada' names the unknown skill 'knwon'"
    ]
    assert loaded(tmp_path, wrong.replace("knwon", "known")).agents


def test_a_team_in_which_nobody_works_is_told(tmp_path: Path) -> None:
    text = GOOD.replace("name: Desk}\n", "name: Desk}\n  - {id: two, name: Two}\n", 1)
    [fault] = faults_of(tmp_path, text.replace("team: desk", "team: two"))
    assert "queue 'desk': no agent is in two" in fault


def test_people_who_are_not_mentioned_stay_as_they_are(tmp_path: Path) -> None:
    silent = loaded(tmp_path, GOOD[: GOOD.index("agents:")])
    assert silent.agents is None
    assert differences(loaded(tmp_path, GOOD), silent) == []
    emptied = loaded(tmp_path, GOOD[: GOOD.index("agents:")] + "agents: []\n")
    assert [str(d) for d in differences(loaded(tmp_path, GOOD), emptied)] == ["- agent ada"]


def test_a_difference_names_the_field_and_both_values(tmp_path: Path) -> None:
    was = loaded(tmp_path, GOOD)
    changed = GOOD.replace("sla: quick", "sla: quick, offer_timeout: 45s").replace("30m", "45m")
    told = [
        str(d) for d in differences(was, loaded(tmp_path, changed.replace("{queue: desk}", "{queue: desk}")))
    ]
    assert told == [
        '~ queue desk: sla: {"first_response": "30m", "resolution": "1d"} -> '
        '{"first_response": "45m", "resolution": "1d"}',
        "~ queue desk: offer_timeout: (default) -> 45s",
    ]


def test_hours_dates_and_days_are_read_as_people_write_them(tmp_path: Path) -> None:
    calendar = (
        "calendars:\n  - id: c\n    zone: Europe/Rome\n    weekly:\n"
        "      - {weekday: monday, start: 9:30, end: 17:00}\n    holidays: [2026-12-25]\n"
        "    specials: {2026-12-24: [{weekday: thu, start: '09:00', end: '12:00'}]}\n"
    )
    read = loaded(tmp_path, GOOD.replace("sla_policies:", calendar + "sla_policies:"))
    [found] = read.directory.calendars
    assert (found.weekly[0].weekday, found.weekly[0].start_minute, found.weekly[0].end_minute) == (
        0,
        570,
        1020,
    )
    assert (found.holidays, list(found.specials)) == (["2026-12-25"], ["2026-12-24"])
    assert loaded(tmp_path, text_of(read)) == read


@given(st.integers(min_value=0, max_value=400 * 86_400_000))
def test_a_length_of_time_reads_back_as_itself(number: int) -> None:
    assert milliseconds(length_text(number)) == number


_IDS = st.lists(st.from_regex(r"[a-z][a-z0-9.-]{0,6}", fullmatch=True), min_size=1, max_size=3, unique=True)
_MS = st.integers(min_value=1, max_value=86_400_000)
_NAMES = st.just("\x85") | st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20
)


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """Configurations that are good, with words of every kind in them."""
    teams = draw(_IDS)
    skills = draw(st.sampled_from([["after", "x_ms"], ["hours", "until_ms"]])) + draw(_IDS)[:1]
    queues = [
        {
            "id": queue,
            "team": draw(st.sampled_from(teams)),
            "name": draw(_NAMES),
            "sla": {
                "first_response_ms": draw(_MS) or 1,
                "resolution_ms": draw(st.sampled_from([None, 3_600_000])),
            },
            "boosts": {"high": draw(_MS)},
            "offer_timeout_ms": draw(_MS),
            "tier_boosts": draw(st.dictionaries(st.sampled_from(["gold", "on", "no", "1"]), _MS)),
            "rings": [{"after_ms": draw(_MS), "drop_language": True, "drop_seniority": True}],
            "tiers": {"after": {"ring": 1, "seniority": draw(st.integers(0, 9))}},
            "in_debt": {"seniority": 1},
            "bot": {"answer_ms": min(draw(_MS), 3_600_000), "idle_ms": draw(_MS) or 1},
        }
        for queue in draw(_IDS)
    ]
    agents = {
        agent: {
            "id": agent,
            "name": draw(_NAMES),
            "teams": sorted(teams),
            "languages": draw(st.lists(st.sampled_from(["en", "no", "it"]), unique=True)),
            "skills": draw(st.dictionaries(st.sampled_from(skills), st.integers(1, 5))),
            "started_at_ms": draw(st.integers(0, 2_000_000_000_000)),
        }
        for agent in draw(_IDS)
    }
    file = {
        "pools": [{"id": "default", "boost_cap_ms": draw(st.integers(-1, 10_000))}],
        "skills": [{"id": skill} for skill in skills],
        "teams": [{"id": team, "name": draw(_NAMES)} for team in teams],
        "queues": queues,
        "filters": [{"queue": queues[0]["id"], "topics": ["yes", "2026-01-01"]}, {"queue": queues[0]["id"]}],
        "capacities": [
            {
                "id": "default",
                "budget": 10,
                "interruptible_budget": 0,
                "channels": [{"channel": "chat", "weight": 3, "max_count": 2}],
            }
        ],
        "agents": list(agents.values()),
    }
    return configuration_of(FileShape.model_validate(file))


@settings(max_examples=12, deadline=None)
@given(configuration=configurations())
def test_what_is_written_is_read_as_the_same(
    configuration: Configuration, tmp_path_factory: pytest.TempPathFactory
) -> None:
    read = loaded(tmp_path_factory.mktemp("config"), text_of(configuration))
    assert read == configuration
    assert differences(configuration, read) == []
