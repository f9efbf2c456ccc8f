"""The access token of a connection: sealed in the database, renewed before it runs out, fetched by one process at a time (bar 39)."""

from sqlalchemy import Select, select

from portal.actors import system
from portal.audit import service as audit
from portal.audit.events import Event, Outcome
from portal.clock import now
from portal.db import session
from portal.ehr import connections, keys, scopes, smart
from portal.ehr.client import FhirClient
from portal.ehr.errors import NoCredential, NotReached, OnlyPeople
from portal.ehr.http import Limits
from portal.ehr.lease import LeasedBearer, fingerprint
from portal.ehr.models import AccessToken, Connection
from portal.ehr.smart import Granted


class ConnectionBearer(LeasedBearer[AccessToken]):
    """The system's own token for one connection."""

    def __init__(self, connection_id: str) -> None:
        self._connection_id = connection_id

    def _wanted(self) -> Select[AccessToken]:
        return select(AccessToken).where(AccessToken.connection_id == self._connection_id)

    def _request(self, row: AccessToken, limits: Limits) -> Granted:
        return request(session().get_one(Connection, self._connection_id), limits)

    def _keep(self, row: AccessToken, granted: Granted) -> None:
        row.token = {"token": granted.token}
        _audited(row, {"fingerprint": fingerprint(granted.token), "scope": granted.scope}, Outcome.OK)

    def _refused(self, row: AccessToken, refusal: NoCredential) -> None:
        _audited(row, {"refused": refusal.code[:60]}, Outcome.MINOR)


def client_for(connection: Connection, limits: Limits) -> FhirClient:
    """A client for this server, with its tokens. Raises what discovery raises when the server was never reached before."""
    if connection.only_people:
        raise OnlyPeople
    found = connections.endpoints(connection, limits)
    wire = connections.wire(connection, found.token)
    return FhirClient(connection.base_url, wire, ConnectionBearer(connection.id), limits)


def request(connection: Connection, limits: Limits) -> Granted:
    """Ask the token endpoint; when nothing there answers as one, look up once more where it is."""
    try:
        return _request(connection, limits)
    except (NotReached, NoCredential) as failure:
        if not _gone(failure):
            raise
        before = (connection.discovery or {}).get("token_endpoint")
        connections.endpoints(connection, limits, again=True)
        if (connection.discovery or {}).get("token_endpoint") == before:
            raise
        return _request(connection, limits)


def _gone(failure: NotReached | NoCredential) -> bool:
    if isinstance(failure, NotReached):
        return failure.failure in ("connect", "tls")
    return failure.code in ("HTTP 404", "HTTP 405", "HTTP 410")


def _request(connection: Connection, limits: Limits) -> Granted:
    found = connections.endpoints(connection, limits)
    signer = keys.signer(connection.id, found.algorithms, now())
    scope = scopes.asked(scopes.NEEDS, v2=scopes.speaks_v2(found.capabilities))
    wire = connections.wire(connection, found.token)
    client_id = connection.client_id
    session().commit()  # nothing is held open in the database while we wait for the network
    return smart.request_token(wire, found.token, client_id, scope, signer, now(), limits)


def granted_scope(connection_id: str) -> str | None:
    """What the present token was granted, or None before there was one."""
    return session().scalar(select(AccessToken.scope).where(AccessToken.connection_id == connection_id))


def _audited(row: AccessToken, detail: dict[str, object], outcome: Outcome) -> None:
    audit.record(
        system(row.clinic_id),
        Event.TOKEN_OBTAINED,
        subject=f"connections:{row.connection_id}",
        detail=detail,
        outcome=outcome,
    )
