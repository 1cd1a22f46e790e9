"""Which processes make a cluster, and the environment variables of each: those that docker compose sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.registry import NAMES

_DOCUMENTS = Path(__file__).resolve().parents[2] / "openapi"
_CONNECTIONS = 90
"""Database connections for all processes together: the embedded server has 100."""


@dataclass(frozen=True, slots=True)
class Member:
    """One process of a service."""

    name: str
    """Unique: the service and a number."""
    service: str
    port: int
    environment: Mapping[str, str]


def replicas_of(given: Sequence[str]) -> dict[str, int]:
    """How many processes each service has, from `triage=2` and the like. Raises ValueError."""
    counts = dict.fromkeys(NAMES, 1)
    for text in given:
        name, _, number = text.partition("=")
        if name not in counts or not number.isdigit() or not 1 <= int(number) <= 9:
            raise ValueError(
                f"got {text!r}; expected SERVICE=NUMBER with one of {', '.join(counts)} and 1 to 9"
            )
        counts[name] = int(number)
    return counts


def members(
    replicas: Mapping[str, int],
    ports: Sequence[int],
    *,
    database_url: str,
    bootstrap: str,
    gateway_url: str,
    data: Path,
    settings: Mapping[str, str] | None = None,
) -> list[Member]:
    """The processes, with a port of `ports` each (as many as there are processes); `settings` are more variables."""
    names = [(service, n) for service, count in replicas.items() for n in range(1, count + 1)]
    share = max(3, _CONNECTIONS // len(names) - 1)
    common = {
        **(settings or {}),
        "DATABASE_URL": database_url,
        "CENTRALINO_TRANSPORT": "kafka",
        "CENTRALINO_KAFKA_BOOTSTRAP": bootstrap,
        "CENTRALINO_GATEWAY_URL": gateway_url,
        "CENTRALINO_PUBLIC_URL": gateway_url,
        "CENTRALINO_DATA": str(data),
        "CENTRALINO_HOST": "127.0.0.1",
        "CENTRALINO_WEB_CONNECTIONS": str(max(2, share * 2 // 3)),
        "CENTRALINO_STREAM_CONNECTIONS": str(max(1, share // 3)),
    }
    return [
        Member(f"{service}-{n}", service, port, common | {"CENTRALINO_PORT": str(port)})
        for (service, n), port in zip(names, ports, strict=True)
    ]


def gateway_environment(members: Sequence[Member], host: str, port: int, folder: Path) -> dict[str, str]:
    """What deploy/caddy/Caddyfile reads: each service's processes, and where to listen."""
    upstreams: dict[str, list[str]] = {}
    for member in members:
        upstreams.setdefault(member.service.upper(), []).append(f"127.0.0.1:{member.port}")
    return {
        **{name: " ".join(places) for name, places in upstreams.items()},
        "GATEWAY_BIND": host,
        "GATEWAY_PORT": str(port),
        "OPENAPI": str(_DOCUMENTS),
        "XDG_CONFIG_HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
    }
