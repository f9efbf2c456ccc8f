"""The clinic on a bad day: a WSGI layer that breaks requests on purpose, switched at start or by POST /$fault.

    none          everything works
    down          the connection is closed without an answer, as if nobody listened
    unavailable   503 (with Retry-After when `seconds` is given);   throttled   429 likewise;   error   500
    expired       401, as if the token had expired
    slow          the answer takes `seconds` (8)
    flaky         every `every`th (3) request ends in a reset connection or, in turn, a 500
    lost_reply    the request is carried out, then the connection closes without the answer
    truncated     half of the answer, then the connection closes
    html          200 and a page of HTML, as a captive portal or a broken proxy sends

`times` stops a fault after so many broken requests, `method` and `path` (a prefix) narrow it.
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

CONTROL = ("/$fault", "/$requests")
MODES = (
    "none",
    "down",
    "unavailable",
    "throttled",
    "error",
    "expired",
    "slow",
    "flaky",
    "lost_reply",
    "truncated",
    "html",
)


@dataclass(frozen=True)
class Fault:
    """`times` None means until switched off."""

    mode: str = "none"
    seconds: float | None = None
    every: int = 3
    times: int | None = None
    method: str | None = None
    path: str = "/"

    @classmethod
    def read(cls, wanted: Any) -> Fault:
        """From the JSON of POST /$fault; ValueError says what is wrong."""
        if not isinstance(wanted, dict) or wanted.get("mode") not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}")
        unknown = set(wanted) - set(cls.__dataclass_fields__)
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        for name, kind in (("seconds", (int, float)), ("every", int), ("times", int), ("method", str), ("path", str)):
            if wanted.get(name) is not None and not isinstance(wanted[name], kind):
                raise ValueError(f"{name} has the wrong type")
        if wanted.get("every", 1) < 1:
            raise ValueError("every must be at least 1")
        return cls(**wanted)


class Faults:
    """The layer itself; also remembers the last requests (method, path, status) for whoever asks /$requests."""

    def __init__(self, application: Application, fault: Fault) -> None:
        self.application = application
        self.fault = fault
        self.broken = 0
        self.seen: deque[dict[str, Any]] = deque(maxlen=500)
        self._lock = threading.Lock()
        self._turn = itertools.count(1)

    def switch(self, fault: Fault) -> None:
        with self._lock:
            self.fault, self.broken, self._turn = fault, 0, itertools.count(1)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] in CONTROL:
            return self.application(environ, start_response)
        fault = self._due(environ)
        note = {"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"], "fault": fault.mode, "status": None}
        self.seen.append(note)

        def noting(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            note["status"] = int(status[:3])
            return start_response(status, headers, exc_info)

        return BREAKS[fault.mode](self, fault, environ, noting)

    def _due(self, environ: Environ) -> Fault:
        """The fault that this request meets."""
        with self._lock:
            fault = self.fault
            meets = environ["PATH_INFO"].startswith(fault.path) and fault.method in (None, environ["REQUEST_METHOD"])
            if fault.mode == "none" or not meets:
                return Fault()
            if fault.mode == "flaky" and next(self._turn) % fault.every:
                return Fault()
            if fault.times is not None and self.broken >= fault.times:
                self.fault = Fault()
                return self.fault
            self.broken += 1
            return fault

    def work(self, fault: Fault, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return self.application(environ, start_response)

    def down(self, fault: Fault, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        _hang_up(environ)

    def answer(self, fault: Fault, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        status, kind, body = ANSWERS[fault.mode]
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Connection", "close")]
        if fault.seconds is not None:
            headers.append(("Retry-After", str(int(fault.seconds))))
        start_response(status, headers)
        return [body]

    def slow(self, fault: Fault, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        time.sleep(8 if fault.seconds is None else fault.seconds)
        return self.application(environ, start_response)

    def flaky(self, fault: Fault, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self.broken % 2:
            _hang_up(environ, reset=True)
        return self.answer(Fault("error"), environ, start_response)

    def lost_reply(self, fault: Fault, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        _whole(self.application, environ, start_response)
        _hang_up(environ)

    def truncated(self, fault: Fault, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body, status, headers = _whole(self.application, environ, start_response)
        kept = [pair for pair in headers if pair[0] != "Content-Length"]
        start_response(status, [*kept, ("Content-Length", str(len(body)))])
        return _half(body, environ)


def _half(body: bytes, environ: Environ) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    _hang_up(environ)


def _whole(
    application: Application, environ: Environ, noting: StartResponse
) -> tuple[bytes, str, list[tuple[str, str]]]:
    """Carry a request out and keep its answer."""
    kept: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        kept.update(status=status, headers=headers)

    answer = application(environ, start)
    try:
        body = b"".join(answer)
    finally:
        getattr(answer, "close", lambda: None)()
    return body, kept["status"], kept["headers"]


def _hang_up(environ: Environ, *, reset: bool = False) -> NoReturn:
    """Close the client's connection and end the request: whoever serves us takes ConnectionError for a client gone."""
    connection = environ.get("werkzeug.socket") or environ.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.shutdown(socket.SHUT_RDWR)
        ended, far = socket.socketpair()
        far.close()
        os.dup2(ended.fileno(), connection.fileno())  # closes the client's end now; the server reads an end of file
        ended.close()
    raise ConnectionAbortedError("the sandbox hung up on purpose")


_OUTCOME = (
    b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"%s",'
    b'"diagnostics":"The sandbox was told to fail."}]}'
)
ANSWERS = {
    "unavailable": ("503 Service Unavailable", "application/fhir+json", _OUTCOME % b"transient"),
    "throttled": ("429 Too Many Requests", "application/fhir+json", _OUTCOME % b"throttled"),
    "error": ("500 Internal Server Error", "application/fhir+json", _OUTCOME % b"exception"),
    "expired": ("401 Unauthorized", "application/fhir+json", _OUTCOME % b"login"),
    "html": (
        "200 OK",
        "text/html; charset=utf-8",
        b"<!doctype html><title>Sign in to the network</title><h1>Sign in to the network</h1>",
    ),
}
BREAKS: dict[str, Callable[[Faults, Fault, Environ, StartResponse], Iterable[bytes]]] = {
    "none": Faults.work,
    "down": Faults.down,
    "slow": Faults.slow,
    "flaky": Faults.flaky,
    "lost_reply": Faults.lost_reply,
    "truncated": Faults.truncated,
    **dict.fromkeys(ANSWERS, Faults.answer),
}
