"""A patient's own permission to read their record: kept sealed, renewed by one process at a time, given back when they end it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from portal.actors import Actor, Role
from portal.audit import service as audit
from portal.audit.events import Event, Outcome
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import connections, registration, smart
from portal.ehr.client import FhirClient
from portal.ehr.errors import EhrError, NoCredential
from portal.ehr.http import BRISK, Limits
from portal.ehr.launch_models import Grant, LaunchClient
from portal.ehr.lease import LeasedBearer, fingerprint
from portal.ehr.models import Connection
from portal.ehr.smart import Granted
from portal.errors import NotFound

ENDED, OTHER = "the permission has ended", "another patient"


@dataclass(frozen=True)
class Held:
    """How a patient's permission stands: `lasts` until they end it, or only for this sitting."""

    connection_id: str
    name: str
    since: datetime
    lasts: bool
    broken: bool
    ended: bool
    missing: tuple[str, ...]


class GrantBearer(LeasedBearer[Grant]):
    """The token of one patient's permission, renewed by its refresh token, which may change each time."""

    def __init__(self, grant_id: str) -> None:
        self._grant_id = grant_id

    def _wanted(self) -> Select[Grant]:
        return select(Grant).where(Grant.id == self._grant_id)

    def _request(self, row: Grant, limits: Limits) -> Granted:
        refresh = (row.token or {}).get("refresh")
        connection = session().get_one(Connection, row.connection_id)
        client = registration.of(connection.id)
        if refresh is None or client is None or row.ended_at or row.broken_at:
            raise NoCredential(ENDED, terminal=True)
        asked, fhir_id = row.asked, row.fhir_id
        at = connections.launching(connection, client.method, limits)
        wire, proof = connections.wire(connection, at.token), registration.proof(connection, client, at.algorithms)
        session().commit()  # nothing is held open in the database while we wait for the network
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        granted = smart.read_token(smart.post_form(wire, at.token, form, proof, now(), limits), asked, now())
        if granted.more.get("patient", fhir_id) != fhir_id:
            raise NoCredential(OTHER, terminal=True)
        return granted

    def _keep(self, row: Grant, granted: Granted) -> None:
        keep(row, granted)

    def _refused(self, row: Grant, refusal: NoCredential) -> None:
        if refusal.code in ("invalid_grant", ENDED, OTHER) and row.broken_at is None:
            row.broken_at = now()
            _audited(row, {"refused": refusal.code}, Outcome.MINOR)


def keep(row: Grant, granted: Granted) -> None:
    """The new tokens in place of the old; a server that gives no new refresh token goes on with the old one."""
    fresh = granted.more.get("refresh_token")
    usable = isinstance(fresh, str) and 0 < len(fresh) <= 16_384
    before = (row.token or {}).get("refresh")
    row.token = {"token": granted.token, "refresh": fresh if usable else before}
    row.lasts = bool(row.token["refresh"])


def store(actor: Actor, connection: Connection, fhir_id: str, granted: Granted) -> Grant:
    """A patient has connected their record; what they allowed before at this server is replaced. Inside a transaction."""
    assert actor.patient_id is not None
    current = session()
    row = current.scalars(_of(connection.id, actor.patient_id).with_for_update()).one_or_none()
    if row is None:
        row = Grant(
            clinic_id=connection.clinic_id,
            connection_id=connection.id,
            patient_id=actor.patient_id,
            fhir_id=fhir_id,
            made_at=now(),
            lasts=False,
            asked="",
            terminal=False,
        )
        current.add(row)
    row.fhir_id, row.made_at, row.asked = fhir_id, now(), granted.scope
    row.ended_at = row.broken_at = row.lease_by = row.lease_until = row.failure = row.not_before = None
    row.token = None
    keep(row, granted)
    row.fingerprint, row.scope, row.expires_at = fingerprint(granted.token), granted.scope, granted.expires_at
    current.flush()
    audit.record(
        actor,
        Event.RECORD_CONNECTED,
        subject=f"connections:{connection.id}",
        patient_id=actor.patient_id,
        detail={"scope": granted.scope},
    )
    return row


def client_for(connection: Connection, patient_id: str, fhir_id: str, limits: Limits) -> tuple[FhirClient, str] | None:
    """A client that reads with this patient's own permission, and its scope; None without one that stands."""
    row = session().scalars(_of(connection.id, patient_id)).one_or_none()
    client = registration.of(connection.id)
    if row is None or row.ended_at or row.broken_at or row.fhir_id != fhir_id or client is None:
        return None
    bearer = GrantBearer(row.id)
    scope = row.scope or row.asked
    try:
        at = connections.launching(connection, client.method, limits)
        bearer.token(limits)
    except EhrError:
        return None
    return FhirClient(connection.base_url, connections.wire(connection, at.token), bearer, limits), scope


def held(actor: Actor, connection: Connection) -> Held | None:
    """How this patient's permission at a server stands; None when they never gave one."""
    row = session().scalars(_of(connection.id, actor.patient_id or "")).one_or_none()
    if row is None:
        return None
    out = row.expires_at is not None and row.expires_at <= now() and not row.lasts
    return Held(
        connection.id,
        connection.name,
        row.made_at,
        row.lasts,
        bool(row.broken_at) or out,
        bool(row.ended_at),
        registration.not_given(row.scope or ""),
    )


def end(actor: Actor, connection: Connection, limits: Limits = BRISK) -> bool:
    """The patient ends it: our copy is destroyed at once, then the server is told. Whether the server has confirmed it."""
    with transaction() as current:
        row = current.scalars(_of(connection.id, actor.patient_id or "").with_for_update()).one_or_none()
        if row is None or row.ended_at:
            raise NotFound
        kept = row.token or {}
        row.ended_at, row.token, row.fingerprint, row.expires_at = now(), None, None, None
        audit.record(
            actor, Event.RECORD_DISCONNECTED, subject=f"connections:{connection.id}", patient_id=actor.patient_id
        )
    client = registration.of(connection.id)
    if client is None:
        return False
    told = [revoke(connection, client, kept[name], name, limits) for name in ("refresh", "token") if kept.get(name)]
    return bool(told) and all(told)


HINTS = {"refresh": "refresh_token", "token": "access_token"}


def revoke(connection: Connection, client: LaunchClient, secret: str, name: str, limits: Limits) -> bool:
    """Tell the server to forget a token (RFC 7009); whether it said yes. Where it cannot be told, time ends the token."""
    try:
        at = connections.launching(connection, client.method, limits)
        if at.revocation is None:
            return False
        wire = connections.wire(connection, at.token, at.revocation)
        proof = registration.proof(connection, client, at.algorithms)
    except EhrError:
        return False
    session().commit()  # nothing is held open in the database while we wait for the network
    form = {"token": secret, "token_type_hint": HINTS[name]}
    return smart.post_form(wire, at.revocation, form, proof, now(), limits, aud=at.token).status == 200


def _of(connection_id: str, patient_id: str) -> Select[Grant]:
    return select(Grant).where(Grant.connection_id == connection_id, Grant.patient_id == patient_id)


def _audited(row: Grant, detail: dict[str, object], outcome: Outcome) -> None:
    actor = Actor(Role.SYSTEM, row.clinic_id, name="Previsit")
    audit.record(
        actor,
        Event.TOKEN_OBTAINED,
        subject=f"grants:{row.id}",
        patient_id=row.patient_id,
        detail=detail,
        outcome=outcome,
    )
