"""`portal check-outside`: what a stranger's browser meets at the portal's own address: TLS, certificate, redirect, headers, names.

It looks as anybody could, from wherever it is run; best from outside the clinic's network, by a timer. 1 when something is bad.
"""

import argparse
import http.client
import os
import re
import socket
import ssl
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from portal.clock import now
from portal.errors import PortalError

PATIENCE = 10.0
OLD = (("TLS 1.0", ssl.TLSVersion.TLSv1), ("TLS 1.1", ssl.TLSVersion.TLSv1_1))
NEW = (("TLS 1.2", ssl.TLSVersion.TLSv1_2), ("TLS 1.3", ssl.TLSVersion.TLSv1_3))
RECOMMENDED = re.compile(r"^(ECDHE-(ECDSA|RSA)|DHE-RSA)-(AES(128|256)-GCM-SHA(256|384)|CHACHA20-POLY1305)$")
"""Of TLS 1.2: forward secrecy and authenticated encryption (RFC 9325, 4.2); those of TLS 1.3 are all fit."""
EVERYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
DAYS_LEFT, YEAR, SMALLEST_RSA = 14, 31_536_000, 2048
HEADERS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cache-control": "no-store"}
STRANGER, PAGE = "stranger.example", "/sign-in"


@dataclass(frozen=True)
class Finding:
    good: bool
    what: str
    told: str

    def __str__(self) -> str:
        return f"{'ok ' if self.good else 'BAD'}  {self.what}: {self.told}"


@dataclass(frozen=True)
class Target:
    """Where to look. `authority` is a file of certificates to believe besides the system's; `plain` the port without TLS."""

    host: str
    port: int
    plain: int = 80
    authority: str | None = None


def run(arguments: argparse.Namespace) -> int:
    address = arguments.address or os.environ.get("PREVISIT_BASE_URL", "")
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname:
        raise PortalError("Say which address to look at, with https://, or set PREVISIT_BASE_URL.")
    found = list(looked(Target(parts.hostname, parts.port or 443, arguments.plain_port, arguments.ca)))
    print("\n".join(map(str, found)))
    bad = sum(not each.good for each in found)
    print(f"{len(found)} looked at, {bad} bad." if bad else f"{len(found)} looked at, all good.")
    return 1 if bad else 0


def looked(target: Target) -> Iterator[Finding]:
    """Everything, in order. PortalError when nobody answers there at all."""
    try:
        socket.create_connection((target.host, target.port), PATIENCE).close()
    except OSError as wrong:
        raise PortalError(f"Nobody answers at {target.host}:{target.port} ({type(wrong).__name__}).") from wrong
    yield from _versions(target)
    yield _ciphers(target)
    yield from _certificate(target)
    yield _without_tls(target)
    yield from _answers(target)


# -- TLS ---------------------------------------------------------------------------------------------------------------


def _versions(target: Target) -> Iterator[Finding]:
    old = [name for name, version in OLD if _speaks(target, version)]
    new = [name for name, version in NEW if _speaks(target, version)]
    yield Finding(not old, "old TLS", f"{' and '.join(old)} spoken" if old else "refused")
    yield Finding("TLS 1.3" in new, "TLS", f"{' and '.join(new) or 'neither 1.2 nor 1.3'} spoken")


def _speaks(target: Target, version: ssl.TLSVersion, ciphers: str = EVERYTHING) -> str | None:
    """The cipher suite that the server chooses for this version, offered these; None when it refuses."""
    context = _careless()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # to ask for what is old is the point
        context.minimum_version = context.maximum_version = version
    try:
        context.set_ciphers(ciphers)
        with _handshake(target, context) as line:
            chosen = line.cipher()
            return chosen[0] if chosen else None
    except OSError:
        return None


def _ciphers(target: Target) -> Finding:
    """Every suite of TLS 1.2 that is not recommended is offered, again without each that is taken, until none is."""
    offered = [each["name"] for each in _careless().get_ciphers() if each["protocol"] != "TLSv1.3"]
    left, taken = [name for name in offered if not RECOMMENDED.match(name)], list[str]()
    while left and (chosen := _speaks(target, ssl.TLSVersion.TLSv1_2, f"{':'.join(left)}:@SECLEVEL=0")) in left:
        taken.append(chosen)
        left.remove(chosen)
    return Finding(
        not taken, "cipher suites", f"not recommended: {', '.join(taken)}" if taken else "recommended ones only"
    )


def _certificate(target: Target) -> Iterator[Finding]:
    context = ssl.create_default_context()
    if target.authority:
        context.load_verify_locations(target.authority)
    try:
        _handshake(target, context).close()
        yield Finding(True, "certificate", f"believed for {target.host}")
    except ssl.SSLCertVerificationError as wrong:
        yield Finding(False, "certificate", wrong.verify_message)
    except OSError as wrong:
        yield Finding(False, "certificate", f"could not be looked at ({type(wrong).__name__})")
        return
    with _handshake(target, _careless()) as line:
        found = x509.load_der_x509_certificate(line.getpeercert(binary_form=True) or b"")
    left = (found.not_valid_after_utc - now()).days
    yield Finding(left >= DAYS_LEFT, "certificate's time", f"{left} days left")
    key = found.public_key()
    small = isinstance(key, RSAPublicKey) and key.key_size < SMALLEST_RSA
    yield Finding(
        not small, "certificate's key", f"{type(key).__name__.strip('_')} {getattr(key, 'key_size', '')}".strip()
    )


def _careless() -> ssl.SSLContext:
    """For looking only: nothing is said over it that matters."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(EVERYTHING)
    return context


def _handshake(target: Target, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection((target.host, target.port), PATIENCE)
    try:
        return context.wrap_socket(plain, server_hostname=target.host)
    except BaseException:
        plain.close()
        raise


# -- HTTP --------------------------------------------------------------------------------------------------------------


def _without_tls(target: Target) -> Finding:
    """Who comes without TLS is sent to https at once, with nothing said before, or finds nobody."""
    line = http.client.HTTPConnection(target.host, target.plain, timeout=PATIENCE)
    try:
        answer = _ask(line, target.host)
    except (OSError, http.client.HTTPException):
        return Finding(True, "without TLS", "nobody answers")
    there = urlsplit(answer.headers.get("location", ""))
    good = answer.status in {301, 308} and (there.scheme, there.hostname) == ("https", target.host)
    told = f"answers {answer.status}" + (f", to {there.scheme}://{there.hostname}" if there.hostname else "")
    return Finding(good and "set-cookie" not in answer.headers, "without TLS", told)


def _answers(target: Target) -> Iterator[Finding]:
    try:
        page = _page(target, target.host)
    except (OSError, http.client.HTTPException) as wrong:
        yield Finding(False, "page", f"could not be read ({type(wrong).__name__})")
        return
    yield Finding(page.status < 400, "page", f"answers {page.status}")
    yield from _headers(page.headers)
    yield from _cookies(page.headers.get_all("set-cookie") or [])
    yield from _names(target)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def _headers(headers: http.client.HTTPMessage) -> Iterator[Finding]:
    lasts = re.search(r"max-age=(\d+)", headers.get("strict-transport-security", ""))
    seconds = int(lasts[1]) if lasts else 0
    once = len(headers.get_all("strict-transport-security") or []) < 2
    yield Finding(seconds >= YEAR and once, "HSTS", f"{seconds // 86_400} days{'' if once else ', said twice'}")
    policies = headers.get_all("content-security-policy") or []
    strict = any("default-src 'none'" in each for each in policies) and "unsafe" not in " ".join(policies)
    yield Finding(strict, "content security policy", "strict" if strict else "missing, or weakened on the way")
    lost = [name for name, wanted in HEADERS.items() if wanted not in headers.get(name, "")]
    yield Finding(not lost, "other headers", f"lost on the way: {', '.join(lost)}" if lost else "as sent")


def _cookies(cookies: list[str]) -> Iterator[Finding]:
    wanted = ("secure", "httponly", "samesite=", "path=/")
    weak = [
        each.partition("=")[0]
        for each in cookies
        if not each.startswith("__Host-") or any(word not in each.lower() for word in wanted)
    ]
    yield Finding(
        not weak,
        "cookies",
        f"not bound to this host: {', '.join(weak)}" if weak else f"{len(cookies)}, bound to this host",
    )


def _names(target: Target) -> Iterator[Finding]:
    """A request for another name gets no page of ours, and a name that somebody claims to have been forwarded for shapes nothing."""
    other = _page(target, STRANGER)
    ours = other.status < 400 and "default-src 'none'" in other.headers.get("content-security-policy", "")
    yield Finding(not ours, "another name", f"answers {other.status}{', with our page' if ours else ''}")
    claimed = _page(
        target,
        target.host,
        {"X-Forwarded-Host": STRANGER, "Forwarded": f"host={STRANGER}", "X-Forwarded-Proto": "http"},
    )
    believed = (
        STRANGER in str(claimed.headers)
        or STRANGER.encode() in claimed.body
        or b"http://" + target.host.encode() in claimed.body
    )
    yield Finding(not believed, "claimed names", "believed" if believed else "not believed")


def _page(target: Target, name: str, more: dict[str, str] | None = None) -> Answer:
    return _ask(
        http.client.HTTPSConnection(target.host, target.port, timeout=PATIENCE, context=_careless()), name, more
    )


def _ask(line: http.client.HTTPConnection, name: str, more: dict[str, str] | None = None) -> Answer:
    """The page that everybody can see; redirects are not followed."""
    try:
        line.request("GET", PAGE, headers={"Host": name, **(more or {})})
        answer = line.getresponse()
        return Answer(answer.status, answer.headers, answer.read(1_000_000))
    finally:
        line.close()
