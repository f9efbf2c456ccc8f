"""Ways out to a clinic's sign-in and back: made for one browser, used once, gone after ten minutes (bar 31, 32)."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select

from portal import db
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import authorize, connections, registration
from portal.ehr.authorize import Secrets, WayOut
from portal.ehr.discovery import Launching
from portal.ehr.errors import NotProven, NotSmart
from portal.ehr.http import BRISK, Limits
from portal.ehr.launch_models import CONNECT, Launch
from portal.ehr.models import Connection
from portal.errors import Gone, PortalError, TooMany, Unreadable

LASTS = timedelta(minutes=10)
KEPT = timedelta(days=1)
PER_SOURCE, WINDOW = 600, timedelta(minutes=15)
"""So many ways out from one source in a quarter of an hour: a busy clinic behind one address, but no flood."""
LONGEST_CODE, LONGEST_LAUNCH = 4096, 2048
ONCE = ("state", "code", "iss", "error")


class Declined(PortalError):
    """The clinic's system answered that it did not sign the person in."""

    status = 403
    title = "You were not signed in at the clinic's system"
    sentence = "The clinic's system did not sign you in. Nothing was connected. You can try again."


DECLINED: dict[str, str] = {
    "access_denied": "You chose not to allow it, or the clinic's system does not let you. Nothing was connected.",
    "invalid_scope": "The clinic's system does not allow what we asked for. Tell your clinic: its connection has to be set up again.",
    "unauthorized_client": "The clinic's system does not know this site. Tell your clinic: its connection has to be set up again.",
    "invalid_request": "The clinic's system did not understand our question. Tell your clinic: its connection has to be set up again.",
    "server_error": "The clinic's system had a problem. Please try again in a few minutes.",
    "temporarily_unavailable": "The clinic's system is busy. Please try again in a few minutes.",
    "login_required": "The clinic's system could not find out who you are. Please try again.",
}
"""The errors of RFC 6749 4.1.2.1 in words; what else a server says is never repeated."""


@dataclass(frozen=True)
class Answered:
    """A way back that belongs to a way out of ours: nothing of it is believed about the person yet."""

    launch: Launch
    code: str

    def __repr__(self) -> str:
        return "Answered(…)"


def begin(
    connection: Connection,
    kind: str,
    scope: str,
    *,
    browser: str,
    source: str,
    site: str,
    account_id: str | None = None,
    launch: str | None = None,
    limits: Limits = BRISK,
) -> WayOut:
    """Where the browser with the secret `browser` goes now. Asks the server for its description where none is kept.

    `site` is the portal's own address. Raises EhrError, TooMany, and Unreadable for an odd `launch`.
    """
    client = registration.of(connection.id)
    if client is None:
        raise NotSmart
    if launch is not None and not (0 < len(launch) <= LONGEST_LAUNCH and launch.isprintable()):
        raise Unreadable
    at, base, client_id = (
        connections.launching(connection, client.method, limits),
        connection.base_url,
        client.client_id,
    )
    scope = _without_identity(scope) if kind == CONNECT and not at.identity else scope
    if "openid" in scope.split() and at.identity is False:
        raise NotSmart("The clinic's system does not say who signs in (OpenID Connect).")
    made = authorize.make_secrets()
    redirect_uri = f"{site}/launch/callback/{connection.id}"
    _keep(connection, kind, scope, made, redirect_uri, browser, source, account_id)
    return authorize.request(
        at, base=base, client_id=client_id, redirect_uri=redirect_uri, scope=scope, made=made, launch=launch
    )


def _without_identity(scope: str) -> str:
    return " ".join(each for each in scope.split() if each not in ("openid", "fhirUser"))


def _keep(
    connection: Connection,
    kind: str,
    scope: str,
    made: Secrets,
    redirect_uri: str,
    browser: str,
    source: str,
    account_id: str | None,
) -> None:
    who, at = db.keys().blind("launch-source", source), now()
    with transaction() as current:
        current.execute(delete(Launch).where(Launch.made_at < at - KEPT))
        recent = select(func.count()).where(Launch.source == who, Launch.made_at > at - WINDOW)
        if (current.scalar(recent) or 0) >= PER_SOURCE:
            raise TooMany
        current.add(
            Launch(
                clinic_id=connection.clinic_id,
                connection_id=connection.id,
                kind=kind,
                state_hash=hashed(made.state),
                browser_hash=hashed(browser),
                account_id=account_id,
                source=who,
                scope=scope,
                redirect_uri=redirect_uri,
                made_at=at,
                expires_at=at + LASTS,
                held={"verifier": made.verifier, "nonce": made.nonce},
            )
        )


def take(connection_id: str, query: Mapping[str, Sequence[str]], browser: str | None) -> Answered:
    """The way out that this way back belongs to; from now on it is used up, whatever comes of it.

    Raises Unreadable for a query that makes no sense, Gone for a state that is not this browser's own live one, NotProven
    for an answer in another issuer's name, Declined when the server says no. Nothing is ever sent to anybody here.
    """
    if any(len(query.get(name, ())) > 1 for name in ONCE):
        raise Unreadable
    state, code, issuer, error = (next(iter(query.get(name, ())), "") for name in ONCE)
    row = _use_up(connection_id, state, browser)
    _check_issuer(row, issuer)
    if error:
        raise Declined(DECLINED.get(error, Declined.sentence))
    if not (0 < len(code) <= LONGEST_CODE and code.isascii() and code.isprintable()):
        raise Unreadable
    return Answered(row, code)


def _use_up(connection_id: str, state: str, browser: str | None) -> Launch:
    if not state or len(state) > 200 or not browser:
        raise Gone(LOST)
    with transaction() as current:
        row = current.scalars(select(Launch).where(Launch.state_hash == hashed(state)).with_for_update()).one_or_none()
        if (
            row is None
            or row.connection_id != connection_id
            or not secrets.compare_digest(row.browser_hash, hashed(browser))
            or row.used_at is not None
            or row.expires_at <= now()
        ):
            raise Gone(LOST)
        row.used_at = now()
        return row


LOST = "This sign-in was begun somewhere else, has been used already, or took too long. Start again from the page where you began."


def _check_issuer(row: Launch, said: str) -> None:
    """RFC 9207: an answer says whose it is, where the server promises to say it, and never another's."""
    connection = session().get_one(Connection, row.connection_id)
    client = registration.of(connection.id)
    if client is None or connection.discovery is None:
        raise Gone(LOST)
    at = known(connection, client.method)
    if (said and at.issuer and said != at.issuer) or (at.names_issuer and not said):
        raise NotProven


def known(connection: Connection, method: str) -> Launching:
    """What the server last said of its sign-in, as it stood when the browser was sent there."""
    return connections.launching(connection, method)


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
