"""A configuration and a running platform: reading what is there, and bringing it to what is wanted.

Everything goes through the routing API with the ETag of what was read: who changes the directory meanwhile loses
nothing, the run stops and says so. A run that was cut can be run again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from services.routing.api.agent_shapes import AgentShape, profile_of
from services.routing.api.directory_shapes import DirectoryShape, directory_of
from services.routing.config.differences import Difference, differences
from services.routing.config.shapes import Configuration
from services.routing.domain.configuration import agent_problems

_PAGE = 100
_AT_ONCE = 8
_TRIES = 4
_PAUSE_S = 0.3


class PlatformRefused(Exception):
    """The platform said no, or nothing. The text says to what, and what to do."""


@dataclass(frozen=True, slots=True)
class Running:
    """What a platform has, with the versions that a change must name."""

    configuration: Configuration
    version: str
    agents: dict[str, str]
    """ETag by agent."""


class PlatformDirectory:
    """The directory of a platform. `client` is at the routing service (`.../routing`), with a supervisor's token."""

    def __init__(self, client: httpx.AsyncClient, reason: str = "") -> None:
        self._client = client
        self._params = {"reason": reason} if reason else {}
        self._run = uuid4().hex
        self._pool = ""

    async def read(self, pool: str = "") -> Running:
        """What there is in the pool, in the first one when there is no such pool or none is named. Raises
        PlatformRefused."""
        known = (await self._send("GET", "/v1/pools")).json()["pools"]
        ids = [one["id"] for one in known]
        self._pool = pool if pool in ids else ids[-1]
        answer = await self._send("GET", "/v1/directory", params={"pool": self._pool})
        body = answer.json()
        agents: dict[str, AgentShape] = {}
        versions: dict[str, str] = {}
        params: dict[str, Any] = {"limit": _PAGE, "pool": self._pool}
        while True:
            page = (await self._send("GET", "/v1/agents", params=params)).json()
            for view in page["items"]:
                agents[view["id"]] = AgentShape.model_validate(view["agent"])
                versions[view["id"]] = f'"{view["version"]}"'
            if not page.get("next_cursor"):
                break
            params |= {"cursor": page["next_cursor"]}
        directory = DirectoryShape.model_validate(body["directory"])
        return Running(Configuration(body["pool"], directory, agents), answer.headers["ETag"], versions)

    async def apply(
        self, running: Running, wanted: Configuration, tell: Callable[[str], None] = lambda _: None
    ) -> list[Difference]:
        """Bring the platform from what was read to what is wanted; what has been changed. Raises PlatformRefused."""
        check_pool(running.configuration, wanted)
        found = differences(running.configuration, wanted)
        if not found:
            return []
        now, people = running.configuration.agents or {}, wanted.agents
        version = running.version
        if people is not None:
            gone = sorted(now.keys() - people.keys())
            await self._each(gone, lambda i: self._remove(i, running.agents[i], tell))
            now = {i: agent for i, agent in now.items() if i in people}
        if running.configuration.directory != wanted.directory:
            bridge = _bridge(running.configuration.directory, wanted.directory, now)
            version = await self._put_directory(bridge or wanted.directory, version, tell)
        else:
            bridge = None
        changed = [i for i, agent in sorted((people or {}).items()) if now.get(i) != agent]
        await self._each(changed, lambda i: self._put_agent(i, people or {}, running.agents.get(i), tell))
        if bridge is not None:
            await self._put_directory(wanted.directory, version, tell)
        return found

    async def _each(self, ids: list[str], work: Callable[[str], Any]) -> None:
        few = asyncio.Semaphore(_AT_ONCE)

        async def one(agent_id: str) -> None:
            async with few:
                await work(agent_id)

        await asyncio.gather(*(one(agent_id) for agent_id in ids))

    async def _put_directory(self, shape: DirectoryShape, version: str, tell: Callable[[str], None]) -> str:
        answer = await self._send("PUT", "/v1/directory", version, shape.model_dump(mode="json"))
        tell("directory")
        return f'"{answer.json()["version"]}"'

    async def _put_agent(
        self, agent_id: str, people: dict[str, AgentShape], version: str | None, tell: Callable[[str], None]
    ) -> None:
        body = people[agent_id].model_dump(mode="json")
        await self._send("PUT", f"/v1/agents/{agent_id}", version, body)
        tell(f"agent {agent_id}")

    async def _remove(self, agent_id: str, version: str, tell: Callable[[str], None]) -> None:
        await self._send("DELETE", f"/v1/agents/{agent_id}", version)
        tell(f"agent {agent_id} removed")

    async def _send(
        self,
        method: str,
        path: str,
        version: str | None = None,
        body: Any = None,
        params: dict[str, Any] | None = None,
    ) -> httpx.Response:
        """The answer, asked again while the platform does not answer; a change is one change however often sent."""
        headers: dict[str, str] = {}
        if method != "GET":
            headers["Idempotency-Key"] = f"{self._run}-{method}-{path}-{version or 'new'}"
            params = {**self._params, **({"pool": self._pool} if path == "/v1/directory" else {})}
        if version is not None:
            headers["If-Match"] = version
        for turn in range(_TRIES):
            try:
                answer = await self._client.request(method, path, json=body, headers=headers, params=params)
            except httpx.HTTPError as error:
                if turn == _TRIES - 1:
                    raise PlatformRefused(_silent(self._client, error)) from error
            else:
                if answer.status_code == 202:
                    return await self._outcome(answer, path)
                if answer.status_code != 503:
                    return _checked(answer, f"{method} {path}")
            await asyncio.sleep(_PAUSE_S * (turn + 1))
        raise PlatformRefused(f"{method} {path}: the platform is not ready; run the command again later")

    async def _outcome(self, accepted: httpx.Response, path: str) -> httpx.Response:
        """What became of a command that the platform took and had not run yet."""
        where = accepted.headers["Location"].removeprefix("/routing")
        for _ in range(_TRIES * 10):
            answer = await self._client.get(where)
            if answer.status_code != 202:
                return _checked(answer, path)
            await asyncio.sleep(_PAUSE_S)
        raise PlatformRefused(f"{path}: taken, and not run yet; ask at {accepted.headers['Location']}")


def check_pool(now: Configuration, wanted: Configuration) -> None:
    """Raises PlatformRefused when the file is another pool's."""
    if now.pool_id != wanted.pool_id:
        raise PlatformRefused(
            f"the file describes pool {wanted.pool_id!r}, the platform runs pool {now.pool_id!r} and none of that name:"
            " change `pools` in the file, or make the pool with PUT /routing/v1/pools"
        )


def _bridge(
    now: DirectoryShape, wanted: DirectoryShape, people: dict[str, AgentShape]
) -> DirectoryShape | None:
    """The wanted directory with what people still have of the present one, for the time until they are changed.
    None when nobody has anything that goes."""
    directory = directory_of(wanted, version=0)
    if not any(agent_problems(directory, profile_of(i, agent)) for i, agent in people.items()):
        return None

    def both(name: str) -> list[Any]:
        kept = list(getattr(wanted, name))
        known = {one.id for one in kept}
        return kept + [one for one in getattr(now, name) if one.id not in known]

    # Skills that are declared may be fewer than those that people have: none are declared for the time.
    return wanted.model_copy(update={"teams": both("teams"), "capacities": both("capacities"), "skills": []})


def _checked(answer: httpx.Response, doing: str) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    told = problem.get("detail") or problem.get("title") or answer.text[:300]
    if answer.status_code == 412:
        raise PlatformRefused(
            f"{doing}: somebody has changed it meanwhile; look at `config diff` and run again"
        )
    if answer.status_code in (401, 403):
        raise PlatformRefused(
            f"{doing}: {told} A supervisor's token is needed: --token, or --data to sign one"
        )
    problems = problem.get("problems") or []
    more = "".join(f"\n  {line}" for line in problems)
    raise PlatformRefused(f"{doing}: {answer.status_code}: {told}{more}")


def _silent(client: httpx.AsyncClient, error: Exception) -> str:
    return f"no answer from {client.base_url}: {type(error).__name__}: {error}. Is the platform running there (--url)?"
