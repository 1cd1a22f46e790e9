"""Who simulated agents are."""

from services.demo.cast import TEAMS, cast


def test_every_team_speaks_every_language():
    for team in TEAMS:
        spoken = {language for person in cast(0, 1) if team in person.teams for language in person.languages}
        assert spoken == {"en", "it", "ro", "ar", "fr", "pt", "es", "de"}, team


def test_somebody_of_every_team_works_at_every_hour():
    for team in TEAMS:
        for hour in range(24):
            assert any(team in person.teams and person.on_shift(hour) for person in cast(0, 1)), (team, hour)


def test_more_agents_have_ids_of_their_own_and_are_the_same_for_a_seed():
    people = cast(80, 3)
    assert len({person.agent_id for person in people}) == 80
    assert people == cast(80, 3)


def test_a_night_shift_goes_over_midnight():
    [night] = [person for person in cast(0, 1) if person.agent_id == "demo-ruth"]
    assert night.on_shift(23)
    assert night.on_shift(3)
    assert not night.on_shift(12)
