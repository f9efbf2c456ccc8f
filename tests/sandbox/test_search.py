"""Searches, each a row of a table: what is asked and who is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.asking import Asking, observation, patient, words
from tests.sandbox_server import running_sandbox

PEOPLE: list[dict[str, Any]] = [
    patient(
        id="ana",
        active=True,
        name=[{"family": "Núñez", "given": ["Ana", "María"]}],
        gender="female",
        birthDate="1984-03-12",
        identifier=[{"system": "urn:mrn", "value": "1"}],
        telecom=[{"system": "phone", "value": "+12175550101"}, {"system": "email", "value": "ana@example.com"}],
    ),
    patient(
        id="bo",
        active=False,
        name=[{"family": "Nunn", "given": ["Bo"]}],
        gender="male",
        birthDate="1984",
        identifier=[{"system": "urn:other", "value": "1"}, {"value": "plain"}],
    ),
    patient(id="cy", name=[{"family": "Cy", "text": "Cyrus the Great, 100%"}], birthDate="1990-12"),
]
OBSERVATIONS: list[dict[str, Any]] = [
    observation("Patient/ana", id="day", effectiveDateTime="2026-03-10"),
    observation("Patient/ana", id="noon", effectiveDateTime="2026-03-10T12:00:00Z", status="amended"),
    observation("Patient/ana", id="east", effectiveDateTime="2026-03-11T01:00:00+05:00"),
    observation("Patient/bo", id="month", effectiveDateTime="2026-03"),
    observation("Patient/bo", id="period", effectivePeriod={"start": "2026-03-09", "end": "2026-03-12"}),
    observation("Patient/bo", id="open", effectivePeriod={"start": "2026-03-20"}),
    observation("Patient/bo", id="never"),
]
OTHERS: list[dict[str, Any]] = [
    {
        "resourceType": "QuestionnaireResponse",
        "id": "qr",
        "status": "completed",
        "questionnaire": "http://example.org/q|2",
        "identifier": {"system": "urn:sub", "value": "s1"},
        "subject": {"reference": "Patient/ana"},
        "authored": "2026-03-10T10:00:00Z",
    },
    {
        "resourceType": "Provenance",
        "id": "who",
        "target": [{"reference": "QuestionnaireResponse/qr"}, {"reference": "Patient/ana/_history/1"}],
        "recorded": "2026-03-10T10:00:05Z",
        "agent": [{"who": {"reference": "Patient/ana"}}],
    },
]
FOUND = [
    ("Patient?_id=ana,cy", "ana cy"),
    ("Patient?identifier=urn:mrn|1", "ana"),
    ("Patient?identifier=1", "ana bo"),
    ("Patient?identifier=|plain", "bo"),
    ("Patient?identifier=urn:other|", "bo"),
    ("Patient?identifier=urn:mrn|1,urn:other|1", "ana bo"),
    ("Patient?family=nun", "ana bo"),
    ("Patient?family=NUÑEZ", "ana"),
    ("Patient?family:exact=Nunn", "bo"),
    ("Patient?given:contains=ari", "ana"),
    ("Patient?name=cyrus the great, 100%25", "cy"),
    ("Patient?name=100%25", ""),
    ("Patient?name:contains=100%25", "cy"),
    ("Patient?name:contains=%25", "cy"),
    ("Patient?phone=%2B12175550101", "ana"),
    ("Patient?email=ana@example.com", "ana"),
    ("Patient?gender=male", "bo"),
    ("Patient?gender:not=male", "ana cy"),
    ("Patient?gender:missing=true", "cy"),
    ("Patient?gender:missing=false", "ana bo"),
    ("Patient?active=false", "bo"),
    ("Patient?birthdate=1984-03-12", "ana"),
    ("Patient?birthdate=1984", "ana bo"),
    ("Patient?birthdate=gt1984", "cy"),
    ("Patient?birthdate=lt1984-03-13", "ana bo"),
    ("Patient?family=nun&gender=female", "ana"),
    ("Patient?_lastUpdated=gt2020", "ana bo cy"),
    ("Patient?_lastUpdated=lt2020", ""),
    ("Patient?_sort=-birthdate", "cy bo ana"),
    ("Patient?_sort=family", "cy ana bo"),
    ("Patient?_sort=gender,-_id", "ana bo cy"),
    ("Observation?date=2026-03-10", "day east noon"),
    ("Observation?date=2026-03", "day east month noon period"),
    ("Observation?date=ge2026-03-11", "month open period"),
    ("Observation?date=sa2026-03-10", "open"),
    ("Observation?date=eb2026-03-10", ""),
    ("Observation?date=lt2026-03-10", "month period"),
    ("Observation?date=ge2026-03-10&date=lt2026-03-11", "day east month noon period"),
    ("Observation?date=2026-03-10T12:00:00Z", "noon"),
    ("Observation?date=2026-03-10T15:00:00%2B03:00", "noon"),
    ("Observation?date=ap2026-03-09", "month period"),
    ("Observation?date:missing=true", "never"),
    ("Observation?patient=ana&date=gt2026-03-10", ""),
    ("Observation?patient=ana", "day east noon"),
    ("Observation?patient=Patient/ana", "day east noon"),
    ("Observation?subject:Patient=ana", "day east noon"),
    ("Observation?subject=ana", "day east noon"),
    ("Observation?status=amended", "noon"),
    ("Observation?code=http://loinc.org|718-7&status:not=final", "noon"),
    ("Observation?code=718-8", ""),
    ("QuestionnaireResponse?questionnaire=http://example.org/q", "qr"),
    ("QuestionnaireResponse?questionnaire=http://example.org/q|2", "qr"),
    ("QuestionnaireResponse?questionnaire=http://example.org/q|1", ""),
    ("QuestionnaireResponse?identifier=urn:sub|s1", "qr"),
    ("Provenance?target=QuestionnaireResponse/qr", "who"),
    ("Provenance?patient=ana", "who"),
    ("Provenance?recorded=2026-03-10", "who"),
    ("Patient?nonsense=1&gender=male", "bo"),
    ("Observation?subject=HERE/Patient/ana", "day east noon"),
    ("QuestionnaireResponse?questionnaire=http://example.org/q,http://example.org/z", "qr"),
    ("Patient?gender=&family=cy", "cy"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with running_sandbox(tmp_path_factory.mktemp("search"), seed=False) as sandbox:
        ask = Asking(sandbox)
        for resource in [*PEOPLE, *OBSERVATIONS, *OTHERS]:
            made = ask("PUT", f"{resource['resourceType']}/{resource['id']}", resource)
            assert made.status_code == 201, made.text
        yield ask


@pytest.mark.parametrize(("query", "expected"), FOUND)
def test_a_search_finds_whom_it_means(found: Asking, query: str, expected: str) -> None:
    assert found.ids(quote(query.replace("HERE", found.base), safe="?&=,/:%|+@")) == expected.split()


def test_a_search_can_be_posted(found: Asking) -> None:
    answer = found(
        "POST", "Patient/_search?gender=female", "family=nun", Content_Type="application/x-www-form-urlencoded"
    )
    assert [entry["resource"]["id"] for entry in answer.json()["entry"]] == ["ana"]


UNDERSTOOD_NOT = [
    "Patient?birthdate=soon",
    "Patient?birthdate=1984-02-31",
    "Patient?gender:above=male",
    "Patient?_count=many",
    "Patient?_sort=shoe-size",
    "Patient?_include=Patient:shoes",
    "Patient?_total=perhaps",
    "Patient?gender:missing=perhaps",
    "Patient?_include:sometimes=Patient:general-practitioner&birthdate=x",
    "Patient?family=" + ",".join("a" * 300),
    "Patient?" + "&".join(["family=a"] * 60),
]


@pytest.mark.parametrize("query", UNDERSTOOD_NOT)
def test_a_value_that_is_not_understood_is_refused(found: Asking, query: str) -> None:
    answer = found.get(query)
    assert answer.status_code == 400
    assert words(answer)


def test_an_unknown_parameter_is_refused_when_strict_and_else_left_out_of_the_self_link(found: Asking) -> None:
    strict = found.get("Patient?nonsense=1", Prefer="handling=strict")
    assert strict.status_code == 400
    assert "nonsense" in words(strict)
    lenient = found.get("Patient?nonsense=1&gender=male").json()
    assert lenient["link"][0] == {
        "relation": "self",
        "url": f"{found.base}/Patient?gender=male&_count=50",
    }


def test_pages_lead_to_every_match_once(found: Asking) -> None:
    url, seen, pages = f"{found.base}/Observation?_count=3&_sort=-date", [], 0
    while url:
        page = found.session.get(url, timeout=5).json()
        assert page["total"] == len(OBSERVATIONS)
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
        pages += 1
    assert (pages, sorted(seen)) == (3, sorted(one["id"] for one in OBSERVATIONS))


def test_nothing_found_is_a_searchset_without_entries(found: Asking) -> None:
    answer = found.get("Patient?family=zzz").json()
    assert (answer["type"], answer["total"], "entry" in answer) == ("searchset", 0, False)


def test_the_total_can_be_all_that_is_wanted_or_left_out(found: Asking) -> None:
    counted = found.get("Patient?_summary=count").json()
    assert (counted["total"], "entry" in counted) == (3, False)
    assert "total" not in found.get("Patient?_total=none").json()


INCLUDED = [
    ("Observation?_id=noon&_include=Observation:patient", ["Patient/ana"]),
    ("Observation?patient=ana&_include=Observation:subject:Patient", ["Patient/ana"]),
    ("QuestionnaireResponse?_revinclude=Provenance:target", ["Provenance/who"]),
    ("Patient?_id=ana&_revinclude=Observation:patient", ["Observation/day", "Observation/east", "Observation/noon"]),
    ("Patient?_id=cy&_revinclude=Observation:patient", []),
    ("Provenance?_include=Provenance:target", ["Patient/ana", "QuestionnaireResponse/qr"]),
    (
        "Observation?_id=noon&_include:iterate=Observation:patient&_include:iterate=Patient:general-practitioner",
        ["Patient/ana"],
    ),
]


@pytest.mark.parametrize(("query", "expected"), INCLUDED)
def test_what_belongs_to_a_match_comes_along(found: Asking, query: str, expected: list[str]) -> None:
    entries = found.get(query).json()["entry"]
    included = [entry["resource"] for entry in entries if entry["search"]["mode"] == "include"]
    assert [f"{one['resourceType']}/{one['id']}" for one in included] == expected


def test_a_search_is_no_way_into_the_database(found: Asking, tmp_path: Path) -> None:
    for value in ("' OR 1=1 --", "ana') OR ('1'='1", "%25", "_", "\\"):
        assert found.ids(f"Patient?family={quote(value)}") == []
        assert found.ids(f"Observation?subject={quote(value, safe='')}") == []
