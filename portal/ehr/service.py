"""The clinic's record for the rooms above: connections, readings with their freshness, appointments, candidates. No function
that reads raises because a clinic's server is away: what was last known comes back with its age and the reason."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select

from portal.actors import STAFF, Actor, Role
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import candidates as matching
from portal.ehr import connections, definitions, finding, keys, scopes, tokens
from portal.ehr import overview as overview_page
from portal.ehr.binaries import Brought, binary
from portal.ehr.capabilities import UNKNOWN, Capabilities
from portal.ehr.client import FhirClient, Found
from portal.ehr.definitions import Expanded, FormThere
from portal.ehr.errors import EhrError
from portal.ehr.fetching import holding
from portal.ehr.finding import Appointments
from portal.ehr.http import BRISK, PATIENT, Answer, Failure, Limits
from portal.ehr.latest import read_since
from portal.ehr.looked_for import Candidates, Ending, Key, Look, Opinion, Person, nobody
from portal.ehr.models import Connection, RecordAlert
from portal.ehr.overview import Overview
from portal.ehr.quality import dropped_since, kept_since, sources
from portal.ehr.reading import WORDS, Kind, Reading, Reason, State, reason_of
from portal.ehr.record import FRESH, forget, read, read_several, refresh, standing
from portal.ehr.registering import Tested, issues, make_service, owned, pause, register, resume, rotate_keys, test
from portal.ehr.scopes import NEEDS
from portal.ehr.visits import Appointment
from portal.errors import NotAllowed

T = TypeVar("T")

# -- connections -----------------------------------------------------------------------------------------------------


def writable(clinic_id: str) -> Callable[[str, str], bool]:
    """Whether the clinic's server lets us do this (a letter of cruds) with a type of resource, as far as it has said."""
    connection = connection_for(clinic_id)
    granted = tokens.granted_scope(connection.id) if connection else None
    can = capabilities(connection) if connection else UNKNOWN

    def may(kind: str, verb: str) -> bool:
        asked = verb in NEEDS.get(kind, "") and can.offers(kind)
        return asked and (granted is None or scopes.permits(granted, kind, verb))

    return may


def connection_for(clinic_id: str) -> Connection | None:
    """The server of a clinic that is in use (the first registered where we are a service ourselves, else the first), or None."""
    used = [each for each in connections.of_clinic(clinic_id) if connections.obstacle(each) is None]
    return min(used, key=lambda each: each.only_people, default=None)


def client_for(connection: Connection, limits: Limits = PATIENT) -> FhirClient:
    """A client for this server, with tokens. It speaks to the network: never use it inside `transaction()`.

    Raises what discovery raises (an EhrError) when the server was never reached before.
    """
    return tokens.client_for(connection, limits)


def usable(connection: Connection) -> Reason | None:
    """None when the server may be used; else why not (paused, or changed and not confirmed)."""
    return connections.obstacle(connection)


def capabilities(connection: Connection) -> Capabilities:
    """What the server last said it can do: data that delivery adapts to."""
    return connections.abilities(connection)


def reaches(connection: Connection, needs: Mapping[str, str]) -> bool:
    """Whether what the server granted covers these needs (type → letters of c r u d s); False while nothing is known."""
    granted = tokens.granted_scope(connection.id)
    return granted is not None and not scopes.missing(granted, needs)


def jwks(connection_id: str | None = None) -> dict[str, Any]:
    """Our public keys as a JWK Set, of one connection or of all."""
    return keys.published(now(), connection_id)


def overviews(actor: Actor) -> list[Overview]:
    """The clinic's connections as its administrator sees them."""
    return overview_page.every(actor, now())


def overview(actor: Actor, connection_id: str) -> Overview:
    return overview_page.one(actor, connection_id, now())


def for_staff(tested: Tested | None) -> str | None:
    """What a failed test means, for somebody who can do something about it (an English msgid); None when all is well."""
    return overview_page.words(tested.reason) if tested and tested.reason else None


def alerts(actor: Actor, limit: int = 50) -> list[RecordAlert]:
    """What staff must look at about the clinic's answers, newest first."""
    if actor.role not in STAFF:
        raise NotAllowed
    rows = select(RecordAlert).where(RecordAlert.clinic_id == actor.clinic_id).order_by(RecordAlert.at.desc())
    return list(session().scalars(rows.limit(limit)))


# -- looking for visits and people -------------------------------------------------------------------------------------


def upcoming(actor: Actor, clinic_id: str, start: datetime, end: datetime, limits: Limits = PATIENT) -> Appointments:
    """The clinic's appointments that start in [start, end), each with its patient. Its staff and the system only."""
    found = _asking(actor, clinic_id, lambda client, name: finding.upcoming(client, name, start, end), limits)
    return found if isinstance(found, Appointments) else Appointments(State.COULD_NOT_LOOK, reason=found)


def candidates(actor: Actor, clinic_id: str, person: Person, limits: Limits = BRISK) -> Candidates:
    """The Patient resources this person could be: by the server's `$match` and by several keys. Staff and the system only."""

    def ask(client: FhirClient, name: str) -> Candidates:
        connection = connections.get(clinic_id, name)
        assert connection is not None  # it is the one that is asked
        connections.know_again(connection, client)
        can, granted = capabilities(connection), tokens.granted_scope(name)
        session().commit()  # nothing is held open in the database while we wait for the network
        return matching.candidates(client, person, can, granted, limits.total * 2)

    asked = _asking(actor, clinic_id, ask, limits)
    return asked if isinstance(asked, Candidates) else nobody(asked)


def forms_there(actor: Actor, title: str, limits: Limits = BRISK) -> list[FormThere] | Reason:
    """The forms that the clinic's server has under a title like this, or why it could not be asked."""
    return _asking(actor, actor.clinic_id, lambda client, _: definitions.forms(client, title), limits)


def form_there(actor: Actor, name: str, limits: Limits = BRISK) -> bytes | Reason:
    """A form of the clinic's server by its id, byte for byte, or why it could not be had."""
    return _asking(actor, actor.clinic_id, lambda client, _: definitions.form(client, name), limits)


def expand(actor: Actor, canonical: str, server: str = "", limits: Limits = PATIENT) -> Expanded | Reason:
    """What a value set holds, asked of the terminology server at `server`, else of the clinic's own; or why it is not known."""
    if not server:
        return _asking(actor, actor.clinic_id, lambda client, _: definitions.expand(client, canonical), limits)
    if actor.role not in STAFF | {Role.SYSTEM}:
        raise NotAllowed
    session().commit()  # nothing is held open in the database while we wait for the network
    try:
        return definitions.expand(definitions.terminology_server(server, limits), canonical)
    except EhrError as trouble:
        return reason_of(trouble)


def _asking(actor: Actor, clinic_id: str, ask: Callable[[FhirClient, str], T], limits: Limits) -> T | Reason:
    """What `ask` finds at the clinic's server (it is given the client and the connection's id), or why it could not. Audited."""
    if actor.role not in STAFF | {Role.SYSTEM} or actor.clinic_id != clinic_id:
        raise NotAllowed
    connection = connection_for(clinic_id)
    if connection is None:
        return _why_none(clinic_id)
    name = connection.id
    try:
        client = client_for(connection, limits)
        session().commit()  # nothing is held open in the database while we wait for the network
        found = ask(client, name)
    except EhrError as trouble:
        with transaction():
            connections.failed(connection, trouble)
        return reason_of(trouble)
    with transaction():
        connections.reached(connection)
        audit.record(actor, Event.RECORD_READ, subject=f"connections:{name}")
    return found


def _why_none(clinic_id: str) -> Reason:
    obstacles = [connections.obstacle(each) for each in connections.of_clinic(clinic_id)]
    return next((each for each in obstacles if each), Reason.NO_CONNECTION)


__all__ = [
    "BRISK",
    "FRESH",
    "PATIENT",
    "WORDS",
    "Answer",
    "Appointment",
    "Appointments",
    "Brought",
    "Candidates",
    "Capabilities",
    "Connection",
    "EhrError",
    "Ending",
    "Expanded",
    "Failure",
    "FhirClient",
    "FormThere",
    "Found",
    "Key",
    "Kind",
    "Limits",
    "Look",
    "Opinion",
    "Overview",
    "Person",
    "Reading",
    "Reason",
    "State",
    "Tested",
    "alerts",
    "binary",
    "candidates",
    "capabilities",
    "client_for",
    "connection_for",
    "dropped_since",
    "expand",
    "for_staff",
    "forget",
    "form_there",
    "forms_there",
    "holding",
    "issues",
    "jwks",
    "kept_since",
    "make_service",
    "overview",
    "overviews",
    "owned",
    "pause",
    "reaches",
    "read",
    "read_several",
    "read_since",
    "refresh",
    "register",
    "resume",
    "rotate_keys",
    "sources",
    "standing",
    "test",
    "upcoming",
    "usable",
    "writable",
]
