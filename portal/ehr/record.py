"""Reads a patient's record through what is kept: fresh enough from here, else asked of the clinic, else as old as it is and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.accounts import service as accounts
from portal.actors import PATIENTS, Actor, Role, system
from portal.audit import service as audit
from portal.audit.events import Event, Outcome
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import connections, fetching, grants, tokens
from portal.ehr.capabilities import Capabilities
from portal.ehr.errors import EhrError
from portal.ehr.fetching import Fetched
from portal.ehr.http import BRISK, PATIENT, Limits
from portal.ehr.models import Connection, RecordReading
from portal.ehr.reading import Kind, Reading, Reason, could_not_look, reason_of, state_for
from portal.fhir.resources import Json

FRESH = timedelta(minutes=15)
NO_SUBJECT = "no-subject"
"""What an alert says of entries that name no patient."""


@dataclass(frozen=True)
class Link:
    """One patient's place in one server."""

    patient_id: str
    fhir_id: str
    connection: Connection
    connection_id: str
    source: str
    """the same connection's id and name, known without looking for its row again after each commit"""


def read(
    actor: Actor,
    patient_id: str,
    kind: Kind,
    *,
    max_age: timedelta = FRESH,
    fetch: bool = True,
    limits: Limits = BRISK,
) -> Reading:
    """One kind of this patient's record: what is kept when it is younger than `max_age`, else asked of the clinic's server
    (`fetch`), else what is kept, marked with the reason. Audited. NotFound when the patient is not this actor's to see."""
    return read_several(actor, patient_id, (kind,), max_age=max_age, fetch=fetch, limits=limits)[kind]


def read_several(
    actor: Actor,
    patient_id: str,
    kinds: Iterable[Kind],
    *,
    max_age: timedelta = FRESH,
    fetch: bool = True,
    limits: Limits = BRISK,
) -> dict[Kind, Reading]:
    """Several kinds in one go, with one audit row. A server that has just failed is left in peace for a while."""
    own = actor.role is Role.PATIENT
    return _read(actor, patient_id, tuple(kinds), _Wish(max_age, fetch, limits, own=own))


def refresh(
    actor: Actor, patient_id: str, kinds: Iterable[Kind] = tuple(Kind), limits: Limits = PATIENT
) -> dict[Kind, Reading]:
    """Ask the clinic's server for everything again, whatever is kept; for the worker and for sign-in.

    Once a day it also asks the server what it can do, and whether it is still the one that was confirmed.
    """
    return _read(actor, patient_id, tuple(kinds), _Wish(timedelta(0), True, limits, insist=True))


@dataclass(frozen=True)
class _Wish:
    """How fresh, whether to ask, how long to wait; `insist` asks even a server that has just failed, `own` with the
    patient's own permission where they gave one."""

    max_age: timedelta
    fetch: bool
    limits: Limits
    insist: bool = False
    own: bool = False


def _read(actor: Actor, patient_id: str, kinds: tuple[Kind, ...], wish: _Wish) -> dict[Kind, Reading]:
    link = link_of(actor, patient_id)
    stale: tuple[Kind, ...] = ()
    if isinstance(link, Reason):
        readings = {kind: could_not_look(kind, link) for kind in kinds}
    else:
        kept = _kept(link)
        stale = _stale(kept, kinds, now() - wish.max_age) if wish.fetch else ()
        if stale:
            _fetch_all(link, stale, wish)
            kept = _kept(link)
        readings = {kind: _reading(kind, kept.get(kind), link) for kind in kinds}
    if actor.role in PATIENTS and not stale:
        return readings  # their own page, from what is kept: the page's own entry tells it
    detail = {"kinds": {kind.value: reading.state.value for kind, reading in readings.items()}}
    with transaction():
        audit.record(actor, Event.RECORD_READ, subject=f"patients:{patient_id}", patient_id=patient_id, detail=detail)
    return readings


def link_of(actor: Actor, patient_id: str) -> Link | Reason:
    patient = accounts.patient(actor, patient_id)
    if patient.connection_id is None or patient.fhir_id is None:
        return Reason.NOT_LINKED
    connection = connections.get(actor.clinic_id, patient.connection_id)
    return (
        Link(patient_id, patient.fhir_id, connection, connection.id, connection.name)
        if connection
        else Reason.NO_CONNECTION
    )


def standing(actor: Actor, patient_id: str, max_age: timedelta = FRESH) -> object:
    """Equal for as long as this patient is tied to the same record and what of it is kept younger than `max_age` was not read anew."""
    link = link_of(actor, patient_id)
    if isinstance(link, Reason):
        return link
    rows = select(RecordReading.kind, RecordReading.read_at).where(
        RecordReading.patient_id == link.patient_id,
        RecordReading.connection_id == link.connection_id,
        RecordReading.fhir_id == link.fhir_id,
        RecordReading.read_at > now() - max_age,
    )
    return link.connection_id, link.fhir_id, frozenset(tuple(row) for row in session().execute(rows))


def _kept(link: Link) -> dict[Kind, RecordReading]:
    """The rows of this patient that belong to the record they are tied to now; those of another record are never used."""
    rows = select(RecordReading).where(
        RecordReading.patient_id == link.patient_id,
        RecordReading.connection_id == link.connection_id,
        RecordReading.fhir_id == link.fhir_id,
    )
    return {Kind(row.kind): row for row in session().scalars(rows)}


def _stale(kept: dict[Kind, RecordReading], kinds: Sequence[Kind], oldest: datetime) -> tuple[Kind, ...]:
    return tuple(kind for kind in kinds if not _fresh(kept.get(kind), oldest))


def _fresh(row: RecordReading | None, oldest: datetime) -> bool:
    return row is not None and row.read_at is not None and row.read_at > oldest


def _reading(kind: Kind, row: RecordReading | None, link: Link) -> Reading:
    source = link.source
    if row is None:
        obstacle = connections.obstacle(link.connection) or connections.resting(link.connection, now())
        return could_not_look(kind, obstacle or Reason.NOT_READ_YET, source=source)
    failure = Reason(row.failure) if row.failure else None
    if row.read_at is None or row.document is None:
        return could_not_look(kind, failure or Reason.NOT_READ_YET, row.tried_at, source)
    resources = tuple(row.document["resources"])
    return Reading(
        kind,
        state_for(len(resources), row.complete),
        resources,
        tuple(row.document["beside"]),
        row.read_at,
        source,
        row.complete,
        failure or (Reason(row.why) if row.why else None),
        row.tried_at,
        failure is not None,
    )


def _fetch_all(link: Link, kinds: Sequence[Kind], wish: _Wish) -> None:
    """Ask for each kind and keep what came; once the server as a whole fails, the rest is not tried."""
    if session().info.get("writing"):
        raise RuntimeError("the clinic must not be asked inside a transaction")
    results: dict[Kind, Fetched | Reason] = {}
    obstacle = connections.obstacle(link.connection)
    trouble: EhrError | None = None
    if obstacle is None and not wish.insist:
        obstacle = connections.resting(link.connection, now())
    if obstacle is None:
        trouble = _ask(link, kinds, wish, results)
    _keep(link, kinds, results, obstacle or (reason_of(trouble) if trouble else None), trouble)


def _ask(link: Link, kinds: Sequence[Kind], wish: _Wish, results: dict[Kind, Fetched | Reason]) -> EhrError | None:
    """Fill `results`; the error that ended it for all, or None."""
    try:
        own = grants.client_for(link.connection, link.patient_id, link.fhir_id, wish.limits) if wish.own else None
        client, granted = own or (tokens.client_for(link.connection, wish.limits), None)
        if wish.insist:
            connections.know_again(link.connection, client)
        can = connections.abilities(link.connection)
        granted = granted if own else tokens.granted_scope(link.connection_id)
        fhir_id, known = link.fhir_id, _known_patient(link, kinds)
        session().commit()  # nothing is held open in the database while we wait for the network
        for kind in kinds:
            try:
                results[kind] = fetching.fetch(client, kind, fhir_id, can, granted, known)
            except EhrError as trouble:
                reason = _reason(trouble, can)
                if reason in connections.REST:
                    return trouble
                results[kind] = reason
    except EhrError as trouble:
        return trouble
    return None


def _known_patient(link: Link, kinds: Sequence[Kind]) -> Json | None:
    """The Patient resource as it is kept, to ask only whether it changed."""
    row = _kept(link).get(Kind.PATIENT) if Kind.PATIENT in kinds else None
    document = row.document if row is not None and row.complete else None
    return document["resources"][0] if document and document["resources"] else None


def _reason(trouble: EhrError, can: Capabilities) -> Reason:
    return reason_of(trouble) if can.readable else Reason.VERSION


def _keep(
    link: Link,
    kinds: Sequence[Kind],
    results: dict[Kind, Fetched | Reason],
    otherwise: Reason | None,
    trouble: EhrError | None,
) -> None:
    at = now()
    with transaction() as current:
        # one writer at a time, so that two pages that read for the first time do not both make the row
        current.execute(select(Connection.id).where(Connection.id == link.connection_id).with_for_update())
        kept = _kept(link)
        for kind in kinds:
            row = kept.get(kind) or _new_row(link, kind, at)
            current.add(row)
            _write(row, results.get(kind, otherwise or Reason.NOT_READ_YET), at)
        for result in results.values():
            if isinstance(result, Fetched) and result.dropped:
                _left_out(link, result.dropped - result.nobody, result.nobody)
        if trouble is not None:
            connections.failed(link.connection, trouble)
        elif results:
            connections.reached(link.connection)


def _new_row(link: Link, kind: Kind, at: datetime) -> RecordReading:
    """A row for this kind; what was kept of another record of the same patient is taken away."""
    current = session()
    for old in current.scalars(
        select(RecordReading).where(RecordReading.patient_id == link.patient_id, RecordReading.kind == kind.value)
    ):
        current.delete(old)
    current.flush()
    return RecordReading(
        clinic_id=link.connection.clinic_id,
        patient_id=link.patient_id,
        connection_id=link.connection_id,
        fhir_id=link.fhir_id,
        kind=kind.value,
        complete=False,
        tried_at=at,
    )


def _write(row: RecordReading, result: Fetched | Reason, at: datetime) -> None:
    """A good answer replaces what was kept, unless that is newer; a failure only says so beside it."""
    row.tried_at = at
    if isinstance(result, Reason):
        row.failure = result.value
        return
    if row.read_at is not None and result.read_at is not None and result.read_at < row.read_at:
        return
    row.document = {"resources": result.resources, "beside": result.beside}
    row.read_at, row.complete = result.read_at, result.complete
    row.why, row.failure = result.why.value if result.why else None, None


def _left_out(link: Link, others: int, nobody: int) -> None:
    """Bar 42: left out, and staff told; what names another patient is a danger, what names none a defect of the source."""
    if nobody:
        connections.alert(link.connection, NO_SUBJECT, link.patient_id, nobody)
    if others:
        wrong_patient(link, others)


def forget(actor: Actor, patient_id: str) -> None:
    """Take away everything that was read for this patient: it was somebody else's record. In the caller's transaction."""
    with transaction() as current:
        wanted = select(RecordReading).where(
            RecordReading.patient_id == patient_id, RecordReading.clinic_id == actor.clinic_id
        )
        for row in current.scalars(wanted):
            current.delete(row)


def wrong_patient(link: Link, dropped: int) -> None:
    """Something of another patient came where this one's was asked for; in the caller's transaction."""
    connections.alert(link.connection, Reason.OTHER_PATIENT.value, link.patient_id, dropped)
    audit.record(
        system(link.connection.clinic_id),
        Event.WRONG_PATIENT,
        subject=f"connections:{link.connection_id}",
        patient_id=link.patient_id,
        detail={"dropped": dropped},
        outcome=Outcome.SERIOUS,
    )
