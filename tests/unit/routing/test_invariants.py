"""Whatever happens to a pool, in whatever order, the invariants hold; and each of them can fail."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.routing.domain.engine import Engine
from tests.unit.routing import planted, planted_promises
from tests.unit.routing.invariants import Broken
from tests.unit.routing.stories import KINDS, play, random_story

PLANTED = (*planted.PLANTED, *planted_promises.PLANTED)
OPS = st.tuples(st.integers(0, len(KINDS) - 1), st.integers(0, 999), st.integers(0, 999))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(OPS, min_size=1, max_size=60))
def test_the_invariants_hold_in_every_story(story: list[tuple[int, int, int]]) -> None:
    play(story)


@pytest.mark.parametrize("seed", range(10))
def test_the_invariants_hold_in_long_stories(seed: int) -> None:
    """Ten thousand steps; `make prove STEPS=1000000` goes on from here."""
    play(random_story(seed, 1_000))


@pytest.mark.parametrize(("name", "engine_type"), PLANTED, ids=[name for name, _ in PLANTED])
def test_the_stories_find_a_planted_bug(name: str, engine_type: type[Engine]) -> None:
    found: set[str] = set()
    for seed in range(240):
        try:
            play(random_story(seed, 80), engine_type)
        except Broken as broken:
            found.add(str(broken).split(":")[0])
        if name in found:
            return
    pytest.fail(f"{engine_type.__name__} was not caught by {name}; caught by {sorted(found) or 'nothing'}")
