"""A configuration file and a running platform: applied over HTTP, twice is once, and what is exported goes in again."""

from pathlib import Path

import pytest

from services.routing.config.differences import differences
from services.routing.config.platform import PlatformDirectory, PlatformRefused
from services.routing.config.reading import load
from services.routing.config.shapes import Configuration
from services.routing.config.writing import text_of
from tests.service.routing.scenes import Scene, scene

ALPHA = Path(__file__).parents[3] / "services" / "routing" / "samples" / "alpha_company.yaml"


async def applied(s: Scene, wanted: Configuration, reason: str = "") -> list[str]:
    """What an `apply` changed, as `diff` says it."""
    async with s.service.client("supervisor", "boss") as client:
        platform = PlatformDirectory(client, reason)
        running = await platform.read()
        return [str(d) for d in await s.wait(platform.apply(running, wanted))]


async def exported(s: Scene) -> Configuration:
    async with s.service.client("supervisor", "boss") as client:
        return (await PlatformDirectory(client).read()).configuration


async def test_the_sample_is_applied_once_and_exported_as_it_went_in(tmp_path: Path) -> None:
    alpha = load(ALPHA)
    async with scene() as s:
        changed = await applied(s, alpha, "opening day")
        assert "+ agent anna" in changed
        assert "+ queue outages" in changed
        assert await applied(s, alpha) == []
        file = tmp_path / "exported.yaml"
        file.write_text(text_of(await exported(s)), encoding="utf-8")
        assert differences(load(file), alpha) == []
        assert await applied(s, load(file)) == []
        orders = (await s.get("/v1/audit?limit=200", "boss", "supervisor"))["items"]
        assert {(o["by"], o["reason"], o["ok"]) for o in orders} == {("boss", "opening day", True)}
        assert sorted(o["action"] for o in orders) == ["put-agent"] * 11 + ["put-directory"]
        assert {o["about"] for o in orders} >= {"anna", "katia"}

        # Billing is closed down: its people move to a team of another name, one leaves, all in one file.
        smaller = ALPHA.read_text(encoding="utf-8").replace(
            "{id: billing, name: Billing}", "{id: money, name: Money}"
        )
        smaller = smaller.replace("team: billing", "team: money").replace("teams: [billing", "teams: [money")
        lines = [line for line in smaller.splitlines() if "id: jamal" not in line]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        changed = await applied(s, load(file))
        assert {"- team billing", "+ team money", "- agent jamal"} <= set(changed)
        assert '~ agent anna: teams: ["billing"] -> ["money"]' in changed
        assert await applied(s, load(file)) == []


async def test_who_changed_the_directory_meanwhile_is_not_overruled() -> None:
    alpha = load(ALPHA)
    async with scene() as s, s.service.client("supervisor", "boss") as client:
        platform = PlatformDirectory(client)
        running = await platform.read()
        read = await client.get("/v1/directory")
        shape = {**read.json()["directory"], "missed_limit": 9}
        headers = {"If-Match": read.headers["ETag"]}
        assert (await s.do(client.put("/v1/directory", json=shape, headers=headers))).status_code == 200
        with pytest.raises(PlatformRefused, match="somebody has changed it meanwhile"):
            await s.wait(platform.apply(running, alpha))
        assert (await exported(s)).directory.missed_limit == 9


async def test_a_file_for_another_pool_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text(
        ALPHA.read_text(encoding="utf-8").replace("{id: default, live", "{id: other, live"), encoding="utf-8"
    )
    async with scene() as s:
        with pytest.raises(PlatformRefused, match="the platform runs pool 'default'"):
            await applied(s, load(file))
