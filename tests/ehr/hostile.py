"""A server that answers exactly what a test tells it to, byte for byte, on 127.0.0.1, and remembers every request."""

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.ports import free_port


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass
class Say:
    """An answer. `raw` replaces everything that would be written; `pause` seconds pass between `drip` pieces of the body."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    drip: int = 0
    pause: float = 0.0
    cut: int | None = None

    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Answering = Say | Callable[[Seen], Say]


@dataclass
class Hostile:
    """`on["GET /fhir/Patient/1"]` is what to say there; the query does not count. What is not set is 404."""

    port: int
    on: dict[str, Answering] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base(self) -> str:
        return f"{self.url}/fhir"

    def fhir(self, at: str, body: Any, **more: Any) -> None:
        """Answer a GET of `at` (under the base, without its query) with this resource."""
        self.on[f"GET /fhir/{at}"] = say(body, **more)

    def smart(self, **changed: Any) -> None:
        """Be a SMART server with a token endpoint; `changed` members replace the document's (None leaves one out)."""
        document = {
            "issuer": self.url,
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
        } | changed
        kept = {name: value for name, value in document.items() if value is not None}
        self.on["GET /fhir/.well-known/smart-configuration"] = Say(
            body=kept, headers={"Content-Type": "application/json"}
        )
        self.on.setdefault("POST /token", self.grant)

    def grant(self, seen: Seen) -> Say:
        number = sum(1 for each in self.seen if each.path == "/token")
        granted = {
            "access_token": f"token-{number}",
            "token_type": "bearer",
            "expires_in": 300,
            "scope": seen.form["scope"],
        }
        return Say(body=granted, headers={"Content-Type": "application/json"})

    def tokens(self) -> list[str]:
        """The Authorization headers that arrived, in order."""
        return [each.headers["authorization"] for each in self.seen if "authorization" in each.headers]

    def paths(self) -> list[str]:
        return [each.path for each in self.seen]


def say(body: Any, status: int = 200, **headers: str) -> Say:
    """A FHIR answer; keywords are headers with _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Say(status, body, {"Content-Type": "application/fhir+json"} | named)


def zipped(content: bytes) -> Say:
    packed = gzip.compress(content)
    return Say(200, packed, {"Content-Type": "application/fhir+json", "Content-Encoding": "gzip"})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    hostile: Hostile

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, self.rfile.read(length))
        with self.hostile.lock:
            self.hostile.seen.append(seen)
        found = self.hostile.on.get(f"{self.command} {urlsplit(self.path).path}", Say(404, b"", {}))
        answer = found(seen) if callable(found) else found
        try:
            self._write(answer)
        except OSError:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _any

    def _write(self, answer: Say) -> None:
        if answer.raw is not None:
            self.wfile.write(answer.raw)
            self._end()
            return
        body = answer.bytes()
        self.send_response(answer.status)
        for name, value in ({"Content-Length": str(len(body))} | answer.headers).items():
            self.send_header(name, value)
        self.end_headers()
        if answer.cut is not None:
            self.wfile.write(body[: answer.cut])
            self._end()
        elif answer.drip:
            self._drip(body, answer)
        else:
            self.wfile.write(body)

    def _drip(self, body: bytes, answer: Say) -> None:
        for at in range(0, len(body), answer.drip):
            self.wfile.write(body[at : at + answer.drip])
            self.wfile.flush()
            threading.Event().wait(answer.pause)

    def _end(self) -> None:
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def hostile() -> Iterator[Hostile]:
    """A running server with nothing set yet."""
    handler = type("Handler", (_Handler,), {})
    port = free_port()
    server = _Server(("127.0.0.1", port), handler)
    handler.hostile = Hostile(port)  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield handler.hostile  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
