"""A proxy on a bad day: between the workers and the clinic's server it loses, delays, doubles, cuts and garbles, at random.

Every fault that carries a request to the server does so within `late` seconds: the server keeps its processing bound.
"""

import http.client
import socket
import struct
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

RATES: dict[str, float] = {
    "dropped": 0.01,  # the connection ends, nothing was passed on
    "lost": 0.03,  # carried out, then the connection ends
    "reset": 0.01,  # carried out, then a reset
    "late": 0.02,  # 504 at once, carried out a little later
    "slow": 0.05,  # answered late
    "double": 0.02,  # carried out twice, as a proxy that repeats does
    "error": 0.05,  # 500, 502 or 503, nothing was passed on
    "error after": 0.03,  # carried out, then 500 or 502
    "throttled": 0.01,  # 429 with Retry-After
    "html": 0.01,  # carried out, then 200 and a page of HTML
    "truncated": 0.015,  # carried out, then half of the answer
}
HTML = b"<!doctype html><title>Sign in to the network</title>"
Answer = tuple[int, bytes, dict[str, str]]


@dataclass
class Plan:
    """What happens to which request. `calm` switches every fault off; `busy` counts the requests that are still being carried."""

    seed: int
    upstream: int
    late: float
    rates: dict[str, float] = field(default_factory=lambda: dict(RATES))
    calm: bool = True
    busy: int = 0
    met: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def fault(self) -> str:
        with self.lock:
            drawn, chosen = self.random.random(), "none"
            for name, rate in self.rates.items() if not self.calm else ():
                drawn -= rate
                if drawn < 0:
                    chosen = name
                    break
            self.met[chosen] += 1
            return chosen

    def chance(self) -> float:
        with self.lock:
            return self.random.random()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    plan: Plan

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.count(1)
        try:
            FAULTS.get(self.plan.fault(), Handler.honest)(self, body)
        finally:
            self.count(-1)

    def count(self, change: int) -> None:
        with self.plan.lock:
            self.plan.busy += change

    do_POST = do_PUT = do_GET

    def carry_out(self, body: bytes) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.plan.upstream, timeout=20)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in HOP}
            return answer.status, answer.read(), kept
        finally:
            connection.close()

    def honest(self, body: bytes) -> None:
        self.say(*self.carry_out(body))

    def say(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        with suppress(OSError):  # whoever asked may have given up
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def dropped(self, _body: bytes) -> None:
        self.hang_up()

    def lost(self, body: bytes) -> None:
        self.carry_out(body)
        self.hang_up()

    def reset(self, body: bytes) -> None:
        self.carry_out(body)
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def late(self, body: bytes) -> None:
        self.say(504, b"", {})
        time.sleep(self.plan.late * self.plan.chance())
        self.carry_out(body)

    def slow(self, body: bytes) -> None:
        time.sleep(self.plan.late * self.plan.chance())
        self.honest(body)

    def double(self, body: bytes) -> None:
        self.carry_out(body)
        self.honest(body)

    def error(self, _body: bytes) -> None:
        self.say((500, 502, 503)[int(self.plan.chance() * 3)], b"", {})

    def error_after(self, body: bytes) -> None:
        self.carry_out(body)
        self.say((500, 502)[int(self.plan.chance() * 2)], b"", {})

    def throttled(self, _body: bytes) -> None:
        self.say(429, b"", {"Retry-After": str(int(self.plan.chance() * 60))})

    def html(self, body: bytes) -> None:
        self.carry_out(body)
        self.say(200, HTML, {"Content-Type": "text/html"})

    def truncated(self, body: bytes) -> None:
        status, answer, headers = self.carry_out(body)
        with suppress(OSError):
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer[: len(answer) // 2])
        self.hang_up()

    def hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


HOP = frozenset({"connection", "content-length", "transfer-encoding"})
FAULTS = {name: getattr(Handler, name.replace(" ", "_")) for name in RATES}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        pass


class Proxy:
    """Listens at one port; `away` and `back` are an outage: connections are refused."""

    def __init__(self, plan: Plan, port: int) -> None:
        self.handler = type("Bound", (Handler,), {"plan": plan})
        self.port = port
        self.running: Server | None = None
        self.back()

    def back(self) -> None:
        self.running = Server(("127.0.0.1", self.port), self.handler)
        threading.Thread(target=self.running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def away(self) -> None:
        if self.running is not None:
            self.running.shutdown()
            self.running.server_close()
            self.running = None
