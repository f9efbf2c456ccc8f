"""Row 10 of the client matrix (and 13, 15 for people): a patient's permission is renewed by one, rotates, breaks and ends."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
import time_machine

from portal import db
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import grants, launching, service
from portal.ehr.grants import GrantBearer
from portal.ehr.launch_models import Grant
from portal.ehr.service import Kind, Reason, State

from .hostile import Hostile, Say, Seen, say
from .make import Place, condition, searchset
from .signing_in import JSON, QUICK, Scene, scene

LATER = timedelta(minutes=10)


@pytest.fixture
def at(clinic: Place, server: Hostile) -> Scene:
    made = scene(clinic, server)
    made.back(made.connect(), made.patient)
    return made


def _client(at: Scene) -> Any:
    found = grants.client_for(at.connection, at.patient.patient_id or "", "p1", QUICK)
    return found[0] if found else None


def _row() -> Grant:
    session().expire_all()
    return session().query(Grant).one()


def test_row_10_refresh__grant_type_and_refresh_token(at: Scene) -> None:
    with time_machine.travel(now() + LATER):
        assert _client(at) is not None
    last = at.at.asked()[-1]
    assert (last["grant_type"], last["refresh_token"]) == ("refresh_token", "refresh-1")


def test_row_10_refresh__scope_never_wider_than_it_was(at: Scene) -> None:
    with time_machine.travel(now() + LATER):
        _client(at)
    assert set(at.at.asked()[-1].get("scope", "").split()) <= set(_row().asked.split())


def test_row_10_refresh__new_refresh_token_replaces_the_old(at: Scene) -> None:
    for number in (1, 2, 3):
        with time_machine.travel(now() + LATER * number):
            _client(at)
    assert [each["refresh_token"] for each in at.at.asked()[1:]] == ["refresh-1", "refresh-2", "refresh-3"]


def test_row_10_refresh__kept_if_the_server_gives_none(at: Scene) -> None:
    at.at.token = {"refresh_token": None}
    for number in (1, 2):
        with time_machine.travel(now() + LATER * number):
            _client(at)
    assert [each["refresh_token"] for each in at.at.asked()[1:]] == ["refresh-1", "refresh-1"]
    assert _row().lasts


def test_row_10_refresh__one_at_a_time_under_concurrency(at: Scene, server: Hostile) -> None:
    name, usual = _row().id, server.on["POST /token"]

    def slow(seen: Seen) -> Say:
        Event().wait(0.3)
        assert callable(usual)
        return usual(seen)

    server.on["POST /token"] = slow
    session().commit()

    def get(_: int) -> str:
        try:
            return GrantBearer(name).token(QUICK)
        finally:
            db.close()

    with time_machine.travel(now() + LATER), ThreadPoolExecutor(8) as pool:
        assert set(pool.map(get, range(8))) == {"person-2"}
    assert len(at.at.asked()) == 2


def test_row_10_refresh__one_that_died_between_answer_and_commit_means_reconnect(at: Scene, server: Hostile) -> None:
    """The server has rotated, we have not heard it: the old token is refused, and the patient is asked to connect again."""
    server.on["POST /token"] = Say(400, {"error": "invalid_grant"}, JSON)
    with time_machine.travel(now() + LATER):
        with transaction() as current:
            row = current.query(Grant).one()
            row.lease_by, row.lease_until = "who died", now() - timedelta(seconds=1)
        assert _client(at) is None
    [standing] = launching.standing(at.patient)
    assert standing.held is not None
    assert standing.held.broken


def test_row_10_refresh__invalid_grant_marks_the_permission_broken_and_is_not_repeated(
    at: Scene, server: Hostile
) -> None:
    server.on["POST /token"] = Say(400, {"error": "invalid_grant"}, JSON)
    for minutes in (10, 20, 60):
        with time_machine.travel(now() + timedelta(minutes=minutes)):
            assert _client(at) is None
    assert server.paths().count("/token") == 2
    assert _row().broken_at is not None


def test_row_10_refresh__invalid_grant_keeps_the_reads_going_with_our_own_permission(
    at: Scene, server: Hostile
) -> None:
    def answer(seen: Seen) -> Say:
        if seen.form["grant_type"] == "client_credentials":
            return server.grant(seen)
        return Say(400, {"error": "invalid_grant"}, JSON)

    server.on["POST /token"] = answer
    server.fhir("Condition", searchset(server.base, "Condition?patient=p1", condition("c1")))
    with time_machine.travel(now() + LATER):
        reading = service.read(at.patient, at.patient.patient_id or "", Kind.CONDITIONS)
    assert reading.state is State.KNOWN
    assert server.tokens()[-1].startswith("Bearer token-")


@pytest.mark.parametrize("error", ["temporarily_unavailable", "server_error"])
def test_row_10_refresh__a_server_that_is_away_breaks_nothing(at: Scene, server: Hostile, error: str) -> None:
    server.on["POST /token"] = Say(503, {"error": error}, JSON)
    with time_machine.travel(now() + LATER):
        assert _client(at) is None
    assert _row().broken_at is None


def test_row_10_refresh__another_patient_in_the_answer_ends_it(at: Scene) -> None:
    at.at.token = {"patient": "p2"}
    with time_machine.travel(now() + LATER):
        assert _client(at) is None
    assert _row().broken_at is not None


def test_row_10_refresh__none_without_offline_access(clinic: Place, server: Hostile) -> None:
    at = scene(clinic, server)
    at.at.token = {"refresh_token": None}
    at.back(at.connect(), at.patient)
    assert _client(at) is not None
    with time_machine.travel(now() + LATER):
        assert _client(at) is None
        [standing] = launching.standing(at.patient)
    assert standing.held is not None
    assert (standing.held.lasts, standing.held.broken) == (False, True)
    assert len(at.at.asked()) == 1


def test_row_10_refresh__proactive_before_expiry(at: Scene) -> None:
    for seconds, requests in ((200, 1), (285, 2)):
        with time_machine.travel(now() + timedelta(seconds=seconds)):
            _client(at)
        assert len(at.at.asked()) == requests


def test_row_10_refresh__once_after_a_401(at: Scene, server: Hostile) -> None:
    answers = iter([Say(401, b"", {}), say({"resourceType": "Patient", "id": "p1"})])
    server.on["GET /fhir/Patient/p1"] = lambda _seen: next(answers)
    assert _client(at).read("Patient", "p1")["id"] == "p1"
    assert server.tokens() == ["Bearer person-1", "Bearer person-2"]


def test_row_13_api_use__reads_of_a_patient_go_with_their_own_permission(at: Scene, server: Hostile) -> None:
    server.fhir("Condition", searchset(server.base, "Condition?patient=p1", condition("c1")))
    reading = service.read(at.patient, at.patient.patient_id or "", Kind.CONDITIONS)
    assert reading.state is State.KNOWN
    assert server.tokens() == ["Bearer person-1"]
    service.read(at.clinician, at.patient.patient_id or "", Kind.CONDITIONS, max_age=timedelta(0))
    assert server.tokens()[-1].startswith("Bearer token-"), "staff read with the clinic's permission"


def test_row_08_token_response__narrower_scope_of_a_patient_could_not_look(at: Scene, server: Hostile) -> None:
    at.at.token = {"scope": "openid fhirUser launch/patient patient/Patient.rs"}
    at.back(at.connect(), at.patient)
    reading = service.read(at.patient, at.patient.patient_id or "", Kind.ALLERGIES)
    assert (reading.state, reading.reason) == (State.COULD_NOT_LOOK, Reason.PERMISSION)
    assert not any("AllergyIntolerance" in path for path in server.paths())


def test_row_10_refresh__revocation_when_the_patient_ends_it(at: Scene) -> None:
    assert launching.disconnect(at.patient, at.connection.id, QUICK)
    assert at.at.given_back() == ["refresh-1", "person-1"]
    assert _row().token_sealed is None
    assert _client(at) is None


def test_row_10_refresh__revocation_that_is_not_heard_still_ends_it_here(at: Scene, server: Hostile) -> None:
    server.on["POST /revoke"] = Say(503, b"", {})
    assert not launching.disconnect(at.patient, at.connection.id, QUICK)
    assert _row().token_sealed is None


def test_row_15_storage__sealed_at_rest__tokens_of_people_and_our_secret(
    clinic: Place, server: Hostile, database: str
) -> None:
    """Neither in a column nor, on SQLite, anywhere in the file."""
    at = scene(clinic, server, method="client_secret_basic", secret="canary-client-secret")
    at.at.token = {"access_token": "canary-access-token", "refresh_token": "canary-refresh-token"}
    way = at.connect()
    at.back(way, at.patient)
    assert _row().token == {"token": "canary-access-token", "refresh": "canary-refresh-token"}
    secrets = ["canary", way.fields["state"], way.fields["nonce"], at.at.asked()[0]["code_verifier"], "a-code"]
    with db.engine().connect() as connection:
        held = " ".join(
            str(tuple(row)) for table in db.Base.metadata.sorted_tables for row in connection.execute(table.select())
        )
    assert not [each for each in secrets if each in held]
    if database.startswith("sqlite"):
        from pathlib import Path

        path = Path(database.removeprefix("sqlite:///"))
        raw = b"".join(each.read_bytes() for each in path.parent.glob(path.name + "*"))
        assert not [each for each in secrets if each.encode() in raw]
