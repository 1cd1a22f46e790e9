"""A local Apache Kafka of one node in KRaft mode, from its jars. Needs Java 17 and, the first time, Maven."""

import asyncio
import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from services.cluster.refusals import BrokerRefused

CHECKOUT = Path(__file__).resolve().parents[2]
POM = CHECKOUT / "deploy" / "kafka" / "pom.xml"
JARS = CHECKOUT / ".kafka" / sha256(POM.read_bytes()).hexdigest()[:12]
"""Named after what was asked for, so that another version is fetched anew."""
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_JAVA = ("-Xms128m", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def missing_tools() -> str:
    """What this machine lacks to run a local broker, as a sentence, or an empty string."""
    if shutil.which("java") is None:
        return "Java 17 or later is not installed (`java` is not on the path)"
    if not (JARS / "done").exists() and shutil.which("mvn") is None:
        return "Maven is not installed (`mvn` is not on the path); it fetches Kafka's jars the first time"
    return ""


def fetch_jars() -> Path:
    """The folder with Kafka's jars; the first time Maven copies them there. Raises BrokerRefused."""
    lacking = missing_tools()
    if lacking:
        raise BrokerRefused(lacking)
    if not (JARS / "done").exists():
        # A folder of its own until it is whole: two processes may fetch at once, and one may be stopped.
        JARS.parent.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="fetching-", dir=JARS.parent))
        command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
        command += [f"-DoutputDirectory={fresh}", "-DincludeScope=runtime"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(fresh)
            raise BrokerRefused(f"Maven could not fetch Kafka's jars:\n{(done.stdout + done.stderr)[-2000:]}")
        (fresh / "done").touch()
        with contextlib.suppress(OSError):
            fresh.rename(JARS)
        shutil.rmtree(fresh, ignore_errors=True)
    return JARS


def free_port() -> int:
    """A port of the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LocalKafka:
    """One broker with its data in a folder. Not safe for use by two tasks at once."""

    def __init__(self, folder: Path, port: int = 0, controller_port: int = 0) -> None:
        self._folder = folder
        self._port = port or free_port()
        self._controller_port = controller_port or free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Where it listens, host:port."""
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Starts it and waits until it answers; the first time its folder is formatted. Raises BrokerRefused."""
        jars = fetch_jars()
        self._folder.mkdir(parents=True, exist_ok=True)
        settings = self._folder / "server.properties"
        settings.write_text(self._settings())
        if not (self._folder / "data" / "meta.properties").exists():
            cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            # In one word: an id may begin with a hyphen, which the tool would take for an option.
            named = f"--cluster-id={cluster}"
            self._run_tool(jars, "kafka.tools.StorageTool", "format", named, "-c", str(settings))
        with (self._folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["java", *_JAVA, "-cp", f"{jars}/*", "kafka.Kafka", str(settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def _settings(self) -> str:
        lines = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self._folder / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.num.partitions": "4",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        }
        return "".join(f"{name}={value}\n" for name, value in lines.items())

    def _run_tool(self, jars: Path, *arguments: str) -> None:
        command = ["java", *_JAVA, "-cp", f"{jars}/*", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BrokerRefused(f"{' '.join(arguments)} failed:\n{(done.stdout + done.stderr)[-2000:]}")

    def _wait(self) -> None:
        """Returns once the broker answers a question."""
        with ThreadPoolExecutor(1) as asker:
            self._ask(asker)

    def _ask(self, asker: ThreadPoolExecutor) -> None:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            assert self.process is not None
            if self.process.poll() is not None:
                told = (self._folder / "broker.log").read_text(errors="replace")[-2000:]
                raise BrokerRefused(f"Kafka ended with {self.process.returncode}:\n{told}")
            # In a thread of its own: the caller may have a loop that runs.
            if asker.submit(asyncio.run, _answers(self.bootstrap)).result():
                return
            time.sleep(0.1)
        raise BrokerRefused(f"Kafka on {self.bootstrap} did not answer within {_START_SECONDS:.0f} s")

    def watch(self) -> bool:
        """Starts it again when it has ended by itself. Returns whether it had. Raises BrokerRefused."""
        if self.process is None or self.process.poll() is None:
            return False
        self.start()
        return True

    def kill(self) -> None:
        """Ends it at once, as a machine that fails does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """Ends it in order; what does not end in time is killed."""
        if self.process is None:
            return
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_SECONDS)
        self.kill()


async def _answers(bootstrap: str) -> bool:
    host, _, port = bootstrap.partition(":")
    try:
        _reader, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=3000)
    try:
        await admin.start()
        await admin.describe_cluster()
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await admin.close()
    return True
