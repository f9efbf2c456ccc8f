"""A token that many processes need and one renews: who holds the lease asks, everybody else waits for what it brings (bar 39)."""

import hashlib
from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Generic, TypeVar

from sqlalchemy import Select

from portal.clock import now
from portal.db import new_id, session, transaction
from portal.ehr.errors import EhrError, NoCredential, NotReached
from portal.ehr.http import Limits
from portal.ehr.launch_models import Grant
from portal.ehr.models import AccessToken
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

Row = TypeVar("Row", AccessToken, Grant)


def fingerprint(token: str) -> str:
    """Recognises a token without telling anything of it."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


class LeasedBearer(ABC, Generic[Row]):
    """A `Bearer` over one row. Never call it inside `transaction()`: it speaks to the network."""

    def token(self, limits: Limits) -> str:
        """A token that will live a little longer. Raises NotReached or NoCredential."""
        row = session().scalars(self._wanted()).one()
        return _usable(row, None, now()) or self._obtain(None, limits)

    def renewed(self, refused: str, limits: Limits) -> str:
        """Another token than the refused one: the one that somebody else has fetched meanwhile, or a new one."""
        return self._obtain(fingerprint(refused), limits)

    @abstractmethod
    def _wanted(self) -> Select[Row]:
        """The row."""

    @abstractmethod
    def _request(self, row: Row, limits: Limits) -> Granted:
        """Ask the token endpoint; holds nothing open in the database while it waits."""

    @abstractmethod
    def _keep(self, row: Row, granted: Granted) -> None:
        """What besides the token itself is kept; inside the transaction that keeps it."""

    @abstractmethod
    def _refused(self, row: Row, refusal: NoCredential) -> None:
        """What a refusal means; inside the transaction that notes it."""

    def _obtain(self, refused: str | None, limits: Limits) -> str:
        if session().info.get("writing"):
            raise RuntimeError("a token must not be fetched inside a transaction")
        me = new_id()
        until = monotonic() + limits.total
        while (found := self._claim(me, refused)) is None:
            if monotonic() > until:
                raise NotReached("timeout", sent=False)
            sleep(POLL)
        return found or self._fetch(me, limits)

    def _fetch(self, me: str, limits: Limits) -> str:
        row = session().scalars(self._wanted()).one()
        try:
            granted = self._request(row, replace(limits, total=min(limits.total, PATIENCE)))
        except EhrError as refusal:
            self._settle_failure(me, refusal)
            raise
        except BaseException:
            self._settle_failure(me, NotReached("reset", sent=False))
            raise
        self._settle(me, granted)
        return granted.token

    def _claim(self, me: str, refused: str | None) -> str | None:
        """The token when there is a good one, "" when it is now ours to fetch, None while another is fetching."""
        with transaction() as current:
            row = current.scalars(self._wanted().with_for_update()).one()
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

    def _settle(self, me: str, granted: Granted) -> None:
        """Keep the token, durable before its first use; a fetcher that lost its lease changes nothing."""
        with transaction() as current:
            row = current.scalars(self._wanted().with_for_update()).one()
            if row.lease_by != me:
                return
            self._keep(row, granted)
            row.fingerprint, row.scope, row.expires_at = fingerprint(granted.token), granted.scope, granted.expires_at
            row.lease_by = row.lease_until = row.failure = row.not_before = None
            row.terminal = False

    def _settle_failure(self, me: str, refusal: EhrError) -> None:
        with transaction() as current:
            row = current.scalars(self._wanted().with_for_update()).one()
            if row.lease_by != me:
                return
            row.lease_by = row.lease_until = None
            if isinstance(refusal, NoCredential):
                wait = refusal.retry_after or REST[refusal.terminal]
                row.failure, row.terminal = refusal.code[:60], refusal.terminal
                self._refused(row, refusal)
            else:
                wait, row.failure, row.terminal = UNREACHED_REST, UNREACHED, False
            row.not_before = now() + timedelta(seconds=wait)


def _usable(row: AccessToken | Grant, refused: str | None, at: datetime) -> str | None:
    if row.token_sealed is None or row.expires_at is None or row.expires_at - SKEW <= at or row.fingerprint == refused:
        return None
    token: str = row.token["token"]
    return token


def _remembered(row: AccessToken | Grant) -> EhrError:
    if row.failure == UNREACHED:
        return NotReached("connect", sent=False)
    return NoCredential(row.failure or "", terminal=row.terminal)
