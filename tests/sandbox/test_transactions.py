"""transaction and batch: all or nothing, references rewritten, one bad entry named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.asking import Asking, observation, patient, words

ANA = "urn:uuid:6f0f6a0e-0001-4000-8000-000000000001"
LAB = "urn:uuid:6f0f6a0e-0002-4000-8000-000000000002"


def entry(
    method: str, url: str, resource: Any = None, full_url: str | None = None, **conditions: str
) -> dict[str, Any]:
    made: dict[str, Any] = {"request": {"method": method, "url": url, **conditions}}
    return made | ({"resource": resource} if resource else {}) | ({"fullUrl": full_url} if full_url else {})


def bundle(*entries: dict[str, Any], kind: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def test_references_between_entries_are_rewritten_whatever_the_order(ask: Asking) -> None:
    answer = ask(
        "POST",
        "",
        bundle(
            entry(
                "POST", "Observation", observation(ANA, identifier=[{"system": "urn:ietf:rfc:3986", "value": LAB}]), LAB
            ),
            entry("POST", "Patient", patient(), ANA),
            entry("GET", "Observation?_summary=count"),
        ),
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "transaction-response"
    lab, ana, count = answer.json()["entry"]
    assert (lab["response"]["status"], count["resource"]["total"]) == ("201 Created", 1)
    assert lab["response"]["location"].endswith("/_history/1")
    stored = ask.get(lab["response"]["location"].removesuffix("/_history/1")).json()
    assert f"{ana['response']['location']}".startswith(stored["subject"]["reference"])
    assert stored["identifier"][0]["value"] == LAB, "an identifier is not a reference"


def test_one_bad_entry_undoes_everything_and_is_named(ask: Asking) -> None:
    answer = ask(
        "POST",
        "",
        bundle(
            entry("POST", "Patient", patient(), ANA),
            entry("POST", "Observation", observation(ANA, status="guessed")),
        ),
    )
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.Observation.status"]
    assert ask.ids("Patient") == []


STOPPED = [
    ("a stale version", lambda ana: entry("PUT", f"Patient/{ana}", patient(id=ana), ifMatch='W/"9"'), 412),
    ("a reference to nothing", lambda ana: entry("POST", "Observation", observation("Patient/nobody")), 422),
    ("an unknown type", lambda ana: entry("POST", "Zebra", {"resourceType": "Zebra"}), 404),
    ("no request", lambda ana: {"resource": patient()}, 400),
    ("a condition that finds nobody", lambda ana: entry("POST", "Observation", observation("Patient?family=zzz")), 412),
    ("a wrong search", lambda ana: entry("GET", "Patient?birthdate=soon"), 400),
]


@pytest.mark.parametrize(("name", "make", "status"), STOPPED, ids=[name for name, _, _ in STOPPED])
def test_a_transaction_is_stopped_by(ask: Asking, name: str, make: Any, status: int) -> None:
    ana = ask.made(patient())["id"]
    answer = ask("POST", "", bundle(entry("POST", "Patient", patient(gender="male")), make(ana)))
    assert (answer.status_code, ask.ids("Patient")) == (status, [ana]), answer.text
    assert words(answer)


def test_one_resource_may_not_be_written_twice(ask: Asking) -> None:
    twice = [entry("PUT", "Patient/x", patient(id="x")), entry("PUT", "Patient/x", patient(id="x"))]
    answer = ask("POST", "", bundle(*twice))
    assert (answer.status_code, ask.ids("Patient")) == (400, [])


def test_sent_again_after_a_lost_reply_nothing_is_stored_twice(ask: Asking) -> None:
    known = {"system": "urn:key", "value": "k1"}
    body = bundle(
        entry("POST", "Patient", patient(identifier=[known]), ANA, ifNoneExist="identifier=urn:key|k1"),
        entry("POST", "Observation", observation(ANA, identifier=[known]), ifNoneExist="identifier=urn:key|k1"),
    )
    first, second = ask("POST", "", body).json()["entry"], ask("POST", "", body).json()["entry"]
    assert [one["response"]["status"] for one in first] == ["201 Created", "201 Created"]
    assert [one["response"]["status"] for one in second] == ["200 OK", "200 OK"]
    assert [one["response"]["location"] for one in first] == [one["response"]["location"] for one in second]
    assert len(ask.ids("Observation")) == 1


def test_two_entries_with_one_condition_make_one_resource(ask: Asking) -> None:
    made = entry(
        "POST", "Patient", patient(identifier=[{"system": "u", "value": "1"}]), ANA, ifNoneExist="identifier=u|1"
    )
    other = made | {"fullUrl": LAB}
    answer = ask("POST", "", bundle(made, other, entry("POST", "Observation", observation(LAB))))
    assert answer.status_code == 200, answer.text
    assert len(ask.ids("Patient")) == 1


def test_a_conditional_reference_becomes_the_one_it_means(ask: Asking) -> None:
    ana = ask.made(patient(identifier=[{"system": "urn:mrn", "value": "1"}]))["id"]
    about = observation("Patient?identifier=urn:mrn|1")
    made = ask("POST", "", bundle(entry("POST", "Observation", about)), Prefer="return=representation")
    assert made.json()["entry"][0]["resource"]["subject"] == {"reference": f"Patient/{ana}"}


def test_deletions_come_first_and_an_update_with_its_version_goes_through(ask: Asking) -> None:
    ana = ask.made(patient())["id"]
    lab = ask.made(observation(f"Patient/{ana}"))["id"]
    answer = ask(
        "POST",
        "",
        bundle(
            entry("PUT", f"Patient/{ana}", patient(id=ana, gender="female"), ifMatch='W/"1"'),
            entry("DELETE", f"Observation/{lab}"),
        ),
    )
    assert [one["response"]["status"] for one in answer.json()["entry"]] == ["200 OK", "204 No Content"]
    assert answer.json()["entry"][0]["response"]["etag"] == 'W/"2"'


def test_decimals_survive_a_transaction(ask: Asking) -> None:
    text = (
        '{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"PUT","url":"Observation/d"},'
        '"resource":{"resourceType":"Observation","id":"d","status":"final","code":{"text":"x"},'
        '"valueQuantity":{"value":1.10}}}]}'
    )
    assert ask("POST", "", text).status_code == 200
    assert '"value":1.10}' in ask.get("Observation/d").text


def test_a_batch_does_what_it_can(ask: Asking) -> None:
    answer = ask(
        "POST",
        "",
        bundle(
            entry("POST", "Patient", patient()),
            entry("POST", "Patient", patient(gender="robot")),
            entry("GET", "Patient"),
            entry("GET", "Patient/none"),
            kind="batch",
        ),
    )
    assert answer.json()["type"] == "batch-response"
    statuses = [one["response"]["status"][:3] for one in answer.json()["entry"]]
    assert statuses == ["201", "422", "200", "404"]
    assert answer.json()["entry"][1]["response"]["outcome"]["issue"][0]["expression"] == ["Patient.gender"]
    assert answer.json()["entry"][2]["resource"]["total"] == 1


@pytest.mark.parametrize("body", [patient(), bundle(kind="searchset"), {"resourceType": "Bundle"}])
def test_only_a_transaction_or_a_batch_is_posted_to_the_base(ask: Asking, body: dict[str, Any]) -> None:
    assert ask("POST", "", body).status_code == 400
