"""Row 4 of the client matrix: what comes back from a clinic's sign-in is ours, this browser's and live, or nothing happens."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from portal.clock import now
from portal.db import session
from portal.ehr import launches
from portal.ehr.errors import NotProven
from portal.ehr.launch_models import Grant, Launch
from portal.errors import Gone, PortalError, Unreadable

from .hostile import Hostile
from .make import Place, place
from .signing_in import Scene, scene


@pytest.fixture
def at(clinic: Place, server: Hostile) -> Scene:
    return scene(clinic, server)


def _nothing_was_asked(at: Scene) -> None:
    assert at.at.asked() == [], "no token request"
    assert session().query(Grant).count() == 0


@pytest.mark.parametrize(
    "state",
    [None, "", "guessed", "a" * 43, "a" * 5000, ["x", "y"]],
    ids=["none", "empty", "guessed", "like", "long", "two"],
)
def test_row_04_redirect_handling__state_missing_or_mismatched(at: Scene, state: Any) -> None:
    way = at.connect()
    with pytest.raises((Gone, Unreadable)):
        at.back(way, at.patient, state=state)
    _nothing_was_asked(at)


def test_row_04_redirect_handling__state_replayed(at: Scene) -> None:
    way = at.connect()
    at.back(way, at.patient)
    with pytest.raises(Gone):
        at.back(way, at.patient)
    assert len(at.at.asked()) == 1


def test_row_04_redirect_handling__state_replayed_after_an_error(at: Scene) -> None:
    """Used up whatever came of it: an answer that was refused cannot be mended and sent again."""
    way = at.connect()
    with pytest.raises(launches.Declined):
        at.back(way, at.patient, code=None, error="access_denied")
    with pytest.raises(Gone):
        at.back(way, at.patient)
    _nothing_was_asked(at)


def test_row_04_redirect_handling__state_of_a_foreign_session(at: Scene) -> None:
    way = at.connect()
    with pytest.raises(Gone):
        at.back(way, at.patient, browser="another-browser")
    with pytest.raises(Gone):
        at.back(way, at.patient, browser="")
    _nothing_was_asked(at)


def test_row_04_redirect_handling__state_of_another_person_in_the_same_browser(at: Scene) -> None:
    way = at.connect()
    with pytest.raises(Gone):
        at.back(way, at.clinician)
    with pytest.raises(Gone):
        at.back(at.connect(), None)
    _nothing_was_asked(at)


def test_row_04_redirect_handling__state_expired(at: Scene) -> None:
    way = at.connect()
    with time_machine.travel(now() + timedelta(minutes=10, seconds=1)), pytest.raises(Gone):
        at.back(way, at.patient)
    _nothing_was_asked(at)


def test_row_04_redirect_handling__state_of_another_connection(at: Scene, server: Hostile) -> None:
    """One redirect address for each server: a code of one is never taken to the other (mix-up)."""
    from .hostile import hostile

    with hostile() as second:
        other = scene(place(), second)
        way = at.connect()
        with pytest.raises(Gone):
            other.back(way, at.patient)
        assert other.at.asked() == []
    _nothing_was_asked(at)


@pytest.mark.parametrize(
    "error",
    [
        "access_denied",
        "invalid_scope",
        "unauthorized_client",
        "invalid_request",
        "server_error",
        "temporarily_unavailable",
    ],
)
def test_row_04_redirect_handling__error_is_shown_in_our_words(at: Scene, error: str) -> None:
    way = at.connect()
    with pytest.raises(launches.Declined) as raised:
        at.back(way, at.patient, code=None, error=error, error_description="their <b>words</b>")
    assert raised.value.sentence == launches.DECLINED[error]
    _nothing_was_asked(at)


def test_row_04_redirect_handling__error_is_not_reflected(at: Scene) -> None:
    way = at.connect()
    with pytest.raises(launches.Declined) as raised:
        at.back(way, at.patient, code=None, error="<script>alert(1)</script>", error_uri="https://evil.example")
    assert raised.value.sentence == launches.Declined.sentence


def test_row_04_redirect_handling__error_beside_a_code_is_an_error(at: Scene) -> None:
    with pytest.raises(launches.Declined):
        at.back(at.connect(), at.patient, error="access_denied")
    _nothing_was_asked(at)


@pytest.mark.parametrize("iss", ["https://evil.example", "", None], ids=["another", "empty", "none"])
def test_row_04_redirect_handling__rfc_9207_iss_mismatch(at: Scene, iss: str | None) -> None:
    with pytest.raises(NotProven):
        at.back(at.connect(), at.patient, iss=iss)
    _nothing_was_asked(at)


def test_row_04_redirect_handling__rfc_9207_iss_where_the_server_does_not_promise_it(
    clinic: Place, server: Hostile
) -> None:
    at = scene(clinic, server, authorization_response_iss_parameter_supported=None)
    assert at.back(at.connect(), at.patient, iss=None).kind == "connect"
    with pytest.raises(NotProven):
        at.back(at.connect(), at.patient, iss="https://evil.example")


def test_row_04_redirect_handling__code_without_a_session(at: Scene) -> None:
    with pytest.raises(Gone):
        launches.take(at.connection.id, {"state": ["x"], "code": ["y"]}, None)


@pytest.mark.parametrize("code", [None, "", "a\nb", "é", "a" * 4097])
def test_row_04_redirect_handling__code_missing_or_odd(at: Scene, code: str | None) -> None:
    with pytest.raises(Unreadable):
        at.back(at.connect(), at.patient, code=code)
    _nothing_was_asked(at)


@pytest.mark.parametrize("name", launches.ONCE)
def test_row_04_redirect_handling__duplicate_parameters(at: Scene, name: str) -> None:
    way = at.connect()
    said = {"state": way.fields["state"], "code": "c", "iss": at.at.server.url, "error": "x"}[name]
    with pytest.raises(Unreadable):
        at.back(way, at.patient, **{name: [said, said]})
    _nothing_was_asked(at)
    assert session().query(Launch).one().used_at is None


def test_row_04_redirect_handling__twenty_bad_callbacks_leave_nobody_signed_in(at: Scene) -> None:
    """Bar figure F14: none of them is accepted, and the good one still is."""
    from portal.accounts.models import SignIn

    for bad in (
        {"state": "x"},
        {"iss": "https://evil.example"},
        {"code": ""},
        {"error": "x"},
        {"code": ["a", "b"]},
    ) * 4:
        with pytest.raises(PortalError):
            at.back(at.sign_in(), **bad)
    assert session().query(SignIn).count() == 0
    assert at.back(at.sign_in()).session_token
