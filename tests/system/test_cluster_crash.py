"""A cluster on Kafka is killed, frozen and cut off while customers and agents work; their own record is compared."""

import random
from pathlib import Path

import pytest

from services.cluster.kafka import missing_tools
from tests.system.cluster_crash import Journal, faults_of, run
from tests.system.test_cluster import caddy_is_there


@pytest.mark.crash
@pytest.mark.load
@pytest.mark.slow
async def test_thirty_kills_of_processes_broker_and_database_lose_and_double_nothing(in_ci: bool) -> None:
    lacking = missing_tools() or ("" if caddy_is_there() else "Caddy is not installed")
    if lacking:
        assert not in_ci, lacking
        pytest.skip(lacking)
    account = await run(kills=30, seed=1)
    assert account["exit_code"] == 0, account["differences"] or account
    assert account["done"]["process"] >= 20
    assert account["done"]["broker"] >= 1
    assert account["done"]["database"] >= 1
    assert account["done"]["freeze"] >= 1


def test_a_run_goes_on_behind_the_rounds_of_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    done = dict.fromkeys(("conversations", "episodes", "outcomes", "lost", "doubled", "wrong"), 1)
    Journal(path).add({**done, "done": {"process": 26, "broker": 2, "database": 2, "freeze": 2}})
    again = Journal(path)
    assert again.kills == 30
    again.add({**done, "done": {"process": 4}})
    assert Journal(path).total() == {"rounds": 2, "kills": 34} | dict.fromkeys(done, 2)


def test_a_round_kills_of_everything_something() -> None:
    faults = faults_of(30, random.Random(1), long=True)
    assert len([f for f in faults if f in ("process", "broker", "database")]) == 30
    assert {"process", "broker", "database", "freeze", "broker away", "database away"} == set(faults)
