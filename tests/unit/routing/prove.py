"""The invariants over as many random steps as one has time for: `make prove STEPS=1000000 SEED=1`.

Prints a line a minute; a broken invariant ends it with the seed of the story that broke it, which
`play(random_story(seed, 1000))` tells again.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.unit.routing.invariants import Broken
from tests.unit.routing.stories import play, random_story

_STORY = 1_000


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--steps", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    begun = told = time.monotonic()
    for number in range(-(-given.steps // _STORY)):
        seed = given.seed * 1_000_000 + number
        try:
            play(random_story(seed, _STORY))
        except Broken as broken:
            _say(f"seed {seed}, within {_STORY} steps: {broken}")
            sys.exit(1)
        if time.monotonic() - told > 60:
            told = time.monotonic()
            _say(f"{(number + 1) * _STORY:,} steps in {told - begun:.0f} s")
    steps = -(-given.steps // _STORY) * _STORY
    _say(f"{steps:,} steps in {time.monotonic() - begun:.0f} s: every invariant held (seed {given.seed})")


if __name__ == "__main__":
    main()
