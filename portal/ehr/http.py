"""Outbound HTTP with its limits: one registered server, no redirects, no cookies, bounded time and size; trouble is a value."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import IncompleteRead
from http.cookiejar import DefaultCookiePolicy
from time import monotonic

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from portal.ehr import address
from portal.ehr.errors import Unregistered
from portal.ehr.line import LineAdapter, Watch
from portal.ehr.unpacking import NotWhole, Unpacking

_CHUNK = 65_536


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes; `size` counts the decompressed body."""

    connect: float = 5.0
    read: float = 30.0
    total: float = 60.0
    size: int = 10 * 1024 * 1024


PATIENT = Limits()
"""For work in the background."""
BRISK = Limits(connect=2.0, read=6.0, total=8.0)
"""For a person who is waiting for a page."""


class Failure(StrEnum):
    """Where an exchange ended that brought no whole answer."""

    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    TRUNCATED = "truncated"
    TOO_LARGE = "too-large"
    CREDENTIAL = "credential"


@dataclass(frozen=True)
class Answer:
    """What came back from one request, unjudged.

    `status` is None when no status line was read. `failure` is None only when the whole answer was read; then `body` is
    all of it, decompressed. `sent` is False only when it is certain that not one byte of the request left.
    """

    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    sent: bool = True
    failure: Failure | None = None
    request_id: str = ""

    @property
    def whole(self) -> bool:
        return self.failure is None

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes, failure={self.failure}, sent={self.sent})"


class Wire:
    """Speaks to the addresses under `bases` and to nothing else. Safe to share between threads."""

    def __init__(self, *bases: str, verify: bool | str = True) -> None:
        self.bases = bases
        self._verify = verify
        self._session = self._open()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limits: Limits = PATIENT,
        fresh: bool = False,
    ) -> Answer:
        """One exchange. Raises Unregistered, before anything is opened, for an address outside `bases`; nothing else.

        `fresh` opens a connection of its own: a write must not meet a connection that the server has already closed.
        A GET that met such a connection is sent once more.
        """
        if not any(address.inside(base, url) for base in self.bases):
            raise Unregistered
        started = monotonic()
        answer = self._once(method, url, dict(headers or {}), body, limits, fresh)
        left = limits.total - (monotonic() - started)
        if method == "GET" and answer.failure is Failure.RESET and answer.status is None and not fresh and left > 1:
            return self._once(method, url, dict(headers or {}), body, limits, True)
        return answer

    def close(self) -> None:
        self._session.close()

    def _open(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # no proxy, .netrc or certificate bundle by accident
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            session.mount(scheme, LineAdapter(pool_connections=4, pool_maxsize=4))
        return session

    def _once(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, limits: Limits, fresh: bool
    ) -> Answer:
        request_id = secrets.token_hex(16)
        headers |= {"Accept-Encoding": "gzip", "User-Agent": "Previsit", "X-Request-Id": request_id}
        session = self._open() if fresh else self._session
        try:
            with Watch(limits.total) as watch:
                return _exchange(session, watch, method, url, headers, body, limits, self._verify, request_id)
        finally:
            if fresh:
                session.close()


def _exchange(
    session: requests.Session,
    watch: Watch,
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes | None,
    limits: Limits,
    verify: bool | str,
    request_id: str,
) -> Answer:
    try:
        answer = session.request(
            method,
            url,
            headers=headers,
            data=body,
            timeout=(limits.connect, limits.read),
            allow_redirects=False,
            stream=True,
            verify=verify,
        )
    except (requests.RequestException, HTTPError, OSError, ValueError) as trouble:
        return Answer(None, sent=watch.sent, failure=_failure(trouble, watch), request_id=request_id)
    headers_in = CaseInsensitiveDict(answer.headers)
    with answer:
        content, failure = _body(answer, watch, limits.size)
    return Answer(answer.status_code, headers_in, content, True, failure, request_id)


def _body(answer: requests.Response, watch: Watch, most: int) -> tuple[bytes, Failure | None]:
    parts: list[bytes] = []
    size = 0
    try:
        unpacking = Unpacking(answer.headers.get("Content-Encoding", ""))
        while packed := answer.raw.read1(_CHUNK, decode_content=False):
            for part in unpacking.feed(packed):
                size += len(part)
                if size > most:
                    return b"", Failure.TOO_LARGE
                parts.append(part)
        unpacking.end()
    except NotWhole:
        return b"", Failure.TIMEOUT if watch.expired else Failure.TRUNCATED
    except (requests.RequestException, HTTPError, OSError, ValueError) as trouble:
        return b"", _failure(trouble, watch)
    if watch.expired:
        return b"", Failure.TIMEOUT
    return b"".join(parts), None


def _failure(trouble: BaseException, watch: Watch) -> Failure:
    if watch.expired or isinstance(trouble, requests.ReadTimeout):
        return Failure.TIMEOUT
    if isinstance(trouble, requests.exceptions.SSLError):
        return Failure.TLS
    if not watch.sent:
        return Failure.CONNECT
    if isinstance(trouble, IncompleteRead) or any(isinstance(each, IncompleteRead) for each in trouble.args):
        return Failure.TRUNCATED
    return Failure.TIMEOUT if "timed out" in str(trouble).lower() else Failure.RESET
