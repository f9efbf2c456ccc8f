"""Rows 8 and 11 of the client matrix, for people: what a token endpoint may say to a code, and what comes of it."""

import logging
from typing import Any

import pytest

from portal.audit.models import AuditRow
from portal.db import session
from portal.ehr import grants, proving
from portal.ehr.errors import EhrError, NotProven, NotReached
from portal.ehr.launch_errors import NotSelf, OtherPerson, Unexpected
from portal.ehr.launch_models import CONNECT, Grant
from portal.ehr.models import RecordAlert
from portal.errors import PortalError

from .hostile import Hostile, Say
from .make import Place
from .signing_in import JSON, QUICK, Scene, scene


@pytest.fixture
def at(clinic: Place, server: Hostile) -> Scene:
    return scene(clinic, server)


def _nothing_is_connected() -> None:
    assert session().query(Grant).count() == 0


# -- 8 -----------------------------------------------------------------------------------------------------------------


def test_row_08_token_response__patient_that_was_asked_for(at: Scene) -> None:
    assert at.back(at.connect(), at.patient).kind == CONNECT
    held = grants.held(at.patient, at.connection)
    assert held is not None
    assert (held.lasts, held.broken, held.ended, held.missing) == (True, False, False, ())


@pytest.mark.parametrize("said", [None, "", 7, {"reference": "Patient/p1"}, "Patient/p1", "a" * 65, "../p1"])
def test_row_08_token_response__patient_missing_stops(at: Scene, said: Any) -> None:
    at.at.token = {"patient": said}
    with pytest.raises(NotProven, match="whose record"):
        at.back(at.connect(), at.patient)
    _nothing_is_connected()
    assert at.at.given_back() == ["refresh-1", "person-1"]


def test_row_08_token_response__patient_differing_stops_and_alerts(at: Scene) -> None:
    at.at.token = {"patient": "p2"}
    with pytest.raises(OtherPerson):
        at.back(at.connect(), at.patient)
    _nothing_is_connected()
    assert at.at.given_back() == ["refresh-1", "person-1"]
    alert = session().query(RecordAlert).one()
    assert (alert.what, alert.patient_id) == ("other-person", at.patient.patient_id)
    assert session().query(AuditRow).filter(AuditRow.event == "wrong-patient").count() == 1


def test_row_08_token_response__patient_never_ties_an_untied_account(at: Scene, clinic: Place) -> None:
    from portal.ehr.launch_errors import NotTied

    from .signing_in import with_account

    with pytest.raises(NotTied):
        at.connect(with_account(clinic.patient(None, None)))
    assert at.at.server.seen == []


def test_row_08_token_response__patient_without_an_account_is_told_to_use_the_invitation(at: Scene) -> None:
    at.at.token, at.at.claims = {"patient": "p9"}, {"fhirUser": "Patient/p9"}
    with pytest.raises(Unexpected):
        at.back(at.sign_in())
    at.place.patient(at.connection, "p9")  # expected by the clinic, but never joined
    with pytest.raises(Unexpected):
        at.back(at.sign_in())


@pytest.mark.parametrize(
    "user", ["Patient/p2", "RelatedPerson/r1", "Practitioner/x", None, "https://e.example/Patient/p1"]
)
def test_row_08_token_response__patient_chosen_by_somebody_else_signs_nobody_in(at: Scene, user: str | None) -> None:
    at.at.claims = {"fhirUser": user}
    with pytest.raises(NotSelf):
        at.back(at.sign_in())
    assert at.at.given_back() == ["refresh-1", "person-1"]


def test_row_08_token_response__banner_and_style_tolerated(at: Scene) -> None:
    at.at.token = {
        "need_patient_banner": True,
        "smart_style_url": "https://evil.example/style.json",
        "tenant": {"x": [1, 2]},
        "intent": "reconcile-medications",
        "encounter": "e1",
    }
    assert at.back(at.connect(), at.patient).kind == CONNECT
    assert not any("style" in path for path in at.at.server.paths()), "nothing of it is fetched"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([{"reference": "Appointment/a1"}], ("Appointment/a1",)),
        ([{"reference": "Appointment/a1", "role": "launch"}], ("Appointment/a1",)),
        ([{"reference": "Appointment/a1", "role": "https://example.org/other"}], ()),
        ([{"canonical": "http://x|1"}, {"reference": 7}, 7], ()),
        ("no list", ()),
    ],
)
def test_row_08_token_response__fhir_context_without_role_is_launch(said: Any, found: tuple[str, ...]) -> None:
    assert proving.launch_context({"fhirContext": said}) == found


@pytest.mark.parametrize(
    "said",
    [
        Say(200, b"<html>sign in", {"Content-Type": "text/html"}),
        Say(200, {"error": "invalid_grant"}, JSON),
        Say(200, b"[]", JSON),
        Say(200, b"", JSON),
        Say(500, b"<html>Internal Server Error", {"Content-Type": "text/html"}),
        Say(302, b"", {"Location": "https://evil.example/token"}),
        Say(200, {"token_type": "Bearer", "expires_in": 300}, JSON),
    ],
    ids=["html", "error in 200", "list", "empty", "500 page", "redirect", "no token"],
)
def test_row_08_token_response__not_json_error_members_and_error_pages(at: Scene, server: Hostile, said: Say) -> None:
    server.on["POST /token"] = said
    with pytest.raises(NotProven):
        at.back(at.connect(), at.patient)
    _nothing_is_connected()
    assert [each.path for each in server.seen].count("/token") == 1, "a code is never sent twice"


def test_row_08_token_response__narrower_scope_is_told_to_the_person(at: Scene) -> None:
    at.at.token = {"scope": "openid fhirUser launch/patient patient/Patient.rs patient/Condition.rs"}
    landed = at.back(at.connect(), at.patient)
    assert "AllergyIntolerance" in landed.missing
    assert "Condition" not in landed.missing
    held = grants.held(at.patient, at.connection)
    assert held is not None
    assert held.missing == landed.missing


def test_row_08_token_response__narrower_scope_by_category_counts_for_its_category() -> None:
    from portal.ehr import scopes

    granted = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
    assert scopes.permits(granted, "Observation", "s", "laboratory")
    assert not scopes.permits(granted, "Observation", "s", "vital-signs")
    assert not scopes.permits(granted, "Observation", "s")
    assert not scopes.permits("patient/Observation.rs?status=final", "Observation", "s", "laboratory")


# -- 11 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"error": "invalid_client"}),
        (400, {"error": "invalid_request"}),
        (400, {"error": "invalid_grant"}),
        (400, {"error": "invalid_scope"}),
        (503, {"error": "temporarily_unavailable"}),
        (429, b""),
    ],
)
def test_row_11_token_errors__of_a_code_end_that_sign_in(at: Scene, server: Hostile, status: int, body: Any) -> None:
    server.on["POST /token"] = Say(status, body, JSON | {"RateLimit": '"x";r=0;t=9'})
    with pytest.raises(NotProven):
        at.back(at.connect(), at.patient)
    assert server.paths().count("/token") == 1


def test_row_11_token_errors__time_outs_of_a_code(at: Scene, server: Hostile) -> None:
    server.on["POST /token"] = Say(raw=b"")
    with pytest.raises(NotReached):
        at.back(at.connect(), at.patient)
    assert server.paths().count("/token") == 1


def test_row_11_token_errors__nothing_secret_is_told__logs_and_audit(
    at: Scene, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Codes, tokens, verifiers, states: not in a log, an exception or the audit trail, whatever went wrong."""
    caplog.set_level(logging.DEBUG)
    secrets = {"a-code", "person-1", "person-2", "refresh-1", "refresh-2"}
    for token, claims in (({}, {}), ({"patient": "p2"}, {}), ({}, {"nonce": "x"}), ({"id_token": "x.y.z"}, {})):
        at.at.token, at.at.claims = token, claims
        way = at.connect()
        secrets |= {way.fields["state"], way.fields["nonce"]}
        try:
            at.back(way, at.patient)
        except PortalError as refusal:
            told = f"{refusal!r} {refusal} {refusal.sentence}"
            assert not [each for each in secrets if each in told]
    secrets |= {each["code_verifier"] for each in at.at.asked()}
    out = capfd.readouterr()
    details = " ".join(str(row.detail) for row in session().query(AuditRow))
    assert not [each for each in secrets if each in caplog.text + out.out + out.err + details]


def test_row_11_token_errors__refusals_are_in_the_audit_trail(at: Scene) -> None:
    at.at.token = {"id_token": None}
    with pytest.raises(EhrError):
        at.back(at.sign_in())
    row = session().query(AuditRow).filter(AuditRow.event == "launch-refused").one()
    assert {"kind": "sign-in", "why": "NotProven"}.items() <= row.detail.items()
    assert QUICK.total == 4
