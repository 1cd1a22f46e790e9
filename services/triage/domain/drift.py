"""Whether what comes in is still what it used to be: shares of now against the days before, by one index.

The index is the population stability index: over all values, the sum of (share now - share before) * ln(share now / share
before). Siddiqi, "Credit Risk Scorecards" (Wiley, 2006): below 0.1 nothing has changed, above 0.25 much has. Of samples of
N and M from one mix it is about (1/N + 1/M) times a chi-squared variable of (values - 1) degrees of freedom: Yurdakul and
Naranjo, "Statistical properties of the population stability index", Journal of Risk Model Validation 14 (2020).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

SignalName = Literal["topic", "confidence", "language"]
SIGNALS: Final[tuple[SignalName, ...]] = ("topic", "confidence", "language")
RARE: Final = "(rare)"
"""Values too rare to be judged by themselves, together."""
State = Literal["learning", "few", "steady", "drifting"]
_ENOUGH: Final = 5
"""Of a value expected and seen less often than this the chi-squared law does not hold: Cochran, Biometrics 10 (1954)."""
_HALF: Final = 0.5
_MARGIN: Final = 1.25
"""Times the baseline's most unusual day: of a mix that differs by weekday, the next day is at times the most unusual."""
_TELLING: Final = 0.01
"""How rarely chance may reach a day's index for the day to count as unusual: days of few texts differ by chance alone."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When something is said."""

    index: float = 0.1
    """The index above chance from which it is drift."""
    p_value: float = 0.001
    """How rarely chance alone may reach the index."""
    least_days: int = 7
    """Days of baseline; with fewer, a week's own rhythm looks like drift."""
    least_before: int = 200
    """Conversations in the baseline."""
    least_now: int = 50
    """Conversations in the window."""


@dataclass(frozen=True, slots=True)
class Move:
    """One value whose share is another than before."""

    value: str
    before: float
    now: float
    """Shares, 0..1."""
    part: float
    """Its part of the index."""


@dataclass(frozen=True, slots=True)
class Distance:
    """How far two mixes are apart."""

    index: float
    by_chance: float
    """The index to expect of two samples of one mix of these sizes."""
    p_value: float
    """How often chance alone reaches the index."""
    moves: tuple[Move, ...]
    """The largest part of the index first."""

    @property
    def above_chance(self) -> float:
        """What of the index chance does not explain; at least 0."""
        return max(0.0, self.index - self.by_chance)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one signal."""

    state: State
    distance: Distance
    usual: float
    """The index above chance of the most unusual day of the baseline against the other days; 0 where chance explains all."""
    days: int
    before: int
    now: int
    """Conversations."""

    def needed(self, limits: Limits) -> float:
        """What the index above chance has to exceed."""
        return max(limits.index, _MARGIN * self.usual)


def distance(before: Mapping[str, int], now: Mapping[str, int]) -> Distance:
    """Between two counts by value. Rare values are judged together; of nothing the distance is 0."""
    total, new = sum(before.values()), sum(now.values())
    if not total or not new:
        return Distance(0.0, 0.0, 1.0, ())
    old_counts, new_counts = _pooled(before, now, new / total)
    values = sorted(old_counts)
    # Half an observation for each value, so that one that is new has a logarithm (Jeffreys' prior).
    old_sum, new_sum = total + _HALF * len(values), new + _HALF * len(values)
    moves = []
    for value in values:
        p, q = (old_counts[value] + _HALF) / old_sum, (new_counts[value] + _HALF) / new_sum
        moves.append(
            Move(value, old_counts[value] / total, new_counts[value] / new, (q - p) * math.log(q / p))
        )
    index = sum(move.part for move in moves)
    spread, degrees = 1 / total + 1 / new, len(values) - 1
    ranked = tuple(sorted(moves, key=lambda move: (-move.part, move.value)))
    return Distance(index, degrees * spread, chi_squared_tail(index / spread, degrees), ranked)


def judge(
    days: Sequence[Mapping[str, int]], now: Mapping[str, int], limits: Limits, drifting: bool = False
) -> Verdict:
    """The window against the days of the baseline, each a count by value.

    Drift is an index that chance does not explain and that no day of the baseline had against the other days; one that is
    already told (`drifting`) ends when the index is below half of what it took.
    """
    used = [day for day in days if sum(day.values()) >= limits.least_before / 4 / limits.least_days]
    everything = _sum(used)
    before, new = sum(everything.values()), sum(now.values())
    found = distance(everything, now)
    if len(used) < limits.least_days or before < limits.least_before:
        return Verdict("learning", found, 0.0, len(used), before, new)
    others = [distance(everything - Counter(day), day) for day in used]
    usual = max((one.above_chance for one in others if one.p_value <= _TELLING), default=0.0)
    verdict = Verdict("steady", found, usual, len(used), before, new)
    if new < limits.least_now:
        return Verdict("few", found, usual, len(used), before, new)
    needed = verdict.needed(limits) / (2 if drifting else 1)
    if found.above_chance <= needed or found.p_value > limits.p_value:
        return verdict
    return Verdict("drifting", found, usual, len(used), before, new)


def chi_squared_tail(value: float, degrees: int) -> float:
    """The chance of a chi-squared variable above `value`, by the cube root of Wilson and Hilferty (PNAS 17, 1931)."""
    if degrees < 1 or value <= 0:
        return 1.0
    spread = 2 / (9 * degrees)
    z = ((value / degrees) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return 0.5 * math.erfc(z / math.sqrt(2))


def _sum(days: Sequence[Mapping[str, int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for day in days:
        found.update(day)
    return found


def _pooled(
    before: Mapping[str, int], now: Mapping[str, int], scale: float
) -> tuple[Counter[str], Counter[str]]:
    old, new = Counter[str](), Counter[str]()
    for value in before.keys() | now.keys():
        rare = before.get(value, 0) * scale < _ENOUGH and now.get(value, 0) < _ENOUGH
        name = RARE if rare else value
        old[name] += before.get(value, 0)
        new[name] += now.get(value, 0)
    return old, new
