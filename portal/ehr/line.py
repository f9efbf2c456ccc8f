"""The line to a server: connections that go only to addresses a clinic can have, know whether anything was sent, and can be cut.

urllib3's time-outs count from byte to byte; a server that drips would hold us for ever. So each exchange has a Watch whose
timer shuts the socket when the total is over, whatever the connection is doing (handshake, headers, body).
"""

import logging
import socket
from contextlib import suppress
from http.client import HTTPResponse, IncompleteRead
from io import BufferedReader
from threading import Timer, local
from types import TracebackType
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from portal.ehr.address import may_connect

# urllib3 writes whole addresses into its log, and a search's address holds names and birth dates (bar 103)
logging.getLogger("urllib3").setLevel(logging.CRITICAL)
logging.getLogger("urllib3.connectionpool").setLevel(logging.CRITICAL)
logging.getLogger("urllib3.connection").setLevel(logging.CRITICAL)

_local = local()


class Watch:
    """One exchange on this thread: `sent` once a byte of the request left, `expired` once the total time was over."""

    def __init__(self, seconds: float) -> None:
        self.sent = False
        self.expired = False
        self._socket: socket.socket | None = None
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "Watch":
        _local.watch = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._socket = None
        _local.watch = None

    def hold(self, held: socket.socket | None) -> None:
        self._socket = held
        if self.expired:
            self._cut()

    def _cut(self) -> None:
        self.expired = True
        held = self._socket
        if held is not None:
            with suppress(OSError):  # already closed: nothing left to cut
                held.shutdown(socket.SHUT_RDWR)


def _watch() -> Watch | None:
    return getattr(_local, "watch", None)


class _Lines(BufferedReader):
    """A line of an answer (status, header, size of a chunk) counts only when it came to its end.

    http.client takes a connection that closes between two headers for the end of the headers, and half of a chunk's size for
    the size: an answer cut there would pass for a whole one.
    """

    _begun = False

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n") and len(line) != size and (line or self._begun):
            raise IncompleteRead(line)
        self._begun = True
        return line


class _Head(HTTPResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fp = _Lines(self.fp.detach())


class _Line(HTTPConnection):
    """Resolves the name once, refuses addresses no clinic has, and lends its socket to the watch."""

    response_class = _Head
    _held: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        made = _open(self)
        # a second handle on the same socket: TLS takes the first one over, and the watch must be able to cut either
        self._held = made.dup()
        self._lend()
        return made

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self._lend()
        watch = _watch()
        if watch is not None:
            watch.sent = True
        super().send(data)

    def close(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.close()
        super().close()

    def _lend(self) -> None:
        watch = _watch()
        if watch is not None:
            watch.hold(self._held)


class _TlsLine(_Line, HTTPSConnection):
    pass


def _open(line: HTTPConnection) -> socket.socket:
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(line.host, line.port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as unknown:
        raise NameResolutionError(line.host, line, socket.gaierror(str(unknown))) from unknown
    refused = [address for address in found if not may_connect(line.host, address)]
    if refused or not found:
        raise NewConnectionError(line, "the name leads to an address that no clinic's system has")
    for address in sorted(found, key=lambda text: ":" in text):
        try:
            return create_connection((address, line.port), line.timeout, socket_options=line.socket_options)
        except TimeoutError as slow:
            raise ConnectTimeoutError(line, "no connection in time") from slow
        except OSError as refusal:
            last = refusal
    raise NewConnectionError(line, "no connection") from last


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Line


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsLine


class LineAdapter(HTTPAdapter):
    """requests' adapter over these connections; it repeats nothing by itself."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
