"""What an administrator does with a clinic's server: register it, test it, pause, resume, confirm a change, rotate our keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.actors import Actor, Permission, Role
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import address, connections, keys, meaning, scopes, tokens
from portal.ehr.capabilities import Capabilities, gaps
from portal.ehr.client import FhirClient
from portal.ehr.errors import EhrError
from portal.ehr.http import PATIENT, Limits
from portal.ehr.models import ALGORITHMS, AccessToken, Connection
from portal.ehr.reading import Reason, reason_of
from portal.errors import Conflict, Issue, NotAllowed, NotFound


def allow(actor: Actor) -> None:
    """Only the clinic's administrators and the system itself."""
    if actor.role is not Role.SYSTEM and not actor.may(Permission.MANAGE_CONNECTIONS):
        raise NotAllowed


def issues(
    name: str, base_url: str, client_id: str, auth_origins: Sequence[str] = (), *, only_people: bool = False
) -> list[Issue]:
    """What is wrong with a registration; [] when `register` will take it. Without a client id of our own: `only_people`."""
    found = []
    if not name.strip() or len(name) > 120:
        found.append(Issue("name", "required", "Give the connection a name of up to 120 letters."))
    found += address.issues(base_url.strip())
    found += client_id_issues(client_id, only_people=only_people)
    found += [
        Issue("auth_origins", each.code, "Give the sign-in server as an address like https://auth.example.org")
        for origin in auth_origins
        for each in address.issues(origin.strip())
    ]
    return found


def client_id_issues(client_id: str, *, only_people: bool = False) -> list[Issue]:
    if only_people and client_id.strip():
        return [Issue("client_id", "both", "Leave the client id empty, or take the tick away.")]
    if (not only_people and not client_id.strip()) or len(client_id) > 200 or not client_id.isprintable():
        return [Issue("client_id", "required", "Give the client id that the clinic's system knows us by.")]
    return []


def register(
    actor: Actor,
    *,
    name: str,
    base_url: str,
    client_id: str = "",
    auth_origins: Sequence[str] = (),
    algorithms: Sequence[str] = ALGORITHMS,
) -> Connection:
    """A new connection of the actor's clinic, with keys of ours, without asking the server anything yet (`test` does).

    `auth_origins`: where else than on the server itself the token endpoint may be. Without a `client_id` only people sign
    in there (`make_service` changes that). ValueError when `issues` finds any; Conflict when the clinic has this server already.
    """
    allow(actor)
    if issues(name, base_url, client_id, auth_origins, only_people=not client_id):
        raise ValueError("the registration has issues")
    base = connections.tidy_base(base_url)
    at = now()
    with transaction() as current:
        if any(
            each.base_url == base and each.client_id == client_id for each in connections.of_clinic(actor.clinic_id)
        ):
            raise Conflict("This server is registered already.")
        row = Connection(
            clinic_id=actor.clinic_id,
            name=name.strip(),
            base_url=base,
            client_id=client_id.strip(),
            auth_origins=[address.origin(each.strip()) for each in auth_origins],
            made_at=at,
        )
        current.add(row)
        current.flush()
        current.add(AccessToken(clinic_id=row.clinic_id, connection_id=row.id, terminal=False))
        current.add_all(keys.make(row, algorithm, at, at) for algorithm in algorithms)
        connections.move(row, "active", actor.account_id, "")
        _audited(actor, row, "registered")
        return row


def make_service(actor: Actor, connection_id: str, client_id: str) -> list[Issue]:
    """The server knows us as a service now, by this client id; what is wrong with it, else []."""
    allow(actor)
    row = owned(actor, connection_id)
    found = client_id_issues(client_id)
    if found:
        return found
    with transaction():
        if not row.only_people:
            raise Conflict
        row.client_id, row.not_before = client_id.strip(), None
        _audited(actor, row, "made a service")
    return []


def pause(actor: Actor, connection_id: str, why: str) -> None:
    """Nothing is read from or sent to the server until `resume`."""
    _move(actor, connection_id, "paused", why)


def resume(actor: Actor, connection_id: str, why: str = "") -> None:
    """Use the server again; after a change this confirms the server as it is at the next `test`."""
    _move(actor, connection_id, "active", why, forget_identity=True)


def _move(actor: Actor, connection_id: str, to: str, why: str, *, forget_identity: bool = False) -> None:
    allow(actor)
    row = owned(actor, connection_id)
    with transaction():
        was = connections.state(row.id).state
        if was == to:
            raise Conflict
        if forget_identity and was == "changed":
            row.identity = row.discovery = row.capabilities = None
        row.not_before = None
        connections.move(row, to, actor.account_id, why)
        _audited(actor, row, to)


def rotate_keys(actor: Actor, connection_id: str) -> None:
    """New keys: published at once, signing in a quarter of an hour, while the old ones still count."""
    allow(actor)
    row = owned(actor, connection_id)
    with transaction() as current:
        current.add_all(keys.rotate(row, now()))
        _audited(actor, row, "keys rotated")


def confirm_as_it_is(actor: Actor, connection_id: str) -> None:
    """What the server can do now is what it is expected to do from here on; who it is stays as it was confirmed."""
    allow(actor)
    row = owned(actor, connection_id)
    if row.identity is None:
        raise Conflict
    can = connections.abilities(row)
    with transaction():
        has = [each.name for each in meaning.abilities(can) if each.has]
        row.identity = {**row.identity, "abilities": has, "version": can.fhir_version, "at": now().isoformat()}
        _audited(actor, row, "abilities confirmed")


def owned(actor: Actor, connection_id: str) -> Connection:
    row = connections.get(actor.clinic_id, connection_id)
    if row is None:
        raise NotFound
    return row


@dataclass(frozen=True)
class Tested:
    """What a test found. `reason` is None when the server let us in; `missing` are permissions that were asked and not given."""

    at: datetime
    reason: Reason | None = None
    detail: str = ""
    capabilities: Capabilities | None = None
    endpoints: dict[str, Any] | None = None
    scope: str = ""
    missing: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.reason is None


def test(actor: Actor, connection_id: str, limits: Limits = PATIENT) -> Tested:
    """Ask the server everything once: discovery, capabilities, a token. Never raises for the server's faults.

    The first test that succeeds confirms who the server is; a later one that meets another server stops the connection.
    """
    allow(actor)
    row = owned(actor, connection_id)
    if row.only_people:
        return _test_for_people(actor, row, limits)
    try:
        found = connections.endpoints(row, limits, again=True)
        wire = connections.wire(row, found.token)
        bearer = tokens.ConnectionBearer(row.id)
        can = connections.ask_capabilities(row, FhirClient(row.base_url, wire, bearer, limits))
        bearer.token(limits)
    except EhrError as trouble:
        with transaction():
            connections.failed(row, trouble)
        return Tested(now(), reason_of(trouble), trouble.sentence)
    scope = tokens.granted_scope(row.id) or ""
    with transaction():
        connections.reached(row)
        connections.confirm(row, found, can)
        _audited(actor, row, "tested")
    reason, detail = _readable(can)
    lacking = gaps(can, scopes.NEEDS)
    return Tested(
        now(), reason, detail, can, connections.described(found), scope, scopes.missing(scope, scopes.NEEDS), lacking
    )


def _test_for_people(actor: Actor, row: Connection, limits: Limits) -> Tested:
    """The same where only people sign in: there is no token of ours to ask for."""
    try:
        found = connections.launching(row, "none", limits, again=True)
        can = connections.ask_capabilities(row, FhirClient(row.base_url, connections.wire(row), None, limits))
    except EhrError as trouble:
        with transaction():
            connections.failed(row, trouble)
        return Tested(now(), reason_of(trouble), trouble.sentence)
    with transaction():
        connections.reached(row)
        connections.confirm(row, found, can)
        _audited(actor, row, "tested")
    reason, detail = _readable(can)
    return Tested(now(), reason, detail, can, connections.described(found))


def _readable(can: Capabilities) -> tuple[Reason | None, str]:
    if can.readable:
        return None, ""
    return Reason.VERSION, f"It says FHIR {can.fhir_version}; Previsit reads R4 (4.0) and R4B (4.3)."


def _audited(actor: Actor, row: Connection, what: str) -> None:
    session().flush()
    audit.record(actor, Event.CONNECTION_CHANGED, subject=f"connections:{row.id}", detail={"what": what})
