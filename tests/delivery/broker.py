"""A PostgreSQL server of the test's own, which it may stop, kill and start again: the database and the broker of a cluster."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PORTS = range(27000, 27200)


def programs() -> Path | None:
    """Where initdb and pg_ctl are, of the newest PostgreSQL on this machine."""
    beside = shutil.which("pg_ctl")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return found[-1].parent if found else Path(beside).parent if beside else None


@dataclass
class Broker:
    """`start`, `stop` and `crash` are what they say; the data stays."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://previsit@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        self._control("-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self._control("-w", "-m", "fast", "stop")

    def crash(self) -> None:
        """Every server process ends at once; on the next start the log is played back."""
        self._control("-w", "-m", "immediate", "stop")

    def _control(self, *words: str) -> None:
        _run("pg_ctl", "-D", str(self.folder / "db"), *words)


def _run(program: str, *words: str) -> None:
    """As somebody who is not root: PostgreSQL refuses root."""
    folder = programs()
    assert folder is not None
    command = [str(folder / program), *words]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{program} failed: {done.returncode}")


@contextmanager
def broker() -> Iterator[Broker]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        _run("initdb", "-D", str(folder / "db"), "-U", "previsit", "-A", "trust", "--no-sync")
        made = Broker(folder, _free_port())
        made.start()
        try:
            yield made
        finally:
            made.crash()


def _free_port() -> int:
    for port in PORTS:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise RuntimeError("no port for PostgreSQL is free")
