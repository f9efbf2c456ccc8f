"""A FHIR server as the worst ones are: it searches, then inserts; its searches are cached; and it commits when the harness says so.

Conditional create is decided when the request is read and carried out when the gate opens, so two requests in flight at once
both insert: the race of HAPI #3141. A search is answered from a cache of 60 s unless it says `Cache-Control: no-cache`.
"""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.ports import free_port

CAPABILITIES = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "status": "active", "kind": "instance"}
TRANSACTIONS = {**CAPABILITIES, "rest": [{"mode": "server", "interaction": [{"code": "transaction"}]}]}

Resource = dict[str, Any]


@dataclass
class Clinic:
    """What the server holds, and how it behaves: `hold` keeps the next write from committing until `release` or `promise`
    seconds; `lose` drops the next reply after the commit, `swallow` the next request before it; `answers` are given to the next
    writes, and `reads` to the next reads, instead of doing anything."""

    promise: float = 0.5
    statement: Resource = field(default_factory=lambda: TRANSACTIONS)
    hold: int = 0
    lose: int = 0
    swallow: int = 0
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    reads: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    resources: dict[str, Resource] = field(default_factory=dict)
    pending: int = 0
    writes: int = 0
    commits: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)
    received: threading.Event = field(default_factory=threading.Event)
    open: threading.Event = field(default_factory=threading.Event)
    cache: dict[str, tuple[float, Resource]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def release(self) -> None:
        self.open.set()

    def put(self, resource: Resource) -> None:
        version = str(int(self.resources.get(_key(resource), {}).get("meta", {}).get("versionId", "0")) + 1)
        stamped = {**resource, "meta": {**resource.get("meta", {}), "versionId": version}}
        self.resources[_key(resource)] = stamped

    def found(self, name: str) -> Resource | None:
        """One resource; every patient is known here, those with something to tell by what was `put`."""
        kind, _, id_ = name.partition("/")
        anybody = {"resourceType": kind, "id": id_} if kind == "Patient" and id_ != "nobody" else None
        return self.resources.get(name, anybody)

    def keys(self) -> Counter[str]:
        """How often each identifier is there."""
        with self.lock:
            return Counter(
                f"{one['system']}|{one['value']}" for held in self.resources.values() for one in _identifiers(held)
            )

    def matching(self, kind: str, query: list[tuple[str, str]]) -> list[Resource]:
        wanted = [value for name, value in query if name == "identifier"]
        with self.lock:
            return [
                held
                for held in self.resources.values()
                if held["resourceType"] == kind
                and all(value in {f"{one['system']}|{one['value']}" for one in _identifiers(held)} for value in wanted)
                and all(
                    value in [target.get("reference") for target in held.get("target", [])]
                    for name, value in query
                    if name == "target"
                )
            ]

    def transact(self, bundle: Resource) -> tuple[int, Resource]:
        """Decide now, carry out when the gate opens."""
        with self.lock:
            self.writes += 1
            self.pending += 1
            held, self.hold = self.hold > 0, max(0, self.hold - 1)
            found = [self._existing(entry) for entry in bundle["entry"]]
        self.received.set()
        if held:
            self.open.wait(self.promise)
        with self.lock:
            self.pending -= 1
            stale = [entry for entry in bundle["entry"] if not self._on_base(entry)]
            if stale:
                return 412, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "conflict"}]}
            self.commits += 1
            placed = {
                entry.get("fullUrl"): f"{entry['resource']['resourceType']}/{there['id']}"
                for entry, there in zip(bundle["entry"], found, strict=True)
                if there
            }
            fresh = {
                entry["fullUrl"]: f"{entry['resource']['resourceType']}/r{self.commits}-{index}"
                for index, entry in enumerate(bundle["entry"])
                if entry["request"]["method"] == "POST" and entry.get("fullUrl") not in placed
            }
            answers = [
                self._carry_out(entry, there, {**placed, **fresh})
                for entry, there in zip(bundle["entry"], found, strict=True)
            ]
        return 200, {"resourceType": "Bundle", "type": "transaction-response", "entry": answers}

    def _existing(self, entry: Resource) -> Resource | None:
        condition = entry["request"].get("ifNoneExist")
        found = self.matching(entry["resource"]["resourceType"], parse_qsl(condition)) if condition else []
        return found[0] if found else None

    def _on_base(self, entry: Resource) -> bool:
        wanted = entry["request"].get("ifMatch")
        return not wanted or self.resources[_key(entry["resource"])]["meta"]["versionId"] == wanted[3:-1]

    def _carry_out(self, entry: Resource, there: Resource | None, placed: dict[str, str]) -> Resource:
        made = there is None and entry["request"]["method"] == "POST"
        text = json.dumps(entry["resource"])
        for urn, reference in placed.items():
            text = text.replace(f'"{urn}"', f'"{reference}"')
        resource = there or json.loads(text)
        if made:
            resource["id"] = placed[entry["fullUrl"]].split("/")[1]
        if there is None:
            self.put(resource)
        held = self.resources[_key(resource)]
        location = f"{_key(held)}/_history/{held['meta']['versionId']}"
        return {"resource": held, "response": {"status": "201 Created" if made else "200 OK", "location": location}}


def _key(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _identifiers(resource: Resource) -> list[dict[str, str]]:
    held = resource.get("identifier", [])
    return held if isinstance(held, list) else [held]


class Handler(BaseHTTPRequestHandler):
    clinic: Clinic

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        name = parts.path.removeprefix("/fhir/")
        self.clinic.log.append(f"GET {name}")
        if self.clinic.reads:
            status, headers, canned = self.clinic.reads.pop(0)
            self._send(status, canned, headers)
        elif name == "metadata":
            self._answer(200, self.clinic.statement)
        elif "/" in name:
            found = self.clinic.found(name)
            self._answer(200 if found else 404, found or {"resourceType": "OperationOutcome", "issue": []})
        else:
            self._answer(200, self._search(name, parts.query))

    def _search(self, kind: str, query: str) -> Resource:
        at, cached = self.clinic.cache.get(self.path, (0.0, {}))
        if cached and time.monotonic() - at < 60 and "no-cache" not in self.headers.get("Cache-Control", ""):
            return cached
        found = self.clinic.matching(kind, parse_qsl(query))
        link = [{"relation": "self", "url": f"http://{self.headers['Host']}{self.path}"}]
        answer = {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found),
            "link": link,
            "entry": [{"resource": held, "search": {"mode": "match"}} for held in found],
        }
        self.clinic.cache[self.path] = (time.monotonic(), answer)
        return answer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.clinic.log.append("POST")
        if self.clinic.answers:
            status, headers, canned = self.clinic.answers.pop(0)
            self._send(status, canned, headers)
            if "Content-Length" in headers:  # more was promised than comes
                self._hang_up()
            return
        if self.clinic.swallow:
            self.clinic.swallow -= 1
            self.clinic.received.set()
            self._hang_up()
            return
        status, answer = self.clinic.transact(json.loads(body))
        if self.clinic.lose:
            self.clinic.lose -= 1
            self._hang_up()
            return
        self._answer(status, answer)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, status: int, body: Resource) -> None:
        self._send(status, json.dumps(body).encode(), {"Content-Type": "application/fhir+json"})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            pass  # whoever asked has been killed


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = False
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def running(clinic: Clinic) -> Iterator[str]:
    """Serve `clinic` on a free port; the FHIR base is yielded."""
    handler = type("Bound", (Handler,), {"clinic": clinic})
    server = Server(("127.0.0.1", free_port()), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/fhir"
    finally:
        clinic.release()
        server.shutdown()
        server.server_close()
