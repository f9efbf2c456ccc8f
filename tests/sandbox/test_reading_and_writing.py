"""Read, write, versions and refusals over real HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from portal.fhir.structure import problems
from tests.sandbox.asking import Asking, observation, patient, words
from tests.sandbox_server import Sandbox


def test_a_created_resource_is_read_back_with_its_version(ask: Asking) -> None:
    created = ask("POST", "Patient", patient())
    assert created.status_code == 201
    assert created.headers["Location"].endswith(f"/Patient/{created.json()['id']}/_history/1")
    read = ask.get(f"Patient/{created.json()['id']}")
    assert read.json() == created.json()
    assert read.headers["ETag"] == 'W/"1"'
    assert read.headers["Content-Type"].startswith("application/fhir+json")
    assert read.headers["Last-Modified"].endswith("GMT")
    assert read.json()["meta"]["versionId"] == "1"


@pytest.mark.parametrize("number", ["1.10", "100", "0.0", "7.0", "0.000001", "12345678901.123"])
def test_a_decimal_keeps_its_digits(ask: Asking, number: str) -> None:
    made = ask.made(patient())
    body = observation(f"Patient/{made['id']}")
    sent = ask("POST", "Observation", str(body).replace("'", '"')[:-1] + f', "valueQuantity": {{"value": {number}}}}}')
    assert sent.status_code == 201, sent.text
    for path in (f"Observation/{sent.json()['id']}", "Observation"):
        assert f'"valueQuantity":{{"value":{number}}}' in ask.get(path).text


def test_an_update_of_a_stale_version_changes_nothing(ask: Asking) -> None:
    made = ask.made(patient())
    path = f"Patient/{made['id']}"
    newer = patient(id=made["id"], gender="male")
    assert ask("PUT", path, newer, If_Match='W/"1"').headers["ETag"] == 'W/"2"'
    stale = ask("PUT", path, patient(id=made["id"], gender="female"), If_Match='W/"1"')
    assert stale.status_code == 412
    assert "version 2" in words(stale)
    assert ask.get(path).json()["gender"] == "male"


def test_of_two_updates_at_once_of_one_version_one_wins(ask: Asking, clinic: Sandbox) -> None:
    made = ask.made(patient())
    askers = [Asking(clinic) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(
            pool.map(
                lambda one: one("PUT", f"Patient/{made['id']}", patient(id=made["id"]), If_Match='W/"1"').status_code,
                askers,
            )
        )
    assert sorted(statuses) == [200] + [412] * 7


def test_every_version_can_be_read_again(ask: Asking) -> None:
    made = ask.made(patient())
    path = f"Patient/{made['id']}"
    ask("PUT", path, patient(id=made["id"], gender="male"))
    ask("DELETE", path)
    history = ask.get(f"{path}/_history").json()
    assert [entry["request"]["method"] for entry in history["entry"]] == ["DELETE", "PUT", "POST"]
    assert "gender" not in ask.get(f"{path}/_history/1").json()
    assert ask.get(f"{path}/_history/2").json()["gender"] == "male"
    assert ask.get(f"{path}/_history/3").status_code == 410
    assert ask.get(f"{path}/_history/9").status_code == 404
    assert ask.get(path).status_code == 410


def test_a_client_may_choose_the_id(ask: Asking) -> None:
    first = ask("PUT", "Patient/mine", patient(id="mine"))
    assert (first.status_code, ask("PUT", "Patient/mine", patient(id="mine")).status_code) == (201, 200)
    only_new = ask("PUT", "Patient/mine", patient(id="mine"), If_None_Match="*")
    assert only_new.status_code == 412


def test_a_conditional_create_makes_one_even_when_eight_try_at_once(ask: Asking, clinic: Sandbox) -> None:
    body = patient(identifier=[{"system": "urn:example:mrn", "value": "7"}])
    askers = [Asking(clinic) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda one: one("POST", "Patient", body, If_None_Exist="identifier=urn:example:mrn|7"), askers)
        )
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_condition_that_several_match_is_refused(ask: Asking) -> None:
    for _ in range(2):
        ask.made(patient(identifier=[{"system": "urn:example:mrn", "value": "7"}]))
    refused = ask("POST", "Patient", patient(), If_None_Exist="identifier=urn:example:mrn|7")
    assert refused.status_code == 412


def test_a_conditional_update_finds_its_one(ask: Asking) -> None:
    body = patient(identifier=[{"system": "urn:example:mrn", "value": "7"}])
    made = ask("PUT", "Patient?identifier=urn:example:mrn|7", body)
    again = ask("PUT", "Patient?identifier=urn:example:mrn|7", body | {"gender": "male"})
    assert (made.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == made.json()["id"]


@pytest.mark.parametrize(("prefer", "kind"), [("minimal", None), ("OperationOutcome", "OperationOutcome")])
def test_prefer_decides_what_comes_back(ask: Asking, prefer: str, kind: str | None) -> None:
    created = ask("POST", "Patient", patient(), Prefer=f"return={prefer}")
    assert created.status_code == 201
    assert (created.json()["resourceType"] if created.text else None) == kind


def test_what_has_not_changed_is_not_sent_again(ask: Asking) -> None:
    made = ask.made(patient())
    same = ask.get(f"Patient/{made['id']}", If_None_Match='W/"1"')
    assert (same.status_code, same.text) == (304, "")


def test_a_head_request_is_a_read_without_the_body(ask: Asking) -> None:
    made = ask.made(patient())
    head = ask("HEAD", f"Patient/{made['id']}")
    assert (head.status_code, head.headers["ETag"], head.text) == (200, 'W/"1"', "")


def test_what_others_point_at_cannot_be_deleted(ask: Asking) -> None:
    made = ask.made(patient())
    ask.made(observation(f"Patient/{made['id']}"))
    assert ask("DELETE", f"Patient/{made['id']}").status_code == 409


def test_a_reference_to_nothing_is_refused_and_leaves_nothing(ask: Asking) -> None:
    refused = ask("POST", "Observation", observation("Patient/nobody"))
    assert refused.status_code == 422
    assert "Patient/nobody" in words(refused)
    assert ask.ids("Observation") == []


REFUSED = [
    ("GET", "Patient/none", None, {}, 404),
    ("GET", "Zebra/1", None, {}, 404),
    ("GET", "Patient/a/b/c", None, {}, 404),
    ("PATCH", "Patient/1", "{}", {}, 405),
    ("DELETE", "Patient", None, {}, 405),
    ("POST", "Patient", "{", {}, 400),
    ("POST", "Patient", "[]", {}, 400),
    ("POST", "Patient", '{"resourceType":"Patient","resourceType":"Patient"}', {}, 400),
    ("POST", "Patient", '{"resourceType":"Patient","a":NaN}', {}, 400),
    ("POST", "Patient", '{"a":' * 9000 + "1" + "}" * 9000, {}, 400),
    ("POST", "Patient", b"\xff\xfe", {}, 400),
    ("POST", "Patient", {"resourceType": "Observation"}, {}, 400),
    ("PUT", "Patient/1", {"resourceType": "Patient", "id": "2", "gender": "male"}, {}, 400),
    ("POST", "Patient", patient(gender="robot"), {}, 422),
    ("POST", "Patient", patient(colour="blue"), {}, 422),
    ("POST", "Patient", patient(active="true"), {}, 422),
    ("POST", "Patient", patient(), {"Content_Type": "text/plain"}, 415),
    ("GET", "Patient", None, {"Accept": "application/fhir+xml"}, 406),
    ("GET", "Patient?_format=xml", None, {}, 406),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), REFUSED)
def test_what_is_refused_says_why(
    ask: Asking, method: str, path: str, body: object, headers: dict[str, str], status: int
) -> None:
    answer = ask(method, path, body, **headers)
    assert answer.status_code == status, answer.text
    assert words(answer)


def test_every_problem_of_a_resource_is_named_with_its_path(ask: Asking) -> None:
    refused = ask("POST", "Patient", patient(gender="robot", birthDate="1980-13", telecom=[]))
    assert {path for issue in refused.json()["issue"] for path in issue["expression"]} == {
        "Patient.gender",
        "Patient.birthDate",
        "Patient.telecom",
    }


def test_validate_tells_and_stores_nothing(ask: Asking) -> None:
    good = ask("POST", "Patient/$validate", patient())
    wrapped = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": patient(gender="robot")}]}
    bad = ask("POST", "Patient/$validate", wrapped)
    assert [good.json()["issue"][0]["severity"], bad.json()["issue"][0]["severity"]] == ["information", "error"]
    assert (good.status_code, bad.status_code, ask.ids("Patient")) == (200, 200, [])


def test_the_capability_statement_is_open_and_sound(clinic: Sandbox) -> None:
    statement = requests.get(f"{clinic.base_url}/metadata", timeout=5).json()
    assert problems(statement) == []
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["implementation"]["url"] == clinic.base_url


def test_a_restart_keeps_everything(ask: Asking, clinic: Sandbox) -> None:
    made = ask.made(patient())
    clinic.stop()
    with pytest.raises(requests.ConnectionError):
        ask.get(f"Patient/{made['id']}")
    clinic.start()
    assert ask.get(f"Patient/{made['id']}").json() == made
