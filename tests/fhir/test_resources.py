"""References, identities and bundles, taken apart safely."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.fhir import bundle
from portal.fhir.compartment import NOBODYS, PATIENT_IN, belongs, names_another
from portal.fhir.resources import Ref, at, id_of, identifiers, key_of, parse_reference, points_to, resolve, version_of

BASE = "https://ehr.example.org/fhir"


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("Patient/1", Ref(None, "Patient", "1", None)),
        ("Patient/1/_history/2", Ref(None, "Patient", "1", "2")),
        (f"{BASE}/Patient/1", Ref(BASE, "Patient", "1", None)),
        (f"{BASE}/Patient/1/_history/a-b.c", Ref(BASE, "Patient", "1", "a-b.c")),
    ],
)
def test_a_literal_reference_comes_apart(text: str, ref: Ref) -> None:
    assert parse_reference(text) == ref


@pytest.mark.parametrize(
    "text",
    ["", "Patient", "Patient/", "/Patient/1", "patient/1", "Patient/1?x", "Patient/1#x", "#p1", "urn:uuid:1", "Patient/1 ",
     "Patient/" + "a" * 65, "ftp://x/Patient/1", "Patient/1/2", "Patient/1/_history/", None, 7, {}, []],
)  # fmt: skip
def test_anything_else_is_no_literal_reference(text: Any) -> None:
    assert parse_reference(text) is None


def test_a_reference_points_only_at_its_own_server() -> None:
    assert points_to({"reference": f"{BASE}/Patient/1"}, "Patient/1", BASE)
    assert points_to({"reference": f"{BASE}/Patient/1"}, "Patient/1", BASE + "/")
    assert not points_to({"reference": "https://other.example/fhir/Patient/1"}, "Patient/1", BASE)
    assert not points_to({"reference": f"{BASE}/Patient/10"}, "Patient/1", BASE)
    assert not points_to({"display": "Patient/1"}, "Patient/1", BASE)


def test_a_resource_is_named_by_type_and_a_grammatical_id() -> None:
    assert key_of({"resourceType": "Patient", "id": "1"}) == "Patient/1"
    for odd in (
        {},
        {"resourceType": "Patient"},
        {"resourceType": "Patient", "id": "a b"},
        {"resourceType": "Patient", "id": 1},
    ):
        assert key_of(odd) == ""
    assert id_of({"id": "a" * 64}) == "a" * 64
    assert version_of({"meta": {"versionId": "7"}}) == "7"
    assert version_of({"meta": []}) is None


def test_a_reference_resolves_to_what_is_contained_or_came_along() -> None:
    medicine = {"resourceType": "Medication", "id": "m"}
    holder = {"resourceType": "MedicationRequest", "id": "r", "contained": [medicine]}
    assert resolve({"reference": "#m"}, holder, {}) == medicine
    assert resolve({"reference": "Medication/m"}, holder, {"Medication/m": medicine}) == medicine
    assert resolve({"reference": "Medication/x"}, holder, {}) == {}


def test_identifiers_of_one_or_many() -> None:
    one = {"system": "urn:x", "value": "1"}
    assert list(identifiers({"identifier": one})) == [("urn:x", "1")]
    assert list(identifiers({"identifier": [one, {"system": "urn:y"}, "z"]})) == [("urn:x", "1")]


@pytest.mark.parametrize("kind", sorted(PATIENT_IN))
def test_every_kind_of_resource_belongs_by_its_own_element(kind: str) -> None:
    first, _, rest = PATIENT_IN[kind][0].partition(".")

    def about(patient: str) -> dict[str, Any]:
        reference = {"reference": f"Patient/{patient}"}
        return {"resourceType": kind, "id": "x", first: [{rest: reference}] if rest else reference}

    assert belongs(about("1"), "Patient/1", BASE)
    assert not belongs(about("2"), "Patient/1", BASE)
    assert names_another(about("2"), "Patient/1", BASE)
    assert not belongs({"resourceType": kind, "id": "x"}, "Patient/1", BASE)


def test_what_is_nobodys_may_come_along_and_what_is_unknown_may_not() -> None:
    assert all(belongs({"resourceType": kind, "id": "x"}, "Patient/1", BASE) for kind in NOBODYS)
    assert not belongs({"resourceType": "RiskAssessment", "subject": {"reference": "Patient/1"}}, "Patient/1", BASE)
    assert not belongs({}, "Patient/1", BASE)


@settings(deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["subject", "patient", "participant", "actor", "reference", "contained", "resourceType", "id", "link", "entry",
                     "search", "mode", "resource", "identifier", "value"]), inner, max_size=4), max_leaves=12))  # fmt: skip
def test_no_json_brings_the_guards_down(odd: Any) -> None:
    for kind in ("Patient", "Appointment", "Condition", "Medication", ""):
        resource = {**(odd if isinstance(odd, dict) else {"subject": odd, "participant": odd}), "resourceType": kind}
        assert belongs(resource, "Patient/1", BASE) in (True, False)
    assert isinstance(list(bundle.entries(odd)), list)
    assert bundle.link(odd, "next") is None or isinstance(bundle.link(odd, "next"), str)
    assert at(odd, "a", 0, "b") is None


def test_the_entries_of_a_searchset_come_with_their_mode() -> None:
    one, outcome = {"resourceType": "Patient"}, {"resourceType": "OperationOutcome"}
    entries = [
        {"resource": one},
        {"resource": one, "search": {"mode": "include"}},
        {"resource": outcome},
        {"fullUrl": "urn:x"},
        "odd",
    ]
    assert [mode for mode, _ in bundle.entries({"entry": entries})] == ["match", "include", "outcome"]


def test_a_create_entry_is_conditional_on_its_identifier_fully_encoded() -> None:
    entry = bundle.create_entry({"resourceType": "Consent"}, "urn:uuid:1", ("https://x/y", "a|b&c"))
    assert entry["request"] == {
        "method": "POST",
        "url": "Consent",
        "ifNoneExist": "identifier=https%3A%2F%2Fx%2Fy|a%7Cb%26c",
    }


def test_an_update_entry_is_conditional_on_the_version_seen() -> None:
    patient = {"resourceType": "Patient", "id": "1"}
    assert bundle.update_entry(patient, "urn:x", "v-7")["request"] == {
        "method": "PUT",
        "url": "Patient/1",
        "ifMatch": 'W/"v-7"',
    }
    assert "ifMatch" not in bundle.update_entry(patient, "urn:x", None)["request"]


def test_an_outcome_says_its_details_before_its_diagnostics() -> None:
    issues = [{"details": {"text": "Wrong date"}, "diagnostics": "x"}, {"diagnostics": "y"}, {"code": "invalid"}]
    assert bundle.outcome_texts({"issue": issues}) == ["Wrong date", "y", "invalid"]
    assert bundle.outcome_codes({"issue": issues}) == ["invalid"]
