"""Who signed in: an id_token checked as OpenID Connect wants it, and its fhirUser as a reference (SMART 2.2; bar 34). Pure."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from portal.ehr.errors import NotProven
from portal.fhir.resources import Json, parse_reference

ALGORITHMS = {"RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "ES256": "EC", "ES384": "EC"}
"""Signatures we believe: only those whose key cannot be somebody's public key used as a password."""
LARGEST, SKEW, OLDEST = 16_384, 60, 3600
LONGEST_AGO = 12 * 3600
"""Seconds: a session of ours lasts no longer either."""
FOREIGN_KEYS = ("jku", "jwk", "x5u", "x5c", "crit", "zip", "enc")
USERS = frozenset({"Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person"})
PUBLIC = ("kty", "kid", "n", "e", "crv", "x", "y")


@dataclass(frozen=True)
class Identity:
    """`subject` is who it is at `issuer`; `user` their record at this server (`Practitioner/7`), or None when it is not told.

    `means` is how they proved it there, as far as it is told (acr and every word of amr); `proved_at` when (auth_time).
    """

    issuer: str
    subject: str
    user: str | None
    means: frozenset[str] = frozenset()
    proved_at: float | None = None

    def strong(self, demanded: frozenset[str], now: datetime) -> bool:
        """Whether one of the demanded words was said, of a proof that is not older than LONGEST_AGO. With no demand: always."""
        lately = self.proved_at is None or self.proved_at > now.timestamp() - LONGEST_AGO
        return not demanded or (lately and bool(self.means & demanded))

    def __repr__(self) -> str:
        return "Identity(…)"


class UnknownKey(NotProven):
    """Signed by a key that is not in the set we have; a newer set may hold it."""

    sentence = "The sign-in at the clinic's system was signed with an unknown key."


def check(token: Any, jwks: Json, *, issuer: str, client_id: str, nonce: str, base: str, now: datetime) -> Identity:
    """The identity that `token` proves, or NotProven (UnknownKey when another key set might help)."""
    header = _header(token)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or any(name in header for name in FOREIGN_KEYS):
        raise NotProven
    for key in _keys(jwks, header.get("kid"), algorithm):
        try:
            claims = jwt.decode(token, key, algorithms=[algorithm]).claims
        except (JoseError, ValueError, TypeError):
            continue
        return _judged(claims, issuer, client_id, nonce, base, now.timestamp())
    raise NotProven


def _header(token: Any) -> Json:
    if not isinstance(token, str) or len(token) > LARGEST or token.count(".") != 2 or not token.isascii():
        raise NotProven
    head = token.partition(".")[0]
    try:
        found = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError) as wrong:
        raise NotProven from wrong
    if not isinstance(found, dict):
        raise NotProven
    return found


def _keys(jwks: Json, kid: Any, algorithm: str) -> Iterable[RSAKey | ECKey]:
    """The keys that may have signed it: the one with its kid; without a kid the only one of its kind."""
    held = (
        [each for each in jwks.get("keys", []) if isinstance(each, dict)] if isinstance(jwks.get("keys"), list) else []
    )
    fits = [each for each in held if _fits(each, algorithm)]
    named = [each for each in fits if kid is not None and each.get("kid") == kid]
    if kid is None and len(fits) == 1:
        named = fits
    if not named:
        raise UnknownKey
    return [key for each in named[:4] if (key := _imported(each)) is not None]


def _fits(jwk: Json, algorithm: str) -> bool:
    return (
        jwk.get("kty") == ALGORITHMS[algorithm]
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", algorithm) == algorithm
    )


def _imported(jwk: Json) -> RSAKey | ECKey | None:
    try:
        key = import_key({name: jwk[name] for name in PUBLIC if isinstance(jwk.get(name), str)})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, RSAKey | ECKey) else None


def _judged(claims: Json, issuer: str, client_id: str, nonce: str, base: str, now: float) -> Identity:
    audience = claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    subject = claims.get("sub")
    holds = (
        claims.get("iss") == issuer
        and client_id in listed
        and (len(listed) == 1 or "azp" in claims)
        and claims.get("azp", client_id) == client_id
        and claims.get("nonce") == nonce
        and _time(claims.get("exp")) > now - SKEW
        and now - OLDEST < _time(claims.get("iat")) <= now + SKEW
        and ("nbf" not in claims or _time(claims.get("nbf")) <= now + SKEW)
        and isinstance(subject, str)
        and 0 < len(subject) <= 300
    )
    if not holds:
        raise NotProven
    told = claims.get("auth_time")
    proved_at = None if told is None else min(_time(told), now)
    return Identity(issuer, str(subject), user_at(claims.get("fhirUser"), base), _means(claims), proved_at)


def _means(claims: Json) -> frozenset[str]:
    """acr and amr, as far as they are what they should be: words, and not a page of them."""
    methods = claims.get("amr")
    said = [claims.get("acr"), *(methods if isinstance(methods, list) else [])][:20]
    return frozenset(each for each in said if isinstance(each, str) and 0 < len(each) <= 100 and each.isprintable())


def _time(value: Any) -> float:
    """Seconds since 1970; what is no number lies before all time."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("-inf")


def user_at(said: Any, base: str) -> str | None:
    """fhirUser, relative or absolute, as `Type/id` of the server at `base`; None for another server's or what is no person."""
    ref = parse_reference(said)
    if ref is None or ref.type not in USERS or (ref.base is not None and ref.base.rstrip("/") != base.rstrip("/")):
        return None
    return ref.key
