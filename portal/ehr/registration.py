"""Our registration at a clinic's server for sign-ins of people: who may come that way, and how we prove that it is us."""

from collections.abc import Iterable

from sqlalchemy import select

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import keys, scopes
from portal.ehr.launch_models import METHODS, LaunchClient
from portal.ehr.models import Connection
from portal.ehr.registering import allow, owned
from portal.ehr.smart import Proof
from portal.errors import Issue


def of(connection_id: str) -> LaunchClient | None:
    return session().scalars(select(LaunchClient).where(LaunchClient.connection_id == connection_id)).one_or_none()


def proof(connection: Connection, client: LaunchClient, algorithms: Iterable[str]) -> Proof:
    """Who we are at this server's token endpoint. NoCredential when it takes no key of ours."""
    if client.method == "private_key_jwt":
        return Proof(client.client_id, signer=keys.signer(connection.id, algorithms, now()))
    if client.method == "client_secret_basic":
        return Proof(client.client_id, secret=client.secret["secret"])
    return Proof(client.client_id)


def not_given(scope: str) -> tuple[str, ...]:
    """The kinds of entries that a connected patient's permission does not let us read."""
    return tuple(each.partition(".")[0] for each in scopes.missing(scope, scopes.READS))


def issues(client_id: str, method: str, secret: str, *, has_secret: bool) -> list[Issue]:
    """What is wrong with a registration for sign-ins; [] when `register` will take it."""
    found = []
    if not client_id.strip() or len(client_id) > 200 or not client_id.isprintable():
        found.append(Issue("client_id", "required", "Give the client id that the clinic's system knows us by."))
    if method not in METHODS:
        found.append(Issue("method", "required", "Choose how Previsit proves who it is."))
    if method == "client_secret_basic" and not secret and not has_secret:
        found.append(Issue("secret", "required", "Give the secret that the clinic's system has for us."))
    if len(secret) > 500 or not secret.isprintable():
        found.append(Issue("secret", "odd", "The secret may have up to 500 letters, without line breaks."))
    return found


def register(
    actor: Actor,
    connection_id: str,
    *,
    client_id: str,
    method: str,
    secret: str = "",
    for_patients: bool,
    for_staff: bool,
) -> LaunchClient:
    """Say how people may sign in at this server. A secret that is left empty stays as it was. ValueError when `issues` finds any."""
    allow(actor)
    connection = owned(actor, connection_id)
    row = of(connection.id)
    if issues(client_id, method, secret, has_secret=row is not None and row.secret_sealed is not None):
        raise ValueError("the registration has issues")
    with transaction() as current:
        if row is None:
            row = LaunchClient(
                clinic_id=connection.clinic_id,
                connection_id=connection.id,
                client_id=client_id.strip(),
                method="none",
                for_patients=False,
                for_staff=False,
            )
            current.add(row)
        row.client_id, row.method = client_id.strip(), method
        row.for_patients, row.for_staff = for_patients, for_staff
        if method != "client_secret_basic":
            row.secret = None
        elif secret:
            row.secret = {"secret": secret}
        current.flush()
        who = [name for name, may in (("patients", for_patients), ("staff", for_staff)) if may]
        detail = {"what": "sign-in set", "for": who, "method": method}
        audit.record(actor, Event.CONNECTION_CHANGED, subject=f"connections:{connection.id}", detail=detail)
    return row
