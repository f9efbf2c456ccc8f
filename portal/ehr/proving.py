"""What a way back is worth: the code becomes tokens, the id_token an identity, and whose record it is is checked, not assumed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from portal.clock import now
from portal.db import session, transaction
from portal.ehr import answers, connections, grants, identity, registration, smart
from portal.ehr.discovery import Launching
from portal.ehr.errors import EhrError, NoCredential, NotProven
from portal.ehr.http import BRISK, Limits
from portal.ehr.identity import Identity, UnknownKey
from portal.ehr.launch_models import Launch, LaunchClient
from portal.ehr.launches import Answered
from portal.ehr.models import Connection
from portal.ehr.smart import Granted
from portal.fhir.resources import ID, Json, objects_at, parse_reference, text_at

KEYS_LAST = timedelta(hours=24)
QUICK = Limits(connect=2.0, read=3.0, total=4.0)
"""For giving tokens back: somebody is waiting for a page, and a token that is not given back ends by itself."""


@dataclass(frozen=True)
class Proven:
    """A finished sign-in: `identity` when the server says who it was, `patient` the id of the record that was chosen or open."""

    launch: Launch
    connection: Connection
    client: LaunchClient
    granted: Granted
    identity: Identity | None
    patient: str | None

    def __repr__(self) -> str:
        return "Proven(…)"

    def give_back(self) -> None:
        """Ask the server to forget the tokens: we do not need them (any more)."""
        secrets = {"refresh": self.granted.more.get("refresh_token"), "token": self.granted.token}
        for name, secret in secrets.items():
            if isinstance(secret, str) and secret:
                grants.revoke(self.connection, self.client, secret, name, QUICK)


def prove(answered: Answered, limits: Limits = BRISK) -> Proven:
    """Exchange the code, once, and check what came. Raises NotProven (the tokens are given back), NotReached, TryLater."""
    row = answered.launch
    connection = session().get_one(Connection, row.connection_id)
    client = registration.of(connection.id)
    if client is None or connections.obstacle(connection):
        raise NotProven
    at = connections.launching(connection, client.method, limits)
    granted = _exchange(connection, client, at, row, answered.code, limits)
    proven = Proven(row, connection, client, granted, None, None)
    try:
        who = _identity(connection, client, at, row, granted, limits) if "openid" in row.scope.split() else None
        patient = _patient(granted.more)
        if patient is None and "launch/patient" in row.scope.split():
            raise NotProven("The clinic's system did not say whose record it is. Nothing was connected.")
    except EhrError:
        proven.give_back()
        raise
    return Proven(row, connection, client, granted, who, patient)


def _exchange(
    connection: Connection, client: LaunchClient, at: Launching, row: Launch, code: str, limits: Limits
) -> Granted:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": row.redirect_uri,
        "code_verifier": row.held["verifier"],
    }
    scope = row.scope
    wire, proof = connections.wire(connection, at.token), registration.proof(connection, client, at.algorithms)
    session().commit()  # nothing is held open in the database while we wait for the network
    try:
        return smart.read_token(smart.post_form(wire, at.token, form, proof, now(), limits), scope, now())
    except NoCredential as refusal:
        raise NotProven from refusal


def _identity(
    connection: Connection, client: LaunchClient, at: Launching, row: Launch, granted: Granted, limits: Limits
) -> Identity:
    """The id_token's; a key that we do not know is looked for once in the set as it is now."""

    def check(jwks: Json) -> Identity:
        return identity.check(
            granted.more.get("id_token"),
            jwks,
            issuer=at.issuer or "",
            client_id=client.client_id,
            nonce=row.held["nonce"],
            base=connection.base_url,
            now=now(),
        )

    jwks, fresh = _jwks(connection, at, limits)
    try:
        return check(jwks)
    except UnknownKey:
        if fresh:
            raise
    return check(_fetch_jwks(connection, at, limits))


def _jwks(connection: Connection, at: Launching, limits: Limits) -> tuple[Json, bool]:
    """The server's keys, and whether they were fetched just now."""
    kept, fetched_at = connection.jwks, connection.jwks_at
    if kept is not None and fetched_at is not None and now() - fetched_at < KEYS_LAST:
        return kept, False
    return _fetch_jwks(connection, at, limits), True


def _fetch_jwks(connection: Connection, at: Launching, limits: Limits) -> Json:
    url = at.jwks or _from_openid(connection, at, limits)
    wire = connections.wire(connection, url)
    session().commit()  # nothing is held open in the database while we wait for the network
    answer = wire.send("GET", url, headers={"Accept": "application/json"}, limits=limits)
    answers.raise_for(answer, now())
    found = {"keys": [each for each in objects_at(answers.json_object(answer), "keys")][:100]}
    with transaction():
        connection.jwks, connection.jwks_at = found, now()
    return found


def _from_openid(connection: Connection, at: Launching, limits: Limits) -> str:
    """The key address of a server that gives it only in its OpenID description (218)."""
    issuer = (at.issuer or "").rstrip("/")
    url = f"{issuer}/.well-known/openid-configuration"
    allowed = [connection.base_url, *connection.auth_origins]
    answer = connections.wire_to_origin(connection, url, allowed).send(
        "GET", url, headers={"Accept": "application/json"}, limits=limits
    )
    document = answers.document(answer, now())
    found = text_at(document, "jwks_uri")
    if text_at(document, "issuer") != at.issuer or not connections.on_origin(found, allowed):
        raise NotProven
    return found


def _patient(more: Json) -> str | None:
    said: Any = more.get("patient")
    return said if isinstance(said, str) and ID.fullmatch(said) else None


def launch_context(more: Json) -> tuple[str, ...]:
    """What else was open in the EHR, as `Type/id`: members of fhirContext whose role is `launch`, or that name no role (191)."""
    refs = [
        parse_reference(each.get("reference"))
        for each in objects_at(more, "fhirContext")
        if each.get("role", "launch") == "launch"
    ]
    return tuple(ref.key for ref in refs if ref is not None)
