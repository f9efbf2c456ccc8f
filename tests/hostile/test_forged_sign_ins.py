"""Forged proofs of who somebody is are believed by nobody (F14): tokens, ways back, and the errors that the public launcher makes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from joserfc import jwt
from joserfc.jwk import RSAKey

from portal.accounts.models import SignIn
from portal.clock import now
from portal.db import session
from portal.ehr import grants, identity, service
from portal.ehr.errors import EhrError, NotProven
from portal.ehr.launch_models import Grant
from portal.errors import PortalError
from tests.ehr.conftest import _bound
from tests.ehr.hostile import Say, hostile
from tests.ehr.make import place
from tests.ehr.signing_in import JSON, QUICK, Scene, scene
from tests.hostile import forged

MANY = 20_000 if os.environ.get("PREVISIT_HOSTILE_WHOLE") else 600


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "k1"})


def believed(token: Any, key: RSAKey) -> bool:
    at = datetime.fromtimestamp(forged.NOW, UTC)
    known = {
        "issuer": forged.ISSUER,
        "client_id": forged.CLIENT,
        "nonce": forged.NONCE,
        "base": "https://ehr.example.org/fhir",
    }
    try:
        identity.check(token, {"keys": [key.as_dict(private=False)]}, now=at, **known)
    except NotProven:
        return False
    return True


def test_no_forged_token_is_believed(key: RSAKey, capsys: pytest.CaptureFixture[str]) -> None:
    assert believed(forged.good(key), key) and believed(forged.signed(forged.HEADER, forged.CLAIMS, key), key)
    tried, kinds = 0, Counter[str]()
    for what, token in forged.some(key, MANY):
        assert not believed(token, key), what
        tried, kinds[what.partition(" ")[0]] = tried + 1, 1
    with capsys.disabled():
        print(f"\nF14: {tried} forged tokens, {len(kinds)} kinds: 0 believed")
    assert tried == MANY


def test_somebody_who_believes_too_much_is_noticed(key: RSAKey) -> None:
    """So that the test above cannot pass because nothing was forged: without the claims' rules, without the key."""
    careless = 0
    for _, token in forged.some(key, 220):
        try:
            careless += bool(jwt.decode(token, key, algorithms=["RS256"]).claims)
        except Exception:
            continue
    assert careless > 80


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Scene]:
    bound = _bound(f"sqlite:///{tmp_path / 'previsit.db'}")
    next(bound)
    with hostile() as server:
        yield scene(place(), server)
    bound.close()  # type: ignore[attr-defined]


def back(**query: Any) -> Callable[[Scene], None]:
    def come(at: Scene) -> None:
        at.back(at.sign_in(), **query)

    return come


def _again(at: Scene) -> None:
    way = at.sign_in()
    at.back(way)
    session().query(SignIn).delete()
    session().commit()
    at.back(way)


def _late(at: Scene) -> None:
    way = at.sign_in()
    with time_machine.travel(now() + timedelta(minutes=10, seconds=1)):
        at.back(way)


def _of_another_server(at: Scene) -> None:
    with hostile() as second:
        scene(place(), second).back(at.sign_in())


def _of_another_way(at: Scene) -> None:
    """What was begun to connect a record is finished by somebody who signs in."""
    at.back(at.connect())


CALLBACKS: dict[str, Callable[[Scene], None]] = {
    "no state": back(state=None),
    "an empty state": back(state=""),
    "a guessed state": back(state="a" * 43),
    "a long state": back(state="a" * 5_000),
    "two states": back(state=["a", "b"]),
    "another browser": back(browser="another"),
    "no browser": back(browser=""),
    "no code": back(code=None),
    "an empty code": back(code=""),
    "two codes": back(code=["a", "b"]),
    "a code of two lines": back(code="a\nb"),
    "a code that is not ASCII": back(code="é"),
    "a long code": back(code="a" * 4_097),
    "another issuer": back(iss="https://evil.example"),
    "no issuer": back(iss=None),
    "an empty issuer": back(iss=""),
    "two issuers": back(iss=["a", "b"]),
    "an error": back(code=None, error="access_denied"),
    "an error beside a code": back(error="access_denied"),
    "two errors": back(error=["a", "b"]),
    "sent again": _again,
    "eleven minutes later": _late,
    "of another server": _of_another_server,
    "of another purpose": _of_another_way,
}


@pytest.mark.parametrize("name", CALLBACKS)
def test_no_bad_way_back_lets_anybody_in(at: Scene, name: str) -> None:
    with pytest.raises(PortalError):
        CALLBACKS[name](at)
    assert session().query(SignIn).count() == 0 and session().query(Grant).count() == 0


def test_the_good_way_back_lets_them_in(at: Scene) -> None:
    assert at.back(at.sign_in()).session_token and len(CALLBACKS) >= 20


def declined(error: str) -> Callable[[Scene], object]:
    return lambda at: at.back(at.sign_in(), code=None, error=error, error_description="Simulated")


def token_says(status: int, error: str) -> Callable[[Scene], object]:
    def act(at: Scene) -> object:
        way = at.sign_in()
        at.at.server.on["POST /token"] = Say(status, {"error": error, "error_description": "Simulated"}, JSON)
        return at.back(way)

    return act


def _expired_refresh(at: Scene) -> None:
    at.back(at.connect(), at.patient)
    at.at.server.on["POST /token"] = Say(
        400, {"error": "invalid_grant", "error_description": "Refresh token expired"}, JSON
    )
    with time_machine.travel(now() + timedelta(minutes=10)):
        assert grants.client_for(at.connection, at.patient.patient_id or "", "p1", QUICK) is None
    session().expire_all()
    assert session().query(Grant).one().broken_at is not None
    raise NotProven


def requests_say(words: bytes) -> Callable[[Scene], object]:
    def act(at: Scene) -> object:
        at.at.server.on["GET /fhir/Patient/p1"] = Say(401, words, {"Content-Type": "text/plain"})
        return service.client_for(at.connection, QUICK).read("Patient", "p1")

    return act


LAUNCHER: dict[str, Callable[[Scene], object]] = {
    "auth_invalid_client_id": declined("invalid_client"),
    "auth_invalid_redirect_uri": declined("invalid_request"),
    "auth_invalid_scope": declined("invalid_scope"),
    "auth_invalid_client_secret": token_says(401, "invalid_client"),
    "token_invalid_token": token_says(401, "invalid_token"),
    "token_expired_refresh_token": _expired_refresh,
    "token_expired_registration_token": token_says(400, "invalid_grant"),
    "token_invalid_scope": token_says(400, "invalid_scope"),
    "token_invalid_jti": token_says(400, "invalid_grant"),
    "request_invalid_token": requests_say(b"Invalid token"),
    "request_expired_token": requests_say(b"Session expired"),
}
"""The eleven errors that the public SMART launcher simulates, by its names for them."""


@pytest.mark.parametrize("name", LAUNCHER)
def test_no_simulated_error_of_the_launcher_passes_for_a_success(at: Scene, name: str) -> None:
    with pytest.raises((PortalError, EhrError)):
        LAUNCHER[name](at)
    assert session().query(SignIn).count() == 0
    assert len(LAUNCHER) == 11
