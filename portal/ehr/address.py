"""Addresses: which ones may be registered, and whether an address is inside a registered server. Nothing is looked up here."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from portal.ehr.errors import Unregistered
from portal.errors import Issue

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
METADATA = frozenset({"169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192"})
_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/\-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?|\"\[\]{}^\-]*)?",
    re.IGNORECASE,
)
_CLIMBING = re.compile(r"(?:^|/)\.{1,2}(?:/|$)|%2e|%2f|%5c|%00|//", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


def parse(url: str) -> Address:
    """Unregistered for anything but a plain http(s) address: no user part, fragment, backslash, blank, `..` or encoded slash."""
    if not isinstance(url, str) or len(url) > 8000 or not _PLAIN.fullmatch(url):
        raise Unregistered
    parts = urlsplit(url)
    try:
        port = parts.port or _PORTS[parts.scheme.lower()]
    except ValueError as wrong:
        raise Unregistered from wrong
    if _CLIMBING.search(parts.path) or not parts.hostname:
        raise Unregistered
    return Address(parts.scheme.lower(), parts.hostname.lower().rstrip("."), port, parts.path)


def inside(base: str, url: str) -> bool:
    """Whether `url` has exactly the origin of `base` and lies at or under its path."""
    try:
        ours, theirs = parse(base), parse(url)
    except Unregistered:
        return False
    path = ours.path.rstrip("/")
    return ours.origin == theirs.origin and (theirs.path.rstrip("/") == path or theirs.path.startswith(path + "/"))


def origin(url: str) -> str:
    return parse(url).origin


def issues(url: str) -> list[Issue]:
    """What is wrong with an address that an administrator wants to register; [] when it may be."""
    try:
        found = parse(url)
    except Unregistered:
        return [Issue("base_url", "address", "Give the address of the FHIR server, like https://ehr.example.org/fhir")]
    if "?" in url:
        return [Issue("base_url", "query", "The address must not have a question mark in it.")]
    if found.scheme != "https" and found.host not in LOOPBACK:
        return [Issue("base_url", "https", "The address must start with https://")]
    if _disguised(found.host) or not may_connect(found.host, found.host):
        return [Issue("base_url", "host", "This address is not one a clinic's system can have.")]
    return []


def _disguised(host: str) -> bool:
    """A number that a resolver would read as an IP address, though it does not look like one."""
    last = host.rsplit(".", 1)[-1]
    return _ip(host) is None and (last.isdigit() or last.lower().startswith("0x"))


def may_connect(host: str, ip: str) -> bool:
    """Whether a registered `host` may be reached at the address `ip` its name resolved to (a name that is no IP passes).

    Never link-local, multicast, unspecified or a cloud's metadata service; loopback only for a host that says so itself.
    """
    found = _ip(ip)
    if found is None:
        return True
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if str(found) in METADATA or found.is_link_local or found.is_multicast or found.is_unspecified:
        return False
    return not found.is_loopback or host in LOOPBACK


def _ip(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
