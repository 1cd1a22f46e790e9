"""When customers write: the curve of a day with a peak before noon and a lower one in the evening, compressed."""

import bisect
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

DAY_S: Final = 86_400
_STEPS: Final = 1440


def intensity(hour: float) -> float:
    """Customers a minute at an hour of the day, relative: little at night, peaks at about 10:30 and 19:30."""
    morning = math.exp(-(((hour - 10.5) / 2.2) ** 2))
    evening = 0.75 * math.exp(-(((hour - 19.5) / 2.0) ** 2))
    afternoon = 0.45 * math.exp(-(((hour - 15.0) / 3.0) ** 2))
    return 0.06 + morning + evening + afternoon


@dataclass(frozen=True, slots=True)
class Day:
    """A day of `seconds` real seconds. `arrivals_s` are real seconds from its beginning, ascending."""

    seconds: float
    arrivals_s: tuple[float, ...]

    @property
    def compression(self) -> float:
        """Simulated seconds in a real one."""
        return DAY_S / self.seconds

    def hour(self, at_s: float) -> float:
        """The simulated hour of the day, 0 to below 24, at a real second."""
        return (at_s / self.seconds * 24) % 24


def compressed_day(conversations: int, seconds: float, seed: int) -> Day:
    """A day with that many arrivals, the same for the same arguments."""
    if conversations < 0 or seconds <= 0:
        raise ValueError(
            f"{conversations} conversations in {seconds} s: expected at least 0 in more than 0 s"
        )
    place = _inverse()
    draw = random.Random(f"arrivals {seed}")
    return Day(seconds, tuple(sorted(place(draw.random()) * seconds for _ in range(conversations))))


def seconds_for(conversations: int, rate: float) -> float:
    """How long a day lasts in which `rate` conversations a second begin on average."""
    if rate <= 0:
        raise ValueError(f"rate {rate}: expected more than 0 conversations a second")
    return max(1.0, conversations / rate)


def _inverse() -> Callable[[float], float]:
    """From a share of the day's customers (0 to 1) to the share of the day that has passed."""
    sums = [0.0]
    for step in range(_STEPS):
        sums.append(sums[-1] + intensity((step + 0.5) / _STEPS * 24))

    def place(share: float) -> float:
        wanted = share * sums[-1]
        step = min(bisect.bisect_right(sums, wanted), _STEPS) - 1
        return (step + (wanted - sums[step]) / (sums[step + 1] - sums[step])) / _STEPS

    return place
