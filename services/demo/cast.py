"""The simulated agents: who they are, what they speak and know, when they work, how they are."""

import random
from dataclasses import dataclass, replace
from typing import Final

from services.demo.names import FAMILY, GIVEN

TEAMS: Final = ("billing", "orders", "it-help-desk", "product-specialists", "general")


@dataclass(frozen=True, slots=True)
class Person:
    """One agent. The shift goes from `begins` to `ends`, hours of the simulated day, over midnight if it ends earlier."""

    agent_id: str
    name: str
    teams: tuple[str, ...]
    languages: tuple[str, ...]
    skills: tuple[tuple[str, int], ...]
    begins: int
    ends: int
    capacity: str
    declines: float = 0.04
    misses: float = 0.02
    transfers: float = 0.05

    def on_shift(self, hour: float) -> bool:
        """Whether they work at that hour."""
        if self.begins <= self.ends:
            return self.begins <= hour < self.ends
        return hour >= self.begins or hour < self.ends


_EARLY, _DAY, _LATE, _NIGHT = (6, 15), (8, 17), (13, 22), (21, 7)
_Row = tuple[str, str, tuple[str, ...], str, dict[str, int], tuple[int, int], str]
_CAST: Final[tuple[_Row, ...]] = (
    ("amelia", "Amelia Hartley", ("billing",), "en de", {"invoices": 4}, _EARLY, "senior"),
    ("matteo", "Matteo Ferraro", ("billing",), "it en fr", {"refunds": 3}, _DAY, "default"),
    ("ioana", "Ioana Stănescu", ("billing", "general"), "ro en it", {"invoices": 3}, _LATE, "default"),
    ("lucia", "Lucía Quintana", ("billing",), "es pt en ar", {"refunds": 4}, _LATE, "default"),
    ("ruth", "Ruth Boateng", ("billing", "orders"), "en fr de es it pt ro ar", {"refunds": 2}, _NIGHT, "senior"),
    ("bastien", "Bastien Caron", ("orders",), "fr en ar", {"parcels": 4}, _EARLY, "default"),
    ("beatriz", "Beatriz Teixeira", ("orders",), "pt es en", {"parcels": 3}, _DAY, "default"),
    ("radu", "Radu Moraru", ("orders",), "ro it en", {"customs": 4}, _DAY, "junior"),
    ("annika", "Annika Kessler", ("orders",), "de en", {"parcels": 5}, _LATE, "default"),
    ("tariq", "Tarek Mansour", ("orders", "general"), "ar fr en de", {"customs": 3}, _LATE, "senior"),
    ("darnell", "Darnell Lomax", ("it-help-desk",), "en es ro", {"devices": 5}, _EARLY, "default"),
    ("chiara", "Chiara Piras", ("it-help-desk",), "it fr en", {"accounts": 4}, _DAY, "junior"),
    ("cem", "Cem Yıldız", ("it-help-desk",), "de en ar", {"devices": 4}, _LATE, "senior"),
    ("larissa", "Larissa Moura", ("it-help-desk", "product-specialists"), "pt es en fr", {"accounts": 3}, _LATE,
     "default"),
    ("owen", "Owen Pryce", ("it-help-desk", "general"), "en it de fr es pt ro ar", {"accounts": 2}, _NIGHT, "senior"),
    ("priya", "Priya Sandhu", ("product-specialists",), "en de ar", {"warranty": 4}, _DAY, "default"),
    ("elodie", "Élodie Vasseur", ("product-specialists",), "fr it en ro", {"sizes": 4}, _EARLY, "default"),
    ("iker", "Iker Arrieta", ("product-specialists",), "es pt en it", {"warranty": 3}, _LATE, "default"),
    ("anca", "Anca Pintea", ("general",), "ro en es pt", {"complaints": 4}, _EARLY, "default"),
    ("salma", "Salma Benali", ("general",), "ar fr en it de", {"complaints": 5}, _DAY, "senior"),
    ("rui", "Rui Salgado", ("general", "product-specialists"), "pt es en fr de it ro ar", {}, _NIGHT, "senior"),
)  # fmt: skip


def cast(size: int, seed: int) -> list[Person]:
    """At least the twenty-one of the house; beyond them colleagues with other names and shifts, who help out in general."""
    house = [
        Person(f"demo-{key}", name, teams, tuple(spoken.split()), tuple(skills.items()), *shift, capacity)
        for key, name, teams, spoken, skills, shift, capacity in _CAST
    ]
    draw = random.Random(f"cast {seed}")
    people = [_with_temper(person, draw) for person in house]
    while len(people) < size:
        model = house[len(people) % len(house)]
        spoken = draw.choice(model.languages)
        begins, ends = draw.choice((_EARLY, _DAY, _LATE))
        people.append(
            _with_temper(
                replace(
                    model,
                    agent_id=f"{model.agent_id}-{len(people)}",
                    teams=tuple(dict.fromkeys((*model.teams, "general"))),
                    name=f"{draw.choice(GIVEN[spoken])} {draw.choice(FAMILY[spoken])}",
                    begins=begins,
                    ends=ends,
                ),
                draw,
            )
        )
    return people


def _with_temper(person: Person, draw: random.Random) -> Person:
    return replace(
        person,
        declines=draw.uniform(0.0, 0.08),
        misses=draw.uniform(0.0, 0.03),
        transfers=draw.uniform(0.0, 0.08),
    )
