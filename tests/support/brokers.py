"""Brokers that are not like the one all tests share: two that share the work, and one that wants to know who is there."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from libs.streams.broker import Broker
from services.cluster.kafka import LocalKafka, fetch_jars, free_port

USER, SECRET = "centralino", "open-sesame"
_STORE_SECRET = "only-for-the-store"
_LOGIN = "org.apache.kafka.common.security"


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="centralino-kafka-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def _started(*servers: LocalKafka) -> Iterator[None]:
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in reversed(servers):
            server.kill()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two brokers of one cluster. The first decides who leads what; the second may go."""

    first: LocalKafka
    second: LocalKafka

    @property
    def bootstrap(self) -> str:
        return f"{self.first.bootstrap},{self.second.bootstrap}"


@contextlib.contextmanager
def two_brokers() -> Iterator[Pair]:
    """Groups are coordinated by both, and one that has gone is noticed within three seconds."""
    common = {
        "offsets.topic.replication.factor": "2",
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
    }
    with _folder() as folder:
        controller, port = free_port(), free_port()
        first = LocalKafka(folder / "first", 0, controller, more=common)
        own = {
            "process.roles": "broker",
            "node.id": "2",
            "listeners": f"PLAINTEXT://127.0.0.1:{port}",
        }
        second = LocalKafka(folder / "second", port, controller, cluster=first.cluster, more=common | own)
        with _started(first, second):
            yield Pair(first, second)


@dataclass(frozen=True, slots=True)
class Guarded:
    """A broker with listeners that ask for a password, one of them over TLS."""

    over_tls: str
    in_the_clear: str
    ca_file: Path

    def broker(self, mechanism: str, prefix: str, *, tls: bool, password: str = SECRET) -> Broker:
        """How a client reaches it."""
        return Broker(
            self.over_tls if tls else self.in_the_clear,
            prefix=prefix,
            security_protocol="SASL_SSL" if tls else "SASL_PLAINTEXT",
            sasl_mechanism=mechanism,  # type: ignore[arg-type]  # tests name any
            username=USER,
            password=password,
            ca_file=self.ca_file if tls else None,
        )


@contextlib.contextmanager
def guarded_broker() -> Iterator[Guarded]:
    """Knows one user, by PLAIN and by SCRAM, under a certificate made for it."""
    with _folder() as folder:
        store, ca_file = _certificate(folder)
        plain, tls, clear = (free_port() for _ in range(3))
        controller = free_port()
        more = {
            "listeners": f"PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},"
            f"TLS://127.0.0.1:{tls},CLEAR://127.0.0.1:{clear}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{plain},TLS://127.0.0.1:{tls},CLEAR://127.0.0.1:{clear}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SASL_SSL,CLEAR:SASL_PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            "ssl.keystore.location": str(store),
            "ssl.keystore.password": _STORE_SECRET,
            "ssl.keystore.type": "PKCS12",
        }
        for listener in ("tls", "clear"):
            at = f"listener.name.{listener}"
            more[f"{at}.plain.sasl.jaas.config"] = (
                f'{_LOGIN}.plain.PlainLoginModule required user_{USER}="{SECRET}";'
            )
            for size in ("256", "512"):
                more[f"{at}.scram-sha-{size}.sasl.jaas.config"] = f"{_LOGIN}.scram.ScramLoginModule required;"
        server = LocalKafka(folder / "broker", plain, controller, more=more)
        with _started(server):
            _know_user(server.bootstrap)
            yield Guarded(f"127.0.0.1:{tls}", f"127.0.0.1:{clear}", ca_file)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A key store with a certificate for 127.0.0.1 that signs itself, and the certificate as PEM."""
    store, ca_file = folder / "store.p12", folder / "ca.pem"
    common = [
        "-alias",
        "broker",
        "-keystore",
        str(store),
        "-storetype",
        "PKCS12",
        "-storepass",
        _STORE_SECRET,
    ]
    _run(
        *("keytool", "-genkeypair", *common, "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2"),
        *("-dname", "CN=127.0.0.1", "-ext", "SAN=IP:127.0.0.1", "-ext", "BC=ca:true"),
    )
    _run("keytool", "-exportcert", "-rfc", *common, "-file", str(ca_file))
    return store, ca_file


def _know_user(bootstrap: str) -> None:
    command = [
        "java",
        "-cp",
        f"{fetch_jars()}/*",
        "kafka.admin.ConfigCommand",
        "--bootstrap-server",
        bootstrap,
    ]
    command += ["--alter", "--entity-type", "users", "--entity-name", USER]
    for size in ("256", "512"):
        _run(*command, "--add-config", f"SCRAM-SHA-{size}=[password={SECRET}]")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
