"""SMART discovery: `.well-known/smart-configuration` read, judged and kept (SMART 2.2; requirements 29, 227, 379)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from portal.ehr import address, answers
from portal.ehr.errors import EhrError, NotReached, NotSmart, TryLater, Unregistered
from portal.ehr.http import PATIENT, Limits, Wire
from portal.fhir.resources import Json, at

ALGORITHMS = ("ES384", "RS384")
"""What we can sign with, the one we prefer first."""


@dataclass(frozen=True)
class Endpoints:
    """What we use of the document; `algorithms` are those of ours that the server takes, best first."""

    token: str
    issuer: str | None
    authorization: str | None
    capabilities: tuple[str, ...]
    algorithms: tuple[str, ...]
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Launching:
    """What a sign-in of a person needs of the document. `identity` tells whether the server says who signed in."""

    authorization: str
    token: str
    issuer: str | None
    jwks: str | None
    revocation: str | None
    capabilities: tuple[str, ...]
    algorithms: tuple[str, ...]
    names_issuer: bool

    @property
    def identity(self) -> bool:
        return self.issuer is not None

    @property
    def takes_post(self) -> bool:
        return "authorize-post" in self.capabilities


def discover(
    wire: Wire, base: str, allowed: Iterable[str], now: datetime, limits: Limits = PATIENT
) -> tuple[Endpoints, Json]:
    """The endpoints and the document as it came. NotSmart when it cannot be used; NotReached, TryLater when there is none now."""
    document = fetch(wire, base, now, limits)
    return judge(document, base, allowed), document


def fetch(wire: Wire, base: str, now: datetime, limits: Limits = PATIENT) -> Json:
    """The document itself, not judged yet."""
    answer = wire.send(
        "GET", f"{base}/.well-known/smart-configuration", headers={"Accept": "application/json"}, limits=limits
    )
    try:
        return answers.document(answer, now)
    except (NotReached, TryLater):
        raise
    except EhrError as wrong:
        raise NotSmart(
            f"The address {base}/.well-known/smart-configuration gives no description of how to sign in."
        ) from wrong


def judge_launch(document: Json, base: str, allowed: Iterable[str], method: str) -> Launching:
    """`document` as what a person's sign-in needs, or NotSmart. `method` is how we are registered at the token endpoint."""
    origins = {address.origin(base), *allowed}
    if "S256" not in _said(document, "code_challenge_methods_supported"):
        raise NotSmart("The clinic's system does not offer a safe sign-in (PKCE with S256).")
    methods = _said(document, "token_endpoint_auth_methods_supported")
    if methods and method != "none" and method not in methods:  # "none" is often left out where it is taken
        raise NotSmart(f"The clinic's system does not take the way in which we are registered ({method}).")
    said = _said(document, "token_endpoint_auth_signing_alg_values_supported")
    issuer = document.get("issuer")
    return Launching(
        authorization=_endpoint(document, "authorization_endpoint", base, origins),
        token=_endpoint(document, "token_endpoint", base, origins),
        issuer=issuer if isinstance(issuer, str) and issuer else None,
        jwks=_maybe(document, "jwks_uri", base, origins),
        revocation=_maybe(document, "revocation_endpoint", base, origins),
        capabilities=_said(document, "capabilities"),
        algorithms=tuple(each for each in ALGORITHMS if not said or each in said),
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def judge(document: Json, base: str, allowed: Iterable[str]) -> Endpoints:
    """`document` as endpoints on the origins `allowed` (those an administrator confirmed), or NotSmart with what is wrong."""
    origins = {address.origin(base), *allowed}
    algorithms = _said(document, "token_endpoint_auth_signing_alg_values_supported")
    methods = _said(document, "token_endpoint_auth_methods_supported")
    grants = _said(document, "grant_types_supported")
    if methods and "private_key_jwt" not in methods:
        raise NotSmart("The clinic's system does not take a signed key (private_key_jwt).")
    if grants and "client_credentials" not in grants:
        raise NotSmart("The clinic's system does not offer the sign-in for systems (client_credentials).")
    ours = tuple(each for each in ALGORITHMS if not algorithms or each in algorithms)
    if not ours:
        raise NotSmart("The clinic's system takes neither ES384 nor RS384 signatures.")
    return Endpoints(
        token=_endpoint(document, "token_endpoint", base, origins),
        issuer=at(document, "issuer") if isinstance(at(document, "issuer"), str) else None,
        authorization=_maybe(document, "authorization_endpoint", base, origins),
        capabilities=_said(document, "capabilities"),
        algorithms=ours,
        scopes=_said(document, "scopes_supported"),
    )


def _maybe(document: Json, name: str, base: str, origins: set[str]) -> str | None:
    return _endpoint(document, name, base, origins) if document.get(name) else None


def _endpoint(document: Json, name: str, base: str, origins: set[str]) -> str:
    said = at(document, name)
    if not isinstance(said, str) or not said:
        raise NotSmart(f"The clinic's system does not say where its {name} is.")
    found = urljoin(base, said)
    try:
        origin = address.origin(found)
    except Unregistered as wrong:
        raise NotSmart(f"The {name} of the clinic's system is not an address.") from wrong
    if origin not in origins:
        raise NotSmart(f"The {name} of the clinic's system is on another host than was confirmed: {origin}")
    return found


def _said(document: Json, name: str) -> tuple[str, ...]:
    found: Any = document.get(name)
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()
