"""The token endpoint: our proof (a one-time signed assertion, a secret, or only our name) and a grant in, a token out (SMART 2.2)."""

import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from portal.ehr import answers
from portal.ehr.errors import NoCredential, NotReached
from portal.ehr.http import PATIENT, Answer, Limits, Wire
from portal.fhir import exact
from portal.fhir.resources import Json, text_at

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 240
"""Well under the five minutes that the standard allows, so that a clock a little ahead does no harm."""
SHORTEST_LIFE, USUAL_LIFE, LONGEST_LIFE = 15, 300, 86_400
TERMINAL = frozenset(
    {
        "invalid_client",
        "invalid_request",
        "unauthorized_client",
        "invalid_scope",
        "unsupported_grant_type",
        "invalid_grant",
    }
)

PrivateKey = RSAKey | ECKey


@dataclass(frozen=True)
class Signer:
    """A key of ours with its name and algorithm."""

    kid: str
    algorithm: str
    key: PrivateKey

    def __repr__(self) -> str:
        return f"Signer({self.kid}, {self.algorithm})"


@dataclass(frozen=True)
class Granted:
    """An access token. `scope` is what was granted, which may be less than was asked."""

    token: str
    scope: str
    expires_at: datetime
    more: Json = field(default_factory=dict)
    """the answer's other members: refresh_token, id_token, patient, what else a server tells"""

    def __repr__(self) -> str:
        return f"Granted(scope={self.scope!r}, expires_at={self.expires_at})"


def assertion(client_id: str, token_url: str, signer: Signer, now: datetime) -> str:
    """A JWT for one token request; its `jti` is never used twice, not even for a repetition."""
    header = {"alg": signer.algorithm, "kid": signer.kid, "typ": "JWT"}
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": token_url,
        "exp": int((now + timedelta(seconds=ASSERTION_SECONDS)).timestamp()),
        "jti": secrets.token_urlsafe(32),
    }
    return jwt.encode(header, claims, signer.key, algorithms=[signer.algorithm])


def request_token(
    wire: Wire, token_url: str, client_id: str, scope: str, signer: Signer, now: datetime, limits: Limits = PATIENT
) -> Granted:
    """A fresh access token. Raises NotReached, or NoCredential with the server's OAuth error (`terminal` or worth a retry)."""
    form = {"grant_type": "client_credentials", "scope": scope}
    answer = post_form(wire, token_url, form, Proof(client_id, signer=signer), now, limits)
    return read_token(answer, scope, now)


@dataclass(frozen=True)
class Proof:
    """Who we are at a token endpoint: a key (`private_key_jwt`), a secret (`client_secret_basic`), or nobody but our name."""

    client_id: str
    signer: Signer | None = None
    secret: str | None = None

    def __repr__(self) -> str:
        return f"Proof({self.client_id!r})"

    def into(self, url: str, now: datetime) -> tuple[dict[str, str], dict[str, str]]:
        """What goes into the form and into the headers, of exactly one way."""
        if self.signer is not None:
            signed = assertion(self.client_id, url, self.signer, now)
            return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}, {}
        if self.secret is not None:
            pair = f"{quote(self.client_id, safe='')}:{quote(self.secret, safe='')}"
            return {}, {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        return {"client_id": self.client_id}, {}


def post_form(
    wire: Wire,
    url: str,
    form: Mapping[str, str],
    proof: Proof,
    now: datetime,
    limits: Limits = PATIENT,
    aud: str | None = None,
) -> Answer:
    """A form to an endpoint of the authorization server, with our proof; `aud` where the assertion names another address."""
    also, headers = proof.into(aud or url, now)
    named = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", **headers}
    return wire.send("POST", url, headers=named, body=urlencode({**form, **also}).encode(), limits=limits, fresh=True)


def read_token(answer: Answer, asked: str, now: datetime) -> Granted:
    """The token in a token endpoint's answer; unknown members do not matter, a member `error` does, even beside a 200."""
    if not answer.whole or answer.status is None:
        raise NotReached(answer.failure or "reset", sent=answer.sent)
    body = _object(answer)
    error = text_at(body, "error")
    if error or answer.status != 200:
        raise _refusal(answer, error, now)
    token, kind = body.get("access_token"), text_at(body, "token_type")
    if not isinstance(token, str) or not _usable(token):
        raise NoCredential("no access_token in the answer", terminal=False)
    if kind.lower() != "bearer":
        raise NoCredential("a token of another type than Bearer", terminal=True)
    scope = body.get("scope")
    more = {name: value for name, value in body.items() if name != "access_token"}
    life = timedelta(seconds=_life(body.get("expires_in")))
    return Granted(token, scope if isinstance(scope, str) else asked, now + life, more)


def _refusal(answer: Answer, error: str, now: datetime) -> NoCredential:
    code = error if error.isascii() and error.replace("_", "").isalnum() and len(error) <= 40 else ""
    wait = answers.retry_after(answer.headers, now)
    terminal = code in TERMINAL or (not code and answer.status in (400, 401, 403, 404, 405))
    return NoCredential(code or f"HTTP {answer.status}", terminal=terminal, retry_after=wait)


def _object(answer: Answer) -> Json:
    try:
        found = exact.loads(answer.body)
    except exact.UnreadableJson:
        return {}
    return found if isinstance(found, dict) else {}


def _usable(token: str) -> bool:
    """RFC 6750's b64token, loosely: visible ASCII, so that it can stand in a header and in nothing else."""
    return 0 < len(token) <= 16_384 and token.isascii() and all("!" <= letter <= "~" for letter in token)


def _life(expires_in: Any) -> int:
    """Seconds a token lives: a missing or odd `expires_in` counts as five minutes, a text of digits as its number."""
    if isinstance(expires_in, str) and expires_in.isascii() and expires_in.isdigit() and len(expires_in) < 10:
        expires_in = int(expires_in)
    if isinstance(expires_in, bool) or not isinstance(expires_in, int):
        return USUAL_LIFE
    return min(max(expires_in, SHORTEST_LIFE), LONGEST_LIFE)
