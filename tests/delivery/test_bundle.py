"""Our own Bundle: what may be delivered, and how each part is found again."""

from typing import Any

import pytest

from portal.delivery.bundle import carries, problems, read, relative, subject, version

from .make import bundle, created, medication, response, updated

PATIENT = {"resourceType": "Patient", "id": "pat-1"}
PROVENANCE = {
    "resource": {
        "resourceType": "Provenance",
        "target": [{"reference": "urn:uuid:1"}],
        "recorded": "2026-11-21T10:00:00Z",
    },
    "request": {"method": "POST", "url": "Provenance"},
}


def test_a_good_bundle_has_nothing_against_it() -> None:
    good = bundle(created(response("pat-1")), created(medication("pat-1")), updated(PATIENT, "3"), PROVENANCE)
    assert problems(good) == []
    assert read(good).subjects() == {"Patient/pat-1"}


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({}, "not a transaction"),
        ({"resourceType": "Bundle", "type": "batch", "entry": [1]}, "not a transaction"),
        ({"resourceType": "Bundle", "type": "transaction", "entry": []}, "no entries"),
        (bundle({"request": {"method": "DELETE", "url": "Patient/1"}}), "only POST and PUT"),
        (bundle({"request": {"method": "POST", "url": "Patient"}}), "no resource"),
        (
            bundle({"resource": {"resourceType": "Observation"}, "request": {"method": "POST", "url": "Patient"}}),
            "its url",
        ),
        (bundle({"resource": PATIENT, "request": {"method": "PUT", "url": "Patient/other"}}), "its url"),
        (
            bundle({"resource": {"resourceType": "Consent"}, "request": {"method": "POST", "url": "Consent"}}),
            "no identifier",
        ),
        (bundle(PROVENANCE), "found again"),
        (bundle(created(response("pat-1")), created(medication("pat-2"))), "more than one patient"),
        (
            bundle(created(response("pat-1")), updated({"resourceType": "Patient", "id": "pat-2"}, "1")),
            "more than one patient",
        ),
    ],
)
def test_a_bundle_that_could_not_be_delivered_exactly_once_is_refused_with_the_entry_and_the_reason(
    broken: dict[str, Any], why: str
) -> None:
    assert why in problems(broken)[0]


def test_an_entry_is_found_by_its_condition_decoded_or_by_its_identifier() -> None:
    entries = read(bundle(created(response("pat-1", "a b")))).entries
    assert entries[0].search == (("identifier", "urn:previsit:answers|a b"),)
    plain = {"resource": medication("pat-1", "m"), "request": {"method": "POST", "url": "MedicationStatement"}}
    assert read(bundle(plain)).entries[0].search == (("identifier", "urn:previsit:answers|m"),)


def test_carrying_our_key_means_the_very_same_system_and_value() -> None:
    search = (("identifier", "s|v"),)
    assert carries({"identifier": {"system": "s", "value": "v"}}, search)
    assert carries({"identifier": [{"value": "x"}, {"system": "s", "value": "v"}]}, search)
    assert not carries({"identifier": {"system": "s", "value": "v2"}}, search)
    assert not carries({"identifier": "s|v"}, search)
    assert carries({"meta": {"tag": [{"system": "s", "code": "v"}]}}, (("_tag", "s|v"),))


@pytest.mark.parametrize(("etag", "held"), [('W/"3"', "3"), ('"3"', "3"), ("", None), (None, None), ('W/""', None)])
def test_a_version_is_read_from_an_etag(etag: str | None, held: str | None) -> None:
    assert version(etag) == held


def test_references_are_compared_as_type_and_id() -> None:
    assert relative("https://h/base/Patient/7/_history/2") == "Patient/7"
    assert subject({"patient": {"reference": "https://h/Patient/7"}}) == "Patient/7"
    assert subject({"subject": {"reference": "Group/1"}}) is None
