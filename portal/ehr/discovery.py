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
    pkce: bool


def discover(
    wire: Wire, base: str, allowed: Iterable[str], now: datetime, limits: Limits = PATIENT
) -> tuple[Endpoints, Json]:
    """The endpoints and the document as it came. NotSmart when it cannot be used; NotReached, TryLater when there is none now."""
    answer = wire.send(
        "GET", f"{base}/.well-known/smart-configuration", headers={"Accept": "application/json"}, limits=limits
    )
    try:
        document = answers.document(answer, now)
    except (NotReached, TryLater):
        raise
    except EhrError as wrong:
        raise NotSmart(
            f"The address {base}/.well-known/smart-configuration gives no description of how to sign in."
        ) from wrong
    return judge(document, base, allowed), document


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
        authorization=_endpoint(document, "authorization_endpoint", base, origins)
        if document.get("authorization_endpoint")
        else None,
        capabilities=_said(document, "capabilities"),
        algorithms=ours,
        scopes=_said(document, "scopes_supported"),
        pkce="S256" in _said(document, "code_challenge_methods_supported"),
    )


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
