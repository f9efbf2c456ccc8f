"""Who a client is: `private_key_jwt` as SMART's asymmetric client authentication has it (RS384 and ES384), or a secret.

Checked: the signature by a registered key with the header's kid, iss = sub = client id, aud = the token URL, at most five
minutes to live, and a jti that was not used before. A client registered without keys is public and only names itself.
"""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from portal.sandbox.config import Client, SandboxConfig
from portal.sandbox.oauth_errors import InvalidClient
from portal.sandbox.store import Unit

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = {"RS384": "RSA", "ES384": "EC"}
LIFETIME, SKEW = 300, 10
LARGEST_JWKS = 100_000


def authenticated(
    unit: Unit, config: SandboxConfig, form: Mapping[str, str], basic: tuple[str, str] | None = None
) -> Client:
    """The client a token request comes from, by exactly one way. Raises InvalidClient; the jti is used up in `unit`."""
    assertion = form.get("client_assertion")
    if basic is not None:
        if assertion or "client_secret" in form:
            raise InvalidClient("Use one way to say who you are.")
        return _by_secret(config, *basic)
    if not assertion:
        return _public(config, form.get("client_id", ""))
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise InvalidClient(f"client_assertion_type must be {ASSERTION_TYPE}.")
    header, claims = _unverified(assertion)
    client = config.client(str(claims.get("iss", "")))
    if client is None or client.public or client.secret is not None or form.get("client_id", client.id) != client.id:
        raise InvalidClient("The issuer of the assertion is not a registered client.")
    _verify(assertion, header, client)
    _check_claims(claims, client, config, unit.now.timestamp())
    _use_up(unit, client, claims)
    return client


def _by_secret(config: SandboxConfig, client_id: str, secret: str) -> Client:
    client = config.client(client_id)
    if client is None or client.secret is None or not secrets.compare_digest(client.secret.encode(), secret.encode()):
        raise InvalidClient("The client or its secret is unknown.")
    return client


def _public(config: SandboxConfig, client_id: str) -> Client:
    client = config.client(client_id)
    if client is None or not client.public:
        raise InvalidClient("A client_assertion is needed.")
    return client


def _unverified(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        parts = jws.extract_compact(assertion.encode())
        claims = json.loads(parts.payload)
    except (JoseError, ValueError) as wrong:
        raise InvalidClient("The client_assertion is not a JWT.") from wrong
    if not isinstance(claims, dict):
        raise InvalidClient("The client_assertion holds no claims.")
    return dict(parts.headers()), claims


def _verify(assertion: str, header: Mapping[str, Any], client: Client) -> None:
    algorithm = str(header.get("alg", ""))
    if algorithm not in ALGORITHMS:
        raise InvalidClient(f"The assertion must be signed with {' or '.join(ALGORITHMS)}.")
    if "jku" in header and header["jku"] != client.jwks_url:
        raise InvalidClient("jku is not the registered JWKS URL.")
    key = _key(client, header.get("kid"), ALGORITHMS[algorithm])
    try:
        jwt.decode(assertion, key, algorithms=[algorithm])
    except (JoseError, ValueError) as wrong:
        raise InvalidClient("The signature of the assertion does not verify.") from wrong


def _key(client: Client, kid: object, key_type: str) -> RSAKey | ECKey:
    """The registered key with this kid. Keys of other types in the set do not matter."""
    document = client.jwks if client.jwks is not None else _fetched(str(client.jwks_url))
    for jwk in document.get("keys", []):
        if isinstance(jwk, dict) and kid and jwk.get("kid") == kid and jwk.get("kty") == key_type:
            public = {name: value for name, value in jwk.items() if name in ("kty", "kid", "n", "e", "crv", "x", "y")}
            found = import_key(public)
            if isinstance(found, (RSAKey, ECKey)):
                return found
    raise InvalidClient("No registered key has the kid of the assertion.")


def _fetched(url: str) -> dict[str, Any]:
    """A client's JWKS, fetched anew each time (a sandbox may), https or on this machine only."""
    address = urlsplit(url)
    here = address.scheme == "http" and address.hostname in ("127.0.0.1", "localhost", "::1")
    if address.scheme != "https" and not here:
        raise InvalidClient("The registered JWKS URL is not https.")
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  (the scheme is checked above)
            document = json.loads(answer.read(LARGEST_JWKS))
    except (urllib.error.URLError, OSError, ValueError) as wrong:
        raise InvalidClient("The registered JWKS URL could not be read.") from wrong
    return document if isinstance(document, dict) else {}


def _check_claims(claims: Mapping[str, Any], client: Client, config: SandboxConfig, now: float) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    expires = claims.get("exp")
    if claims.get("sub") != client.id:
        raise InvalidClient("iss and sub must both be the client id.")
    if config.token_url not in audiences:
        raise InvalidClient(f"aud must be {config.token_url}.")
    if not isinstance(expires, (int, float)) or isinstance(expires, bool) or expires <= now - SKEW:
        raise InvalidClient("The assertion has expired.")
    if expires > now + LIFETIME + SKEW:
        raise InvalidClient("The assertion may live five minutes at most.")
    for name in ("nbf", "iat"):
        if isinstance(claims.get(name), (int, float)) and claims[name] > now + SKEW:
            raise InvalidClient(f"{name} is in the future.")


def _use_up(unit: Unit, client: Client, claims: Mapping[str, Any]) -> None:
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti:
        raise InvalidClient("The assertion needs a jti.")
    unit.connection.execute("DELETE FROM assertion WHERE expires < ?", (unit.now.timestamp() - SKEW,))
    used = unit.connection.execute(
        "INSERT OR IGNORE INTO assertion (client, jti, expires) VALUES (?, ?, ?)", (client.id, jti, claims["exp"])
    )
    if used.rowcount == 0:
        raise InvalidClient("This jti was used before.")
