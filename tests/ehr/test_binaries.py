"""A document behind a report: only a Binary of the clinic's own server, only when it is the patient's, whole and not too large."""

from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from portal.audit.models import AuditRow
from portal.db import session
from portal.ehr import binaries, service
from portal.ehr.http import Limits
from portal.ehr.reading import Reason

from .hostile import Hostile, Say, say
from .make import Place

PDF = b"%PDF-1.4 synthetic"
QUICK = Limits(read=2, total=4)
HOLDER = "DiagnosticReport/r1"


def held(**more: Any) -> dict[str, Any]:
    made = {"resourceType": "Binary", "id": "b1", "contentType": "application/pdf", "data": b64encode(PDF).decode()}
    return {**made, **more}


def about(reference: Any) -> dict[str, Any]:
    return held(securityContext=reference)


def raw(**headers: str) -> Say:
    return Say(
        200,
        PDF,
        {"Content-Type": "application/pdf", **{name.replace("_", "-"): each for name, each in headers.items()}},
    )


THEIRS: dict[str, Any] = {
    "nothing said": say(held()),
    "the patient": say(about({"reference": "Patient/p1"})),
    "a version of the patient": say(about({"reference": "Patient/p1/_history/2"})),
    "the report it stands in": say(about({"reference": HOLDER})),
    "in lines": say(held(data=b64encode(PDF).decode()[:8] + "\n" + b64encode(PDF).decode()[8:])),
    "raw": raw(),
    "raw, of the patient": raw(X_Security_Context="Patient/p1"),
}
REFUSED: dict[str, tuple[Any, Reason]] = {
    "another patient": (say(about({"reference": "Patient/p2"})), Reason.OTHER_PATIENT),
    "another server's": (say(about({"reference": "https://evil.example/fhir/Patient/p1"})), Reason.OTHER_PATIENT),
    "another report": (say(about({"reference": "DiagnosticReport/r2"})), Reason.OTHER_PATIENT),
    "only a display": (say(about({"display": "Patient/p1"})), Reason.OTHER_PATIENT),
    "a list": (say(about([{"reference": "Patient/p1"}])), Reason.OTHER_PATIENT),
    "raw, of another patient": (raw(X_Security_Context="Patient/p2"), Reason.OTHER_PATIENT),
    "another id": (say(held(id="b2")), Reason.UNREADABLE),
    "another type": (say({"resourceType": "Patient", "id": "b1"}), Reason.UNREADABLE),
    "no base64": (say(held(data="not base64!")), Reason.UNREADABLE),
    "gone": (say({"resourceType": "OperationOutcome"}, 404), Reason.GONE),
    "not allowed": (say({"resourceType": "OperationOutcome"}, 403), Reason.PERMISSION),
    "cut off": (Say(200, PDF * 100, {"Content-Type": "application/pdf"}, cut=20), Reason.UNREADABLE),
    "nobody there": (say({}, 503), Reason.BUSY),
}


@pytest.mark.parametrize("how", THEIRS)
def test_a_document_of_the_patient_comes_byte_for_byte_and_is_audited(clinic: Place, server: Hostile, how: str) -> None:
    found = ask(clinic, server, THEIRS[how])
    assert isinstance(found, service.Brought) and found.content == PDF and found.kind == "application/pdf"
    assert "data" not in found.resource
    row = session().query(AuditRow).filter_by(event="record-read").one()
    assert row.detail["kinds"] == {"document": "known"}


@pytest.mark.parametrize("how", REFUSED)
def test_any_other_is_refused_with_its_reason(clinic: Place, server: Hostile, how: str) -> None:
    answer, reason = REFUSED[how]
    assert ask(clinic, server, answer) is reason
    alerts = [each.what for each in service.alerts(clinic.clerk)]
    assert bool(alerts) == (reason is Reason.OTHER_PATIENT)


ELSEWHERE = (
    "https://evil.example/fhir/Binary/b1",
    "http://127.0.0.1/fhir/Binary/b1",
    "DocumentReference/b1",
    "Patient/p2",
    "../Binary/b1",
    "Binary/b1/../b2",
    "Binary/b1?x=1",
    "file:///etc/passwd",
    "",
)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_nothing_but_a_binary_of_this_server_is_ever_asked_for(clinic: Place, server: Hostile, url: str) -> None:
    server.smart()
    patient = clinic.patient(clinic.connect(server.base), "p1")
    before = len(server.seen)
    assert service.binary(patient, patient.patient_id or "", url, HOLDER, QUICK) is Reason.ELSEWHERE
    assert len(server.seen) == before


def test_a_document_that_is_too_large_is_not_taken(
    clinic: Place, server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "MOST", 10)
    assert ask(clinic, server, say(held())) is Reason.TOO_MUCH


def test_an_answer_that_is_too_large_is_not_read_to_its_end(clinic: Place, server: Hostile) -> None:
    answer = Say(200, PDF * 1000, {"Content-Type": "application/pdf"})
    assert ask(clinic, server, answer, replace(QUICK, size=1000)) is Reason.TOO_MUCH


def test_a_server_that_did_not_grant_it_is_not_asked(clinic: Place, server: Hostile) -> None:
    server.smart()
    server.on["POST /token"] = lambda seen: replace(
        server.grant(seen), body={**server.grant(seen).body, "scope": "system/Patient.r"}
    )
    server.fhir("Patient/p1", {"resourceType": "Patient", "id": "p1"})
    patient = clinic.patient(clinic.connect(server.base), "p1")
    service.read(patient, patient.patient_id or "", service.Kind.PATIENT)
    assert service.binary(patient, patient.patient_id or "", "Binary/b1", HOLDER, QUICK) is Reason.PERMISSION
    assert "/fhir/Binary/b1" not in server.paths()


def ask(clinic: Place, server: Hostile, answer: Any, limits: Limits = QUICK) -> service.Brought | Reason:
    server.smart()
    server.on["GET /fhir/Binary/b1"] = answer
    patient = clinic.patient(clinic.connect(server.base), "p1")
    return service.binary(patient, patient.patient_id or "", f"{server.base}/Binary/b1", HOLDER, limits)
