"""Our keys turn over, at authorization servers that nobody here wrote: nobody is locked out at any moment, and an old key ends."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from portal import administering, cli
from portal.accounts.models import Clinic
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import connections, keys, service, tokens
from portal.ehr.models import Connection, SigningKey
from portal.ehr.smart import request_token
from tests.ehr.make import Place

from .running import Peer
from .table import Tell

Connect = Callable[..., Connection]


def later(**by: float) -> None:
    """Time passes for our keys: all their dates move back. The server's clock is its own and cannot be moved."""
    with transaction() as current:
        for row in current.query(SigningKey):
            for name in ("made_at", "signs_from", "signs_until", "published_until"):
                if getattr(row, name):
                    setattr(row, name, getattr(row, name) - timedelta(**by))


def kids(connection: Connection) -> list[str]:
    return [each["kid"] for each in service.jwks(connection.id)["keys"]]


def lets_us_in(clinic: Place, connection: Connection) -> bool:
    """With a token that is fetched now."""
    row = session().get_one(Connection, connection.id)
    return bool(tokens.request(row, service.PATIENT).token)


def test_keys_turn_over_by_the_command_and_nobody_is_locked_out_at_any_moment(
    peer: Peer, clinic: Place, connect: Connect, tell: Tell, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect()  # which the server has not seen yet: it keeps a key set for a minute and longer
    old = keys.signer(connection.id, ("ES384",), now())
    slug = session().get_one(Clinic, clinic.clinic_id).slug
    session().commit()
    monkeypatch.setattr(administering, "_open", lambda: None)  # it is open
    assert cli.main(["rotate-keys", "--clinic", slug]) == 0
    assert len(kids(connection)) == 2, "the new one is published before it signs"
    assert keys.signer(connection.id, ("ES384",), now()).kid == old.kid
    assert service.test(clinic.admin, connection.id).ok
    later(minutes=16)
    new = keys.signer(connection.id, ("ES384",), now())
    assert new.kid != old.kid and {old.kid, new.kid} <= set(kids(connection)), (
        "both count while old signatures may be on their way"
    )
    assert lets_us_in(clinic, connection)
    at = connections.endpoints(connection).token
    wire = connections.wire(connection, at)
    assert request_token(wire, at, connection.client_id, "system/Patient.rs", old, now()).token
    later(minutes=61)
    assert kids(connection) == [new.kid]
    assert lets_us_in(clinic, connection)
    tell("passed")
