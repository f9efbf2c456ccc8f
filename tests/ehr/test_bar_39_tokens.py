"""Bar 39: however many processes and threads need a token at once, one fetches it, and it is durable before it is used."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from portal import db, sealing
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import service, tokens
from portal.ehr.http import Limits
from portal.ehr.models import AccessToken

from .hostile import Hostile, Say, Seen
from .make import Place

QUICK = Limits(connect=2, read=5, total=10)


def _slow(server: Hostile) -> None:
    def grant(seen: Seen) -> Say:
        Event().wait(0.4)
        return server.grant(seen)

    server.on["POST /token"] = grant


def test_bar_39_eight_threads_that_need_a_token_make_one_request(clinic: Place, server: Hostile) -> None:
    server.smart()
    _slow(server)
    connection = clinic.connect(server.base)
    service.client_for(connection, QUICK)
    name = connection.id
    session().commit()

    def get(_: int) -> str:
        try:
            return tokens.ConnectionBearer(name).token(QUICK)
        finally:
            db.close()

    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(get, range(8)))
    assert got == {"token-1"}
    assert server.paths().count("/token") == 1


def _in_a_process(url: str, ring: sealing.KeyRing, name: str, gate: Any, out: Any) -> None:
    db.connect(url, ring)
    gate.wait(20)
    out.put(tokens.ConnectionBearer(name).token(QUICK))


def test_bar_39_eight_processes_that_need_a_token_make_one_request(
    database: str, clinic: Place, server: Hostile
) -> None:
    server.smart()
    _slow(server)
    connection = clinic.connect(server.base)
    service.client_for(connection, QUICK)
    name, ring = connection.id, db.keys()
    session().commit()
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])
    gate, out = processes.Barrier(8), processes.Queue()
    workers = [processes.Process(target=_in_a_process, args=(database, ring, name, gate, out)) for _ in range(8)]
    for each in workers:
        each.start()
    got = {out.get(timeout=60) for _ in workers}
    for each in workers:
        each.join(20)
    assert got == {"token-1"}
    assert server.paths().count("/token") == 1


def test_bar_39_a_refused_token_is_renewed_once_by_whoever_is_first(clinic: Place, server: Hostile) -> None:
    server.smart()
    connection = clinic.connect(server.base)
    service.client_for(connection, QUICK)
    bearer = tokens.ConnectionBearer(connection.id)
    first = bearer.token(QUICK)
    assert bearer.renewed(first, QUICK) == "token-2"
    assert bearer.renewed(first, QUICK) == "token-2", (
        "somebody who still holds the old one gets the new one, without asking"
    )
    assert server.paths().count("/token") == 2


def test_bar_39_a_fetcher_that_died_is_replaced_when_its_lease_ends(clinic: Place, server: Hostile) -> None:
    server.smart()
    connection = clinic.connect(server.base)
    service.client_for(connection, QUICK)
    with transaction() as current:
        row = current.query(AccessToken).one()
        row.lease_by, row.lease_until = "somebody", now() + timedelta(seconds=0.6)
    assert tokens.ConnectionBearer(connection.id).token(QUICK) == "token-1"


def test_bar_39_a_fetcher_that_lost_its_lease_overwrites_nothing(clinic: Place, server: Hostile) -> None:
    server.smart()
    connection = clinic.connect(server.base)
    service.client_for(connection, QUICK)
    name = connection.id

    def late(seen: Seen) -> Say:
        with transaction() as current:
            row = current.query(AccessToken).one()
            row.lease_by = "another"
        db.close()
        return server.grant(seen)

    server.on["POST /token"] = late
    assert tokens.ConnectionBearer(name).token(QUICK) == "token-1"
    db.close()
    assert session().query(AccessToken).one().token_sealed is None


def test_a_token_is_never_fetched_inside_a_transaction(clinic: Place, server: Hostile) -> None:
    server.smart()
    connection = clinic.connect(server.base)
    client = service.client_for(connection, QUICK)
    with transaction(), pytest.raises(RuntimeError):
        client.get("Patient/p1")


def test_bar_37_the_audit_trail_knows_a_token_by_its_fingerprint_only(clinic: Place, server: Hostile) -> None:
    from portal.audit.models import AuditRow

    server.smart()
    service.client_for(clinic.connect(server.base), QUICK).get("Patient/p1")
    details = [row.detail for row in session().query(AuditRow) if row.event == "token-obtained"]
    assert len(details) == 1
    assert details[0]["fingerprint"] == tokens.fingerprint("token-1")
    assert "token-1" not in str(details)
