"""Logs: one JSON line an event, on standard error and to the clinic's collector; control characters inert, never a value somebody typed."""

import atexit
import json
import logging
import os
import queue
import re
import socket
import ssl
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

import structlog

MOST, LONGEST, PATIENCE, LAST = 10_000, 60.0, 10.0, 3.0
"""Lines that wait for a collector that is away, the longest pause between two tries, seconds a try may take, and those at the end."""
_SIGNAL = re.compile(r"SIG[A-Z]{2,8}")
_FACILITY, _ERROR, _WARNING, _INFO = 10, 3, 4, 6
"""Syslog's words: security messages, and how bad."""


class Collector:
    """Another machine that takes lines over TLS as syslog (RFC 5424, framed by RFC 5425): in order, and by a thread of their own.

    `address` is syslog+tls://host:port, with ?ca=FILE where the clinic has its own authority. Whoever logs never waits: while the
    collector is away MOST lines wait, then the oldest falls away, and how many did is told when it is back.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._place = (parts.hostname or "", parts.port or 6514)
        self._trust = ssl.create_default_context(cafile=dict(parse_qsl(parts.query)).get("ca"))
        self._trust.minimum_version = ssl.TLSVersion.TLSv1_2
        self._begin()
        atexit.register(self.close)

    def put(self, line: str, severity: int = _INFO) -> None:
        if self._process != os.getpid():
            self._begin()  # a child does not have its parent's thread
        if self._waiting.qsize() >= MOST:
            self._drop()
        self._waiting.put((line, severity, datetime.now(UTC)))

    def close(self) -> None:
        """Give what waits a moment to leave; only in the process that put it there."""
        if self._process == os.getpid():
            self._ended.set()
            self._waiting.put(None)
            self._thread.join(LAST)

    def _begin(self) -> None:
        self._process, self.lost = os.getpid(), 0
        self._waiting: queue.SimpleQueue[tuple[str, int, datetime] | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._line: ssl.SSLSocket | None = None
        self._thread = threading.Thread(target=self._run, name="log collector", daemon=True)
        self._thread.start()

    def _drop(self) -> None:
        try:
            self._waiting.get_nowait()
            self.lost += 1
        except queue.Empty:
            pass

    def _run(self) -> None:
        while (found := self._waiting.get()) is not None:
            self._deliver(*found)
            if self.lost and not self._ended.is_set():
                lost, self.lost = self.lost, 0
                self._deliver(json.dumps({"event": "log lines lost", "count": lost}), _WARNING, datetime.now(UTC))

    def _deliver(self, line: str, severity: int, at: datetime) -> None:
        """Until it is sent, or the process ends and one more try came to nothing."""
        pause = 0.5
        while not self._sent(framed(line, severity, at)) and not self._ended.wait(pause):
            pause = min(pause * 2, LONGEST)

    def _sent(self, frame: bytes) -> bool:
        try:
            if self._line is None or _hung_up(self._line):
                self._line = None
                plain = socket.create_connection(self._place, PATIENCE)
                self._line = self._trust.wrap_socket(plain, server_hostname=self._place[0])
            self._line.settimeout(PATIENCE)
            self._line.sendall(frame)
        except (OSError, ValueError):
            self._line = None
            return False
        return True


def _hung_up(line: ssl.SSLSocket) -> bool:
    """Whether the other side has closed: a collector never says anything, so all that can come is the end."""
    line.settimeout(0)
    try:
        return line.recv(1) == b""
    except (ssl.SSLWantReadError, BlockingIOError):
        return False


def framed(line: str, severity: int, at: datetime) -> bytes:
    """RFC 5424 in a frame of RFC 5425: its length in bytes, a space, the message."""
    head = f"<{_FACILITY * 8 + severity}>1 {at.isoformat(timespec='milliseconds')} {socket.gethostname()[:255]} previsit {os.getpid()} - - "
    message = (head + line).encode()
    return b"%d %s" % (len(message), message)


class Teller(structlog.PrintLogger):
    """Says a line here and, where one is set, to the collector."""

    collector: ClassVar[Collector | None] = None

    def info(self, message: str) -> None:
        self._tell(message, _INFO)

    def warning(self, message: str) -> None:
        self._tell(message, _WARNING)

    def error(self, message: str) -> None:
        self._tell(message, _ERROR)

    warn, exception, critical, fatal = warning, error, error, error

    def _tell(self, message: str, severity: int) -> None:
        self.msg(message)
        if self.collector is not None:
            self.collector.put(message, severity)


class Libraries(logging.Handler):
    """What libraries say, as one of our lines: which, from where, how bad, and the words that stand in its source. Values that it put
    in stay out, numbers and signals aside: they can be somebody's address, or a link that opens something."""

    def emit(self, record: logging.LogRecord) -> None:
        arguments = record.args if isinstance(record.args, tuple) else ()
        told = [each for each in arguments if isinstance(each, int) or _SIGNAL.fullmatch(str(each))]
        error = (record.exc_info or sys.exc_info())[1]
        values: dict[str, object] = {"library": record.name, "place": _place()}
        values |= {"words": str(record.msg)} if arguments else {}
        values |= {"values": told} if told else {}
        values |= {"error": type(error).__name__, "raised": _raised(error)} if error else {}
        structlog.get_logger().log(record.levelno, "library", **values)


def _place() -> str:
    """Who in a library said it, past everything that only hands words on."""
    stack = ((Path(frame.f_code.co_filename), line) for frame, line in traceback.walk_stack(None))
    return next(
        (f"{file.name}:{line}" for file, line in stack if "log" not in file.stem and file.parent.name != "logging"), ""
    )


def _raised(error: BaseException) -> list[str]:
    """The last places an error came through."""
    return [f"{Path(each.filename).name}:{each.lineno}" for each in traceback.extract_tb(error.__traceback__)[-5:]]


def configure() -> None:
    logging.basicConfig(handlers=[Libraries()], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: Teller(sys.stderr),
    )


def send_to(address: str) -> None:
    """From now on every line also goes to the collector at this address; "" for none."""
    Teller.collector = Collector(address) if address else None


def collected() -> bool:
    return Teller.collector is not None


def elsewhere(values: Mapping[str, object]) -> None:
    """A line for the collector alone."""
    if Teller.collector is not None:
        Teller.collector.put(json.dumps(values, ensure_ascii=True))
