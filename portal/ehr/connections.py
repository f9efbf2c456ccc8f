"""The registered connection at work: its state, what the server said of itself, whether it is still the one confirmed, its breaker."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import func, select

from portal.clock import now
from portal.db import session, transaction
from portal.ehr import address, answers, capabilities, discovery, meaning
from portal.ehr.capabilities import Capabilities
from portal.ehr.client import FhirClient
from portal.ehr.discovery import Endpoints, Launching
from portal.ehr.errors import Changed, EhrError, NoCredential, NotReached, TryLater, Unregistered
from portal.ehr.http import PATIENT, Limits, Wire
from portal.ehr.models import Connection, ConnectionState, RecordAlert
from portal.ehr.reading import PASSING, Reason, reason_of
from portal.fhir.resources import Json

DISCOVERY_LASTS = timedelta(hours=24)
REST = {Reason.UNREACHABLE: 20, Reason.SLOW: 20, Reason.BUSY: 20, Reason.CREDENTIAL: 60}
"""Seconds for which pages do not try again."""

_wires: dict[tuple[str, ...], Wire] = {}
S = TypeVar("S", Endpoints, Launching)
_lock = Lock()


def of_clinic(clinic_id: str) -> list[Connection]:
    rows = select(Connection).where(Connection.clinic_id == clinic_id).order_by(Connection.made_at, Connection.id)
    return list(session().scalars(rows))


def get(clinic_id: str, connection_id: str) -> Connection | None:
    rows = select(Connection).where(Connection.id == connection_id, Connection.clinic_id == clinic_id)
    return session().scalars(rows).one_or_none()


# -- state -----------------------------------------------------------------------------------------------------------


def state(connection_id: str) -> ConnectionState:
    rows = select(ConnectionState).where(ConnectionState.connection_id == connection_id)
    return session().scalars(rows.order_by(ConnectionState.number.desc()).limit(1)).one()


def move(connection: Connection, to: str, by: str | None, why: str) -> None:
    """Append a state; inside the caller's transaction."""
    rows = select(func.max(ConnectionState.number)).where(ConnectionState.connection_id == connection.id)
    number = session().scalar(rows) or 0
    session().add(
        ConnectionState(
            clinic_id=connection.clinic_id,
            connection_id=connection.id,
            number=number + 1,
            state=to,
            at=now(),
            by=by,
            why=why,
        )
    )


def obstacle(connection: Connection) -> Reason | None:
    """Why this connection is not to be used at all, by a person's decision or for want of one."""
    return {"paused": Reason.PAUSED, "changed": Reason.CHANGED}.get(state(connection.id).state)


# -- the server's word about itself ------------------------------------------------------------------------------------


def endpoints(connection: Connection, limits: Limits = PATIENT, *, again: bool = False) -> Endpoints:
    """Where tokens come from: kept for a day, looked up `again` after a failure, the last good one while the server is away.

    Raises Changed (and marks the connection) when the server now names another issuer or token endpoint than was confirmed.
    """
    return _described(connection, discovery.judge, limits, again)


def launching(connection: Connection, method: str, limits: Limits = PATIENT, *, again: bool = False) -> Launching:
    """Where people sign in, the same way; `method` is how we are registered there. Raises as `endpoints` does."""

    def judge(document: Json, base: str, origins: Iterable[str]) -> Launching:
        return discovery.judge_launch(document, base, origins, method)

    return _described(connection, judge, limits, again)


def _described(connection: Connection, judge: Callable[[Json, str, list[str]], S], limits: Limits, again: bool) -> S:
    kept = connection.discovery
    fresh = connection.discovered_at is not None and now() - connection.discovered_at < DISCOVERY_LASTS
    line, base, origins = wire(connection), connection.base_url, connection.auth_origins
    if kept and fresh and not again:
        return judge(kept, base, origins)
    session().commit()  # nothing is held open in the database while we wait for the network
    try:
        document = discovery.fetch(line, base, now(), limits)
        found = judge(document, base, origins)
    except (NotReached, TryLater):
        if kept:
            return judge(kept, base, origins)
        raise
    _keep_discovery(connection, found, document)
    return found


def _keep_discovery(connection: Connection, found: Endpoints | Launching, document: Json) -> None:
    confirmed = connection.identity
    with transaction():
        if confirmed and (confirmed["issuer"], confirmed["token"]) != (found.issuer, found.token):
            changed(connection, "The server names another sign-in address than was confirmed.")
        else:
            connection.discovery, connection.discovered_at = _short(document), now()
            confirmed = None
    if confirmed:
        raise Changed


def changed(connection: Connection, why: str) -> None:
    """Stop using the connection until an administrator confirms it; inside the caller's transaction."""
    if state(connection.id).state != "changed":
        move(connection, "changed", None, why)
        alert(connection, "changed")


def _short(document: Json) -> Json:
    """The members that we use, so that nothing large or odd is kept."""
    lists = (
        "capabilities",
        "scopes_supported",
        "grant_types_supported",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "code_challenge_methods_supported",
    )
    texts = (
        "issuer",
        "token_endpoint",
        "authorization_endpoint",
        "jwks_uri",
        "revocation_endpoint",
        "introspection_endpoint",
    )
    flags = ("authorization_response_iss_parameter_supported",)
    kept: dict[str, Any] = {name: document[name][:2000] for name in texts if isinstance(document.get(name), str)}
    kept |= {name: document[name] for name in flags if isinstance(document.get(name), bool)}
    for name in lists:
        if isinstance(document.get(name), list):
            kept[name] = [each[:300] for each in document[name][:500] if isinstance(each, str)]
    return kept


def ask_capabilities(connection: Connection, client: FhirClient) -> Capabilities:
    """Ask the server again what it can do, and keep it. Raises EhrError; Changed when its software is another product."""
    found = capabilities.parse(client.capabilities())
    confirmed = connection.identity
    other = bool(confirmed and confirmed["software"] and found.software != confirmed["software"])
    with transaction():
        if other:
            changed(connection, "The server runs other software than was confirmed.")
        else:
            if confirmed and _can_less(confirmed, connection, found):
                alert(connection, "can-less")
            connection.capabilities, connection.capabilities_at = capabilities.to_json(found), now()
    if other:
        raise Changed
    return found


def _can_less(confirmed: Json, connection: Connection, found: Capabilities) -> bool:
    """Whether something has gone since the last look that was there when the server was confirmed."""
    lost = set(meaning.lost_and_new(confirmed.get("abilities", ()), found)[0])
    return bool(lost - set(meaning.lost_and_new(confirmed.get("abilities", ()), abilities(connection))[0]))


def know_again(connection: Connection, client: FhirClient) -> None:
    """Once a day: ask what the server can do. The first time, who it is counts as confirmed from then on.

    A server that does not tell goes on as it is; raises Changed when it is another one.
    """
    if connection.capabilities_at is not None and now() - connection.capabilities_at < DISCOVERY_LASTS:
        return
    try:
        can = ask_capabilities(connection, client)
    except Changed:
        raise
    except EhrError:
        return
    confirm(connection, endpoints(connection), can)


def confirm(connection: Connection, found: Endpoints | Launching, can: Capabilities) -> None:
    """Remember who this server is and what it can do, when nobody has yet (bar 90)."""
    if connection.identity is None:
        with transaction():
            connection.identity = {
                "issuer": found.issuer,
                "token": found.token,
                "software": can.software,
                "version": can.fhir_version,
                "abilities": [each.name for each in meaning.abilities(can) if each.has],
                "at": now().isoformat(),
            }


def abilities(connection: Connection) -> Capabilities:
    """What the server last said it can do; UNKNOWN before it said anything."""
    return capabilities.from_json(connection.capabilities)


# -- the breaker -------------------------------------------------------------------------------------------------------


def resting(connection: Connection, at: datetime) -> Reason | None:
    """The reason of the last failure while it is too soon to try again."""
    if connection.not_before is None or connection.not_before <= at or connection.failure is None:
        return None
    return Reason(connection.failure)


def failed(connection: Connection, error: EhrError) -> None:
    """Note that the server as a whole did not serve; inside the caller's transaction."""
    reason = reason_of(error)
    if reason not in PASSING:
        return
    wait = error.retry_after if isinstance(error, TryLater | NoCredential) and error.retry_after else REST[reason]
    connection.failed_at, connection.failure = now(), reason.value
    connection.not_before = now() + timedelta(seconds=min(wait, answers.MOST_WAIT))


def reached(connection: Connection) -> None:
    """Note that it served; inside the caller's transaction."""
    connection.reached_at = now()
    connection.failed_at = connection.failure = connection.not_before = None


def alert(connection: Connection, what: str, patient_id: str | None = None, count: int = 1) -> None:
    """Something staff must see; inside the caller's transaction."""
    session().add(
        RecordAlert(
            clinic_id=connection.clinic_id,
            connection_id=connection.id,
            patient_id=patient_id,
            at=now(),
            what=what,
            count=count,
        )
    )


# -- the wire ----------------------------------------------------------------------------------------------------------


def wire(connection: Connection, *more: str | None) -> Wire:
    """The shared wire of this process for the connection: it reaches the base and the `more` addresses; nothing else."""
    bases = (connection.base_url, *(each for each in more if each))
    with _lock:
        if (connection.id, *bases) not in _wires:
            _wires[connection.id, *bases] = Wire(*bases)
        return _wires[connection.id, *bases]


def on_origin(url: str, allowed: Iterable[str]) -> bool:
    """Whether an address lies on an origin that an administrator registered."""
    try:
        return address.origin(url) in {address.origin(each) for each in allowed}
    except Unregistered:
        return False


def wire_to_origin(connection: Connection, url: str, allowed: Iterable[str]) -> Wire:
    """A wire to one address on a registered origin. Raises Unregistered for any other."""
    if not on_origin(url, allowed):
        raise Unregistered
    return wire(connection, url)


def tidy_base(url: str) -> str:
    """A base address as it is kept: no trailing slash, lower-case origin."""
    found = address.parse(url.strip())
    return found.origin + found.path.rstrip("/")


def described(found: Endpoints | Launching) -> dict[str, Any]:
    """Endpoints as data for a page."""
    return asdict(found)
