"""A whole cluster on this machine: Kafka, PostgreSQL, the processes of the services, and the gateway before them."""

import asyncio
import contextlib
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import structlog

from libs.runtime.assembly import prepare_database
from libs.storage.embedded import EmbeddedPostgres
from libs.streams.broker import Broker
from libs.streams.kafka_topics import apply_topics
from services.cluster.kafka import CHECKOUT, LocalKafka, free_port, missing_tools
from services.cluster.plan import Member, gateway_environment, members
from services.cluster.refusals import ClusterRefused
from services.cluster.supervisor import Process
from services.embedded import start_database
from services.registry import NAMES, services

_READY_SECONDS = 120.0
_WATCH_SECONDS = 0.5
_log = structlog.get_logger()
_CADDYFILE = CHECKOUT / "deploy" / "caddy" / "Caddyfile"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is wanted."""

    folder: Path
    """For data, keys and logs."""
    host: str = "127.0.0.1"
    port: int = 8600
    replicas: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 1))
    database_url: str = ""
    """Of a server that runs; by default an embedded one."""
    bootstrap: str = ""
    """Of brokers that run; by default a local one."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """More environment variables for the processes of the services."""


@dataclass
class Cluster:
    """What runs."""

    plan: Plan
    members: Sequence[Member]
    processes: Mapping[str, Process]
    """By name: those of the services, and `gateway`."""
    kafka: LocalKafka | None
    postgres: EmbeddedPostgres | None
    database_url: str
    bootstrap: str
    held: asyncio.Lock = field(default_factory=asyncio.Lock)
    """While somebody holds it, a database or a broker that has ended is not started again."""

    @property
    def url(self) -> str:
        """Address of the gateway."""
        return f"http://{self.plan.host}:{self.plan.port}"

    @property
    def data(self) -> Path:
        """The folder of the keys."""
        return self.plan.folder / "data"

    def log_of(self, name: str) -> Path:
        """Where a process writes."""
        return self.processes[name].log

    async def states(self) -> dict[str, str]:
        """By process: `ready`, or what it says is wrong."""
        async with httpx.AsyncClient(timeout=3, trust_env=False) as client:
            return {member.name: await _state(client, member) for member in self.members}


async def _state(client: httpx.AsyncClient, member: Member) -> str:
    try:
        answer = await client.get(f"http://127.0.0.1:{member.port}/readyz")
        checks = answer.json().get("checks", {})
    except (httpx.HTTPError, ValueError):
        return "does not answer"
    wrong = [f"{name}: {state}" for name, state in checks.items() if state != "ok"]
    return "; ".join(wrong) or ("ready" if answer.status_code == 200 else f"answers {answer.status_code}")


async def _gateway_state(client: httpx.AsyncClient, url: str) -> str:
    try:
        answer = await client.get(f"{url}/livez")
    except httpx.HTTPError:
        return "does not answer"
    return "ready" if answer.status_code == 200 else f"answers {answer.status_code}"


def check_tools(plan: Plan) -> None:
    """Raises ClusterRefused when this machine lacks a program."""
    lacking = "" if plan.bootstrap else missing_tools()
    if not lacking and shutil.which("caddy") is None:
        lacking = (
            "Caddy is not installed (`caddy` is not on the path); the gateway is one: apt-get install caddy"
        )
    if lacking:
        raise ClusterRefused(lacking)


@asynccontextmanager
async def running(plan: Plan, say: Callable[[str], None] = lambda _text: None) -> AsyncIterator[Cluster]:
    """Starts everything, waits until it is ready, and ends it afterwards. Raises ClusterRefused, BrokerRefused."""
    check_tools(plan)
    (plan.folder / "logs").mkdir(parents=True, exist_ok=True)
    data = plan.folder / "data"
    data.mkdir(exist_ok=True, mode=0o700)
    async with contextlib.AsyncExitStack() as stack:
        say("starting PostgreSQL and Kafka")
        postgres, kafka = await asyncio.gather(_postgres(plan, stack), _kafka(plan, stack))
        database_url = plan.database_url or (postgres.url if postgres else "")
        bootstrap = plan.bootstrap or (kafka.bootstrap if kafka else "")
        say("preparing the database and the topics")
        await prepare_database(database_url, services())
        await apply_topics(Broker(bootstrap))
        made = members(
            plan.replicas,
            [free_port() for _ in range(sum(plan.replicas.values()))],
            database_url=database_url,
            bootstrap=bootstrap,
            gateway_url=f"http://{plan.host}:{plan.port}",
            data=data,
            settings=plan.settings,
        )
        cluster = Cluster(plan, made, _processes(plan, made), kafka, postgres, database_url, bootstrap)
        await stack.enter_async_context(_watched(cluster))
        say(f"starting {len(made)} processes and the gateway")
        await stack.enter_async_context(_kept(cluster.processes))
        await _until_ready(cluster)
        yield cluster


async def _postgres(plan: Plan, stack: contextlib.AsyncExitStack) -> EmbeddedPostgres | None:
    if plan.database_url:
        return None
    server = EmbeddedPostgres(plan.folder / "postgres")
    await asyncio.to_thread(start_database, server, plan.folder / "postgres")
    stack.push_async_callback(asyncio.to_thread, server.stop)
    return server


async def _kafka(plan: Plan, stack: contextlib.AsyncExitStack) -> LocalKafka | None:
    if plan.bootstrap:
        return None
    server = LocalKafka(plan.folder / "kafka")
    stack.push_async_callback(asyncio.to_thread, server.stop)
    await asyncio.to_thread(server.start)
    return server


def _processes(plan: Plan, made: Sequence[Member]) -> dict[str, Process]:
    logs = plan.folder / "logs"
    processes = {
        member.name: Process(
            member.name,
            [sys.executable, "-m", "services", "serve", member.service],
            member.environment,
            logs / f"{member.name}.log",
        )
        for member in made
    }
    processes["gateway"] = Process(
        "gateway",
        ["caddy", "run", "--config", str(_CADDYFILE), "--adapter", "caddyfile"],
        gateway_environment(made, plan.host, plan.port, plan.folder / "caddy"),
        logs / "gateway.log",
    )
    return processes


@asynccontextmanager
async def _watched(cluster: Cluster) -> AsyncIterator[None]:
    """Starts the database and the broker again when they have ended, as compose's restart rules do."""

    async def watch() -> None:
        while True:
            async with cluster.held:
                for name, server in (("postgres", cluster.postgres), ("kafka", cluster.kafka)):
                    if server is not None and await asyncio.to_thread(server.watch):
                        _log.warning("process_ended", name=name)
            await asyncio.sleep(_WATCH_SECONDS)

    watching = asyncio.create_task(watch(), name="watch")
    try:
        yield
    finally:
        async with cluster.held:
            watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


@asynccontextmanager
async def _kept(processes: Mapping[str, Process]) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(process.keep(stop), name=name) for name, process in processes.items()]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _until_ready(cluster: Cluster) -> None:
    states: dict[str, str] = {}
    try:
        async with asyncio.timeout(_READY_SECONDS), httpx.AsyncClient(timeout=2, trust_env=False) as client:
            while True:
                states = await cluster.states()
                states["gateway"] = await _gateway_state(client, cluster.url)
                if set(states.values()) == {"ready"}:
                    return
                await asyncio.sleep(0.2)
    except TimeoutError:
        wrong = "\n".join(
            f"  {name}: {state}; its log is {cluster.log_of(name)}"
            for name, state in states.items()
            if state != "ready"
        )
        raise ClusterRefused(f"not ready after {_READY_SECONDS:.0f} s:\n{wrong}") from None
