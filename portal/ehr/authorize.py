"""The way out to a clinic's sign-in: an authorization request with state, PKCE and nonce, each made for this one (SMART 2.2)."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from portal.ehr.discovery import Launching


@dataclass(frozen=True)
class Secrets:
    """Made afresh for each way out: `state` 256 bits, `verifier` 64 characters, `nonce` 256 bits."""

    state: str
    verifier: str
    nonce: str

    def __repr__(self) -> str:
        return "Secrets(…)"


@dataclass(frozen=True)
class WayOut:
    """Where the browser goes, with these fields: as a query, or as a form where the server prefers one."""

    address: str
    fields: dict[str, str]
    by_post: bool

    @property
    def url(self) -> str:
        joint = "&" if "?" in self.address else "?"
        return self.address + joint + urlencode(self.fields, quote_via=quote)

    def __repr__(self) -> str:
        return f"WayOut({self.address})"


def make_secrets() -> Secrets:
    return Secrets(secrets.token_urlsafe(32), secrets.token_urlsafe(48), secrets.token_urlsafe(32))


def challenge(verifier: str) -> str:
    """RFC 7636, S256."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def request(
    at: Launching, *, base: str, client_id: str, redirect_uri: str, scope: str, made: Secrets, launch: str | None = None
) -> WayOut:
    """The request; `launch` is the EHR's own word for its context and only there when the EHR gave one."""
    fields = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": made.state,
        "aud": base,
        "code_challenge": challenge(made.verifier),
        "code_challenge_method": "S256",
    }
    if "openid" in scope.split():
        fields["nonce"] = made.nonce
    if {"openid", "offline_access"} <= set(scope.split()):
        fields["prompt"] = "consent"  # OpenID Connect 11: without it a server must leave a lasting permission out
    if launch is not None:
        fields["launch"] = launch
    return WayOut(at.authorization, fields, at.takes_post)
