"""The access token of a connection: sealed in the database, renewed before it runs out, fetched by one process at a time (bar 39)."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic, sleep

from sqlalchemy import Select, select

from portal.actors import system
from portal.audit import service as audit
from portal.audit.events import Event, Outcome
from portal.clock import now
from portal.db import new_id, session, transaction
from portal.ehr import connections, keys, scopes, smart
from portal.ehr.client import FhirClient
from portal.ehr.errors import EhrError, NoCredential, NotReached
from portal.ehr.http import Limits
from portal.ehr.models import AccessToken, Connection
from portal.ehr.smart import Granted

SKEW = timedelta(seconds=20)
"""A token is not used in its last seconds: it has to outlive the request that carries it."""
POLL = 0.05
REST = {True: 60.0, False: 10.0}
"""Seconds before a refused request for a token is repeated, terminal or not."""
PATIENCE = 15.0
"""Seconds that a token endpoint has: everybody is waiting for it."""
LEASE = timedelta(seconds=PATIENCE * 2 + 5)
"""Longer than a fetcher that lives can take (discovery and token); after it, one that died is replaced."""
UNREACHED, UNREACHED_REST = "unreached", 2.0


def fingerprint(token: str) -> str:
    """Recognises a token without telling anything of it."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


class ConnectionBearer:
    """A `Bearer` for one connection. Never call it inside `transaction()`: it speaks to the network."""

    def __init__(self, connection_id: str) -> None:
        self._connection_id = connection_id

    def token(self, limits: Limits) -> str:
        """A token that will live a little longer. Raises NotReached or NoCredential."""
        row = session().scalars(_of(self._connection_id)).one()
        return _usable(row, None, now()) or self._obtain(None, limits)

    def renewed(self, refused: str, limits: Limits) -> str:
        """Another token than the refused one: the one that somebody else has fetched meanwhile, or a new one."""
        return self._obtain(fingerprint(refused), limits)

    def _obtain(self, refused: str | None, limits: Limits) -> str:
        if session().info.get("writing"):
            raise RuntimeError("a token must not be fetched inside a transaction")
        me = new_id()
        until = monotonic() + limits.total
        while (found := _claim(self._connection_id, me, refused)) is None:
            if monotonic() > until:
                raise NotReached("timeout", sent=False)
            sleep(POLL)
        return found or self._fetch(me, limits)

    def _fetch(self, me: str, limits: Limits) -> str:
        connection = session().get_one(Connection, self._connection_id)
        try:
            granted = request(connection, replace(limits, total=min(limits.total, PATIENCE)))
        except EhrError as refusal:
            _settle_failure(self._connection_id, me, refusal)
            raise
        except BaseException:
            _settle_failure(self._connection_id, me, NotReached("reset", sent=False))
            raise
        _settle(self._connection_id, me, granted)
        return granted.token


def client_for(connection: Connection, limits: Limits) -> FhirClient:
    """A client for this server, with its tokens. Raises what discovery raises when the server was never reached before."""
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


def _of(connection_id: str) -> Select[AccessToken]:
    return select(AccessToken).where(AccessToken.connection_id == connection_id)


def _usable(row: AccessToken, refused: str | None, at: datetime) -> str | None:
    if row.token_sealed is None or row.expires_at is None or row.expires_at - SKEW <= at or row.fingerprint == refused:
        return None
    token: str = row.token["token"]
    return token


def _claim(connection_id: str, me: str, refused: str | None) -> str | None:
    """The token when there is a good one, "" when it is now ours to fetch, None while another is fetching."""
    with transaction() as current:
        row = current.scalars(_of(connection_id).with_for_update()).one()
        at = now()
        found = _usable(row, refused, at)
        if found:
            return found
        if row.not_before is not None and row.not_before > at:
            raise _remembered(row)
        if row.lease_until is not None and row.lease_until > at:
            return None
        row.lease_by, row.lease_until = me, at + LEASE
        return ""


def _settle(connection_id: str, me: str, granted: Granted) -> None:
    """Keep the token, durable before its first use; a fetcher that lost its lease changes nothing."""
    with transaction() as current:
        row = current.scalars(_of(connection_id).with_for_update()).one()
        if row.lease_by != me:
            return
        row.token = {"token": granted.token}
        row.fingerprint, row.scope, row.expires_at = fingerprint(granted.token), granted.scope, granted.expires_at
        row.lease_by = row.lease_until = row.failure = row.not_before = None
        row.terminal = False
        _audited(row, {"fingerprint": row.fingerprint, "scope": granted.scope}, Outcome.OK)


def _remembered(row: AccessToken) -> EhrError:
    if row.failure == UNREACHED:
        return NotReached("connect", sent=False)
    return NoCredential(row.failure or "", terminal=row.terminal)


def _settle_failure(connection_id: str, me: str, refusal: EhrError) -> None:
    with transaction() as current:
        row = current.scalars(_of(connection_id).with_for_update()).one()
        if row.lease_by != me:
            return
        row.lease_by = row.lease_until = None
        if isinstance(refusal, NoCredential):
            wait = refusal.retry_after or REST[refusal.terminal]
            row.failure, row.terminal = refusal.code[:60], refusal.terminal
            _audited(row, {"refused": row.failure}, Outcome.MINOR)
        else:
            wait, row.failure, row.terminal = UNREACHED_REST, UNREACHED, False
        row.not_before = now() + timedelta(seconds=wait)


def _audited(row: AccessToken, detail: dict[str, object], outcome: Outcome) -> None:
    audit.record(
        system(row.clinic_id),
        Event.TOKEN_OBTAINED,
        subject=f"connections:{row.connection_id}",
        detail=detail,
        outcome=outcome,
    )
