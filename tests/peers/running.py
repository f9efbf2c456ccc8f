"""The peers at work: each server behind its authorization on free ports of 127.0.0.1, what a test may ask of it, and its end by pid."""

import json
import re
import secrets
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import requests
import yaml

from tests.peers.install import PINS, PLACE
from tests.peers.keysets import KeySets

Json = dict[str, Any]
EVERYTHING = "system/*.cruds"
NARROW = "system/Patient.cruds system/Condition.cruds"
START_SECONDS = 210
JAVA = ("-Xmx700m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class CannotStart(Exception):
    """Why a peer did not come up, in one line with the end of what it said."""


@dataclass
class Peer:
    """A clinic's server under test. `fhir` is its base; `seconds` what starting it took."""

    name: str
    fhir: str
    gateway: str
    admin: str
    keys: KeySets
    forget_tokens: Callable[[], None]
    knows: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0
    http: requests.Session = field(default_factory=requests.Session)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def client(self, allowed: str = EVERYTHING) -> str:
        """A client id that the authorization server knows with these scopes; its keys are still to be published."""
        if self.knows:
            return self.knows[allowed].pop()
        name = f"previsit-{next(self.numbers)}"
        self.ask(client={"id": name, "jwks_uri": self.keys.address(name), "allowed": allowed})
        return name

    def ask(self, **wish: Any) -> Json:
        answer = self.http.post(f"{self.gateway}/$peer", json=wish, timeout=10)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    def keeps(self, kind: str) -> bool:
        """Whether the server says that it has resources of this type."""
        found = self.http.get(f"{self.fhir}/metadata", timeout=30).json()
        return any(each["type"] == kind for each in found["rest"][0]["resource"])

    def asked(self) -> list[str]:
        """Method and address of what the portal asked since this was last looked at."""
        seen: list[str] = self.ask()["seen"]
        return seen

    def lose_replies(self, many: int = 1) -> None:
        """The next answers to writes never arrive, though the server has done what it was asked."""
        self.ask(lose=many)

    def put(self, resource: Json) -> Json:
        """Store a resource as the clinic's own staff would; it has its id afterwards."""
        kind, name = resource["resourceType"], resource.get("id")
        url = f"{self.fhir}/{kind}/{name}" if name else f"{self.fhir}/{kind}"
        answer = self._own("PUT" if name else "POST", url, json=resource)
        stored: Json = answer.json()
        return stored

    def held(self, kind: str, identifier: tuple[str, str]) -> list[Json]:
        """What the server holds under an identifier, seen by its own staff past every cache."""
        parameters = {"identifier": f"{identifier[0]}|{identifier[1]}"}
        found = self._own("GET", f"{self.fhir}/{kind}", params=parameters).json()
        there = [each["resource"] for each in found.get("entry", [])]
        return [each for each in there if identifier in _identifiers(each)]

    def read(self, reference: str) -> Json:
        found: Json = self._own("GET", f"{self.fhir}/{reference}").json()
        return found

    def _own(self, method: str, url: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.admin}", "Cache-Control": "no-cache"}
        if "json" in more:
            headers["Content-Type"] = "application/fhir+json"
            more["data"] = json.dumps(more.pop("json"))
        answer = self.http.request(method, url, headers=headers, timeout=30, **more)
        if not answer.ok:
            raise AssertionError(f"{self.name} refused its own staff: {answer.status_code} {answer.text[:600]}")
        return answer


def _identifiers(resource: Json) -> list[tuple[str, str]]:
    held = resource.get("identifier", [])
    return [(one.get("system"), one.get("value")) for one in (held if isinstance(held, list) else [held])]


@contextmanager
def medplum(scratch: Path) -> Iterator[Peer]:
    with _gateway("medplum", scratch) as peer:
        yield peer


@contextmanager
def boastful(scratch: Path) -> Iterator[Peer]:
    """The same server, saying that it takes transactions, which it does not roll back."""
    with _gateway("medplum", scratch, name="medplum_tx", declared=["transaction"]) as peer:
        yield peer


@contextmanager
def hapi(scratch: Path) -> Iterator[Peer]:
    home = PLACE / "hapi"
    log = f"-Dlogback.configurationFile={PINS / 'hapi/logback.xml'}"
    with _gateway("fhir", scratch, name="hapi") as peer:
        command = ["java", *JAVA, log, "-cp", f"{home}/classes:{home}/lib/*", "Hapi", peer.fhir]
        with _running(command, scratch, "hapi", lambda line: re.fullmatch(r"ready (\d+)", line)) as found:
            peer.ask(upstream=f"http://127.0.0.1:{found[1]}")
            yield peer


SEKMET_CLIENTS = 30


@contextmanager
def sekmet(scratch: Path) -> Iterator[Peer]:
    """It brings its own authorization server; the gateway only carries, so that replies can be lost."""
    with _gateway("pass", scratch, name="sekmet") as peer:
        peer.knows = {
            EVERYTHING: [f"all-{number}" for number in range(SEKMET_CLIENTS)],
            NARROW: [f"narrow-{number}" for number in range(SEKMET_CLIENTS)],
        }
        clients = [
            {"client_id": name, "jwks_url": peer.keys.address(name), "scopes": allowed}
            for allowed, names in peer.knows.items()
            for name in names
        ]
        database = scratch / "sekmet.db"
        settings = {
            "base_url": peer.fhir,
            "data_dir": str(scratch),
            "db_path": str(database),
            "server_auth": {"types": ["smart", "bearer"], "tokens": [peer.admin], "smart_clients": clients},
            "simulator": {"enabled": False},
            "log_inbound": False,
        }
        (scratch / "sekmet.yaml").write_text(yaml.safe_dump(settings))
        command = ["env", f"SEKMET_CONFIG={scratch / 'sekmet.yaml'}", str(PLACE / "sekmet/bin/python"), "-m", "uvicorn"]
        command += ["sekmet.main:app_factory", "--factory", "--host", "127.0.0.1", "--port", "0"]
        with _running(command, scratch, "sekmet", lambda line: re.search(r"running on (http://127\S+)", line)) as found:
            peer.ask(upstream=found[1])
            peer.forget_tokens = lambda: _new_secret(database)
            yield peer


def _new_secret(database: Path) -> None:
    """Another key for its tokens: every token it gave out is void."""
    with sqlite3.connect(database, timeout=10) as connection:
        connection.execute("UPDATE kv SET v = ? WHERE k = 'jwt_secret'", (secrets.token_urlsafe(48),))


PEERS: dict[str, tuple[Callable[[Path], Any], tuple[str, ...]]] = {
    "medplum": (medplum, ("node",)),
    "medplum_tx": (boastful, ("node",)),
    "hapi": (hapi, ("node", "hapi")),
    "sekmet": (sekmet, ("node", "sekmet")),
}
"""name → how it is started, and what has to be installed for it"""


@contextmanager
def running(name: str, scratch: Path) -> Iterator[Peer]:
    """The peer, answering; stopped at the end. Raises CannotStart."""
    started = monotonic()
    with PEERS[name][0](scratch) as peer:
        requests.get(f"{peer.fhir}/metadata", timeout=60).raise_for_status()
        peer.seconds = monotonic() - started
        yield peer


@contextmanager
def _gateway(kind: str, scratch: Path, name: str | None = None, **more: Any) -> Iterator[Peer]:
    for script in PINS.glob("*.mjs"):
        if not (PLACE / script.name).exists() or (PLACE / script.name).read_bytes() != script.read_bytes():
            shutil.copy(script, PLACE / script.name)
    admin, keys = secrets.token_urlsafe(24), KeySets()
    command = ["node", str(PLACE / "gateway.mjs"), json.dumps({"kind": kind, "admin": admin, **more})]
    try:
        with _running(command, scratch, "gateway", lambda line: re.fullmatch(r"(\{.*\})", line)) as found:
            said = json.loads(found[1])
            peer = Peer(name or kind, said["fhir"], said["base"], admin, keys, lambda: None)
            peer.forget_tokens = lambda: peer.ask(expire=True) and None
            yield peer
            peer.http.close()
    finally:
        keys.close()


@contextmanager
def _running(
    command: list[str], scratch: Path, name: str, ready: Callable[[str], re.Match[str] | None]
) -> Iterator[re.Match[str]]:
    """A process until the block ends; waits for the line by which it says that it is up."""
    log = scratch / f"{name}.log"
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=scratch, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        up, found = threading.Event(), []

        def listen() -> None:
            for line in process.stdout or ():
                file.write(line)
                file.flush()
                match = ready(line.strip()) if not found else None
                if match:
                    found.append(match)
                    up.set()
            up.set()

        ear = threading.Thread(target=listen, daemon=True)
        ear.start()
        try:
            up.wait(START_SECONDS)
            if not found:
                raise CannotStart(f"{name} did not start: {log.read_text()[-800:]}")
            yield found[0]
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(15)
            ear.join(5)
