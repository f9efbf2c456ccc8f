"""A clinic's sign-in for tests: an authorization server that answers as it is told, and the walk out to it and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from portal.actors import Actor, Role
from portal.clock import now
from portal.db import new_id, session, transaction
from portal.ehr import launching, registration
from portal.ehr.authorize import WayOut
from portal.ehr.http import Limits
from portal.ehr.launching import Landed, Visitor
from portal.ehr.models import Connection

from .hostile import Hostile, Say, Seen
from .make import Place

JSON = {"Content-Type": "application/json"}
QUICK = Limits(connect=1, read=2, total=4)
SITE = "https://intake.example.org"
BROWSER = Visitor("a-browser-of-its-own", "192.0.2.7", SITE)
CLIENT_ID = "previsit-people"
PRACTITIONER = "Practitioner/dr-lee"


@cache
def server_key(kid: str = "k1") -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid})


def public(key: RSAKey) -> dict[str, Any]:
    return {**key.as_dict(private=False), "use": "sig"}


@dataclass
class SignIn:
    """What the clinic's authorization server says. `claims`, `header` and `token` change or (None) leave out members."""

    server: Hostile
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=server_key)
    keys: list[dict[str, Any]] = field(default_factory=lambda: [public(server_key())])
    sign: Callable[[dict[str, Any], dict[str, Any]], str] | None = None
    nonce: str = ""
    client_id: str = CLIENT_ID

    def open(self) -> None:
        """Be that server."""
        said = {
            "issuer": self.server.url,
            "authorization_endpoint": f"{self.server.url}/authorize",
            "revocation_endpoint": f"{self.server.url}/revoke",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "grant_types_supported": ["client_credentials", "authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
            "capabilities": ["client-public", "permission-v2", "launch-ehr", "sso-openid-connect"],
        }
        self.server.smart(**(said | self.document))
        self.server.on["POST /token"] = self._answer
        self.server.on["GET /jwks"] = lambda _: Say(200, {"keys": self.keys}, JSON)
        self.server.on["POST /revoke"] = Say(200, b"", {})

    def _answer(self, seen: Seen) -> Say:
        if seen.form["grant_type"] == "client_credentials":
            return self.server.grant(seen)
        number = len(self.asked())
        said: dict[str, Any] = {
            "access_token": f"person-{number}",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "openid fhirUser launch/patient offline_access patient/*.rs",
            "patient": "p1",
            "refresh_token": f"refresh-{number}",
        }
        if seen.form["grant_type"] == "authorization_code":
            said["id_token"] = self.id_token()
        said |= self.token
        return Say(200, {name: value for name, value in said.items() if value is not None}, JSON)

    def id_token(self) -> str:
        at = int(now().timestamp())
        claims: dict[str, Any] = {
            "iss": self.server.url,
            "sub": "somebody",
            "aud": self.client_id,
            "iat": at,
            "exp": at + 300,
            "nonce": self.nonce,
            "fhirUser": "Patient/p1",
        }
        claims = {name: value for name, value in (claims | self.claims).items() if value is not None}
        header = {
            name: value
            for name, value in ({"alg": "RS256", "kid": "k1", "typ": "JWT"} | self.header).items()
            if value is not None
        }
        return self.sign(header, claims) if self.sign else jwt.encode(header, claims, self.key)

    def asked(self) -> list[dict[str, str]]:
        """The forms of people's token requests so far."""
        return [
            each.form
            for each in self.server.seen
            if each.path == "/token" and each.form["grant_type"] != "client_credentials"
        ]

    def given_back(self) -> list[str]:
        return [each.form["token"] for each in self.server.seen if each.path == "/revoke"]


@dataclass
class Scene:
    """A clinic whose system people can sign in at, with a patient tied to Patient/p1 and somebody on the staff."""

    place: Place
    connection: Connection
    at: SignIn
    patient: Actor
    clinician: Actor
    browser: Visitor = BROWSER

    def connect(self, actor: Actor | None = None) -> WayOut:
        return self._went(launching.connect(actor or self.patient, self.connection.id, self.browser, QUICK))

    def sign_in(self) -> WayOut:
        return self._went(launching.sign_in(self.connection.id, self.browser, QUICK))

    def from_ehr(self, launch: str = "xyz", iss: str | None = None) -> WayOut:
        iss = self.connection.base_url if iss is None else iss
        return self._went(launching.from_ehr(iss, launch, self.browser, limits=QUICK))

    def _went(self, way: WayOut) -> WayOut:
        self.at.nonce = way.fields.get("nonce", "")
        return way

    def back(self, way: WayOut, actor: Actor | None = None, browser: str | None = None, **query: Any) -> Landed:
        """The browser returns; `query` changes or (None) leaves out what the server sent with it."""
        said = {"state": way.fields["state"], "code": "a-code", "iss": self.at.server.url} | query
        listed = {
            name: value if isinstance(value, list) else [value] for name, value in said.items() if value is not None
        }
        word = self.browser.browser if browser is None else browser
        return launching.land(self.connection.id, listed, word, actor, QUICK)


def scene(clinic: Place, server: Hostile, *, method: str = "none", secret: str = "", **document: Any) -> Scene:
    at = SignIn(server, document=document)
    at.open()
    connection = clinic.connect(server.base)
    registration.register(
        clinic.admin,
        connection.id,
        client_id=CLIENT_ID,
        method=method,
        secret=secret,
        for_patients=True,
        for_staff=True,
    )
    patient = clinic.patient(connection, "p1")
    return Scene(clinic, connection, at, with_account(patient), with_account(clinic.clerk))


def with_account(actor: Actor) -> Actor:
    """The actor with an account that they could sign in to."""
    from portal.accounts.models import Account

    with transaction():
        row = Account(
            clinic_id=actor.clinic_id,
            role=actor.role.value,
            patient_id=actor.patient_id,
            email_index=new_id(),
            password_hash="",
            made_at=now(),
            profile={"name": actor.name, "email": f"{new_id()}@example.org", "language": "en"},
        )
        session().add(row)
    return Actor(Role(actor.role), actor.clinic_id, row.id, actor.patient_id, actor.name)
