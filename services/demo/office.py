"""The simulated agents become known to routing, and a platform of our own gets offers that end in seconds."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from services.demo.access import Refused
from services.demo.cast import Person
from services.demo.scene import Scene

_DIRECTORY: Final = "/routing/v1/directory"
_SECONDS: Final = {"offer_timeout_ms": 12_000, "exclusion_ms": 2_000, "affinity_hold_ms": 3_000}
_SHARES: Final = {"senior": 1.5, "junior": 0.5}
"""Capacities beside the default one, as a share of it."""
_AT_ONCE: Final = 6


async def hire(scene: Scene, people: Sequence[Person], *, own_office: bool) -> None:
    """Puts everybody into the directory. On a platform of others its rules stay, and all have the default capacity.

    Raises Refused.
    """
    token = scene.access.token("admin", "demo-admin")
    if own_office:
        await _speed_up(scene, token)
    few = asyncio.Semaphore(_AT_ONCE)

    async def put(person: Person) -> None:
        body = {
            "name": person.name,
            "teams": list(person.teams),
            "languages": list(person.languages),
            "skills": dict(person.skills),
            "capacity": person.capacity if own_office else "default",
        }
        async with few:
            response = await scene.access.command(
                "PUT",
                f"/routing/v1/agents/{person.agent_id}",
                token,
                body,
                {"Idempotency-Key": scene.key("hire")},
            )
        if response.status_code >= 300:
            raise Refused(response, f"making {person.agent_id} known")

    await asyncio.gather(*(put(person) for person in people))


async def _speed_up(scene: Scene, token: str) -> None:
    access = scene.access
    response = await access.call("GET", _DIRECTORY, token=token)
    if response.status_code != 200:
        raise Refused(response, "reading the directory")
    changed = await access.command(
        "PUT",
        _DIRECTORY,
        token,
        faster(response.json()["directory"]),
        {"If-Match": response.headers["ETag"], "Idempotency-Key": scene.key("directory")},
    )
    if changed.status_code not in (200, 412):
        raise Refused(changed, "changing the directory")


def faster(directory: dict[str, Any]) -> dict[str, Any]:
    """The same directory with offers that end in seconds, and two more capacities. Doing it twice changes nothing."""
    default = next(one for one in directory["capacities"] if one["id"] == "default")
    others = [one for one in directory["capacities"] if one["id"] not in _SHARES]
    return {
        **directory,
        "queues": [{**queue, **_SECONDS} for queue in directory["queues"]],
        "capacities": [
            *others,
            *(
                {
                    **default,
                    "id": name,
                    "budget": round(default["budget"] * share),
                    "interruptible_budget": round(default["interruptible_budget"] * share),
                }
                for name, share in _SHARES.items()
            ),
        ],
    }
