"""A PostgreSQL server of the test's own, which it may kill and start again: the database and the broker of a cluster."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    """`start` and `crash` are what they say; the data stays."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://previsit@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self._control("-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def crash(self) -> None:
        """Every server process is killed, as when power fails; on the next start the log is played back.

        Nobody is asked to end: pg_ctl waits until the first process is gone, and an ended one is there until its parent, the
        machine's own first process, has looked at it, which can take a minute. Its marks are taken away for the same cause.
        """
        held = self.folder / "db" / "postmaster.pid"
        first = int(held.read_text().split()[0])
        os.kill(first, signal.SIGSTOP)  # it makes no more of them
        every = [first, *_children(first)]
        for process in every:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while any(_runs(process) for process in every):
            assert time.monotonic() < deadline, "a killed process goes on"
            time.sleep(0.02)
        held.unlink(missing_ok=True)

    def _control(self, *words: str) -> None:
        _run("pg_ctl", "-D", str(self.folder / "db"), *words)


def _stat(process: int) -> list[str]:
    """State and parent of a process, and what follows (proc(5)); [] when it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _runs(process: int) -> bool:
    return _stat(process)[:1] not in ([], ["Z"])


def _children(process: int) -> list[int]:
    every = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [each for each in every if _stat(each)[1:2] == [str(process)]]


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
