"""Signing in at the clinic's own system: a patient connects their record or signs in, staff open the desk from inside the EHR."""

from dataclasses import dataclass, replace

from sqlalchemy import bindparam, select

from portal import settings
from portal.accounts import arriving
from portal.accounts import service as accounts
from portal.actors import Actor, Role, system
from portal.audit import service as audit
from portal.audit.events import Event, Outcome
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import address, connections, grants, launches, proving, registration, scopes, users
from portal.ehr.authorize import WayOut
from portal.ehr.errors import EhrError, NotProven
from portal.ehr.grants import Held
from portal.ehr.http import BRISK, Limits
from portal.ehr.identity import Identity
from portal.ehr.launch_errors import NotOurServer, NotSelf, NotTied, OtherPerson, Unexpected, WeakSignIn
from portal.ehr.launch_models import CONNECT, FROM_EHR, SIGN_IN, Launch, LaunchClient
from portal.ehr.models import Connection
from portal.ehr.proving import Proven
from portal.errors import Gone, NotAllowed, NotFound, PortalError, Unreadable


@dataclass(frozen=True)
class Offer:
    """A connection that patients can sign in at, as the sign-in page names it."""

    connection_id: str
    name: str


@dataclass(frozen=True)
class Landed:
    """Where somebody is after the way back. `session_token` is set when they are signed in by it; `claim` when a member of
    staff still has to say that it is them; `patient_id` is the (our) patient who was open in the EHR, None when nobody here is;
    `context` what else was open there, as `Type/id`."""

    kind: str
    session_token: str | None = None
    account_id: str | None = None
    claim: str | None = None
    patient_id: str | None = None
    missing: tuple[str, ...] = ()
    context: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Landed({self.kind})"


@dataclass(frozen=True)
class Visitor:
    """The browser that goes out: its secret, where it comes from, and the portal's own address to return to."""

    browser: str
    source: str
    site: str

    def __repr__(self) -> str:
        return "Visitor(…)"


# -- ways out ----------------------------------------------------------------------------------------------------------


def offers(clinic_id: str) -> list[Offer]:
    """Where patients of this clinic can sign in or connect their record."""
    return [Offer(row.id, row.name) for row, client in _registered(clinic_id) if client.for_patients]


def place_of(connection_id: str) -> tuple[str, str] | None:
    """(the system's name, its clinic's id), or None for a stranger's address."""
    found = session().get(Connection, connection_id)
    return (found.name, found.clinic_id) if found else None


def sign_in(connection_id: str, visitor: Visitor, limits: Limits = BRISK) -> WayOut:
    """A patient who has an account here signs in at the clinic's system instead."""
    connection = session().get(Connection, connection_id)
    if connection is None or connection_id not in {each.connection_id for each in offers(connection.clinic_id)}:
        raise NotFound
    return _out(connection, SIGN_IN, scopes.SIGN_IN, visitor, limits=limits)


def connect(actor: Actor, connection_id: str, visitor: Visitor, limits: Limits = BRISK) -> WayOut:
    """A signed-in patient allows us to read their record with their own permission. NotTied before the clinic has found it."""
    connection = _offered_to(actor, connection_id)
    patient = accounts.patient(actor, actor.patient_id or "")
    if patient.connection_id != connection.id or patient.fhir_id is None:
        raise NotTied
    client = registration.of(connection.id)
    assert client is not None  # it is offered
    at = connections.launching(connection, client.method, limits)
    scope = scopes.for_connecting(v2=scopes.speaks_v2(at.capabilities), identity=at.identity)
    return _out(connection, CONNECT, scope, visitor, account_id=actor.account_id, limits=limits)


def from_ehr(iss: str, launch: str, visitor: Visitor, clinic_id: str | None = None, limits: Limits = BRISK) -> WayOut:
    """Previsit was opened inside an EHR. NotOurServer, before anything is sent, unless `iss` is a registered address."""
    if not launch:
        raise Unreadable
    connection = _registered_at(iss, clinic_id)
    way = _out(connection, FROM_EHR, scopes.FROM_EHR, visitor, launch=launch, limits=limits)
    return replace(way, by_post=False)  # nobody presses a button on the way from the EHR


def _out(
    connection: Connection,
    kind: str,
    scope: str,
    visitor: Visitor,
    *,
    account_id: str | None = None,
    launch: str | None = None,
    limits: Limits,
) -> WayOut:
    return launches.begin(
        connection,
        kind,
        scope,
        browser=visitor.browser,
        source=visitor.source,
        site=visitor.site,
        account_id=account_id,
        launch=launch,
        limits=limits,
    )


_REGISTERED = (
    select(Connection, LaunchClient)
    .join(LaunchClient, LaunchClient.connection_id == Connection.id)
    .where(Connection.clinic_id == bindparam("clinic"))
    .order_by(Connection.made_at, Connection.id)
)


def _registered(clinic_id: str) -> list[tuple[Connection, LaunchClient]]:
    found = session().execute(_REGISTERED, {"clinic": clinic_id})
    return [(row, client) for row, client in found if connections.obstacle(row) is None]


def _registered_at(iss: str, clinic_id: str | None) -> Connection:
    """The one connection whose address is `iss` exactly, but for a slash at its end, and which staff may come from."""
    try:
        base = connections.tidy_base(iss) if iss == iss.strip() and "?" not in iss else ""
    except EhrError:
        base = ""
    wanted = (
        select(Connection)
        .join(LaunchClient, LaunchClient.connection_id == Connection.id)
        .where(Connection.base_url == base, LaunchClient.for_staff.is_(True))
    )
    if clinic_id is not None:
        wanted = wanted.where(Connection.clinic_id == clinic_id)
    found = [row for row in session().scalars(wanted) if connections.obstacle(row) is None]
    if len(found) != 1 or not address.inside(found[0].base_url, iss):
        raise NotOurServer
    return found[0]


# -- the way back ------------------------------------------------------------------------------------------------------


def land(
    connection_id: str, query: dict[str, list[str]], browser: str | None, actor: Actor | None, limits: Limits = BRISK
) -> Landed:
    """The person is back. `actor` is who is signed in here now. Whatever is refused is written down, and its tokens given back."""
    answered = launches.take(connection_id, query, browser)
    row = answered.launch
    if row.kind == CONNECT and (actor is None or actor.account_id != row.account_id):
        raise Gone(launches.LOST)
    proven: Proven | None = None
    try:
        proven = proving.prove(answered, limits)
        return LAND[row.kind](proven, actor, limits)
    except PortalError as refusal:
        _note_refusal(row, refusal)
        if proven is not None:
            proven.give_back()
        raise


def _connected(proven: Proven, actor: Actor | None, limits: Limits) -> Landed:
    assert actor is not None
    patient = accounts.patient(actor, actor.patient_id or "")
    connection = proven.connection
    if patient.connection_id != connection.id or patient.fhir_id != proven.patient or proven.patient is None:
        with transaction():
            connections.alert(connection, "other-person", patient.id)
            audit.record(
                actor,
                Event.WRONG_PATIENT,
                subject=f"connections:{connection.id}",
                patient_id=patient.id,
                outcome=Outcome.SERIOUS,
            )
        raise OtherPerson
    with transaction():
        grants.store(actor, connection, proven.patient, proven.granted)
    return Landed(CONNECT, missing=registration.not_given(proven.granted.scope))


def _signed_in(proven: Proven, actor: Actor | None, limits: Limits) -> Landed:
    """Only as oneself: the person who signed in is the patient whose record was chosen, and that record has an account here."""
    who, connection = _who(proven), proven.connection
    if who.user != f"Patient/{proven.patient}" or proven.patient is None:
        raise NotSelf
    patient = accounts.holder(system(connection.clinic_id), connection.id, proven.patient)
    account_id = arriving.of_patient(connection.clinic_id, patient.id) if patient else None
    token = arriving.enter(connection.clinic_id, account_id, who.means) if account_id else None
    if token is None:
        raise Unexpected
    proven.give_back()
    return Landed(SIGN_IN, token, account_id)


def _from_inside(proven: Proven, actor: Actor | None, limits: Limits) -> Landed:
    who = _who(proven)
    if who.user is None or not who.user.startswith(users.STAFF_USERS):
        raise NotAllowed("Only the clinic's staff can open Previsit from inside its system.")
    if not who.strong(settings.staff_sign_in_means(), now()):
        raise WeakSignIn
    known = users.find(proven.connection, who)
    proven.give_back()
    if known is None:
        return _to_claim(proven, who)
    landed = _opened(proven.connection, known.account_id, proven.patient, who)
    return replace(landed, context=proving.launch_context(proven.granted.more))


def _opened(connection: Connection, account_id: str, fhir_id: str | None, who: Identity) -> Landed:
    patient = accounts.holder(system(connection.clinic_id), connection.id, fhir_id) if fhir_id else None
    token = arriving.enter(connection.clinic_id, account_id, who.means)
    if token is None:
        raise NotAllowed("Your account here has been suspended. An administrator can tell you why.")
    with transaction():
        audit.record(
            system(connection.clinic_id, f"A member of staff, from {connection.name}"),
            Event.LAUNCH_ANSWERED,
            subject=f"accounts:{account_id}",
            patient_id=patient.id if patient else None,
        )
    return Landed(FROM_EHR, token, account_id, patient_id=patient.id if patient else None)


def _to_claim(proven: Proven, who: Identity) -> Landed:
    """Nobody here is this user yet: the person signs in as themself and says so, in this browser, within minutes."""
    with transaction() as current:
        row = current.get_one(Launch, proven.launch.id)
        row.answered = {"issuer": who.issuer, "subject": who.subject, "user": who.user, "patient": proven.patient}
        row.expires_at = now() + launches.LASTS
    return Landed(FROM_EHR, claim=row.id)


def _who(proven: Proven) -> Identity:
    if proven.identity is None:
        raise NotProven
    return proven.identity


LAND = {CONNECT: _connected, SIGN_IN: _signed_in, FROM_EHR: _from_inside}


def _note_refusal(row: Launch, refusal: PortalError) -> None:
    with transaction():
        audit.record(
            system(row.clinic_id, "Somebody"),
            Event.LAUNCH_REFUSED,
            subject=f"launches:{row.id}",
            detail={"kind": row.kind, "why": type(refusal).__name__},
            outcome=Outcome.MINOR,
        )


# -- what a patient has allowed ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """One server where a patient can connect their record, and how that stands."""

    connection_id: str
    name: str
    held: Held | None


def standing(actor: Actor) -> list[Standing]:
    """The server of this patient's record, when patients may connect there; [] when there is none."""
    patient = accounts.patient(actor, actor.patient_id or "")
    found = []
    for connection, client in _registered(actor.clinic_id):
        if client.for_patients and connection.id == patient.connection_id:
            found.append(Standing(connection.id, connection.name, grants.held(actor, connection)))
    return found


def disconnect(actor: Actor, connection_id: str, limits: Limits = BRISK) -> bool:
    """The patient ends their permission; whether the clinic's system has confirmed that it forgot it too."""
    connection = connections.get(actor.clinic_id, connection_id)
    if connection is None or actor.role is not Role.PATIENT:
        raise NotFound
    return grants.end(actor, connection, limits)


def _offered_to(actor: Actor, connection_id: str) -> Connection:
    if actor.role is not Role.PATIENT or connection_id not in {each.connection_id for each in offers(actor.clinic_id)}:
        raise NotFound
    connection = connections.get(actor.clinic_id, connection_id)
    assert connection is not None  # it is offered
    return connection
