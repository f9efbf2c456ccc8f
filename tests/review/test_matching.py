"""One, none, or maybe: people against records, by example."""

from typing import Any

import pytest

from portal.review.agreement import Level, compare, distance
from portal.review.identity import date_of, name_of, of_patient, of_person, phone, postal_code
from portal.review.matching import Likeness, Verdict, likeness, match

MARIA: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "1",
    "active": True,
    "name": [{"use": "official", "family": "García López", "given": ["María", "Elena"]}],
    "birthDate": "1990-04-03",
    "gender": "female",
    "telecom": [{"system": "phone", "value": "+1 (555) 010-2233"}, {"system": "email", "value": "maria@example.org"}],
    "address": [{"line": ["12 Oak Street"], "city": "Riverton", "postalCode": "12345"}],
}
PERSON = {"name": "Maria Garcia Lopez", "birthDate": "1990-04-03", "phone": "555 010 2233", "email": None}


def patient(**elements: Any) -> dict[str, Any]:
    return {**MARIA, **elements}


def named(given: list[str], family: str) -> list[dict[str, Any]]:
    return [{"family": family, "given": given}]


# what is different about the person → what comes of it
PEOPLE: dict[str, tuple[dict[str, Any], Verdict]] = {
    "name, birth date and phone agree": ({}, Verdict.ONE),
    "accents and capitals do not count": ({"name": "MARÍA garcía lópez"}, Verdict.ONE),
    "the e-mail agrees instead of the phone": ({"phone": None, "email": "Maria@Example.org"}, Verdict.ONE),
    "nothing beside name and birth date": ({"phone": None}, Verdict.MAYBE),
    "another phone": ({"phone": "555 999 8877"}, Verdict.MAYBE),
    "day and month swapped": ({"birthDate": "1990-03-04"}, Verdict.MAYBE),
    "one digit of the year off": ({"birthDate": "1991-04-03"}, Verdict.MAYBE),
    "another birth date": ({"birthDate": "1971-12-24"}, Verdict.MAYBE),
    "a slip in the first name": ({"name": "Mario Garcia Lopez"}, Verdict.MAYBE),
    "one of two family names": ({"name": "Maria Garcia"}, Verdict.MAYBE),
    "a twin: another first name, the rest agrees": ({"name": "Lucia Garcia Lopez"}, Verdict.MAYBE),
    "somebody else altogether": ({"name": "John Smith", "birthDate": "1955-01-01", "phone": None}, Verdict.NONE),
    "only the first name": ({"name": "Maria", "birthDate": "1955-01-01", "phone": None}, Verdict.NONE),
    "nothing known": ({"name": "", "birthDate": None, "phone": None}, Verdict.NONE),
    "a placeholder instead of a name": ({"name": "Baby Girl"}, Verdict.MAYBE),
}


@pytest.mark.parametrize("case", PEOPLE, ids=str)
def test_a_person_against_one_record(case: str) -> None:
    different, verdict = PEOPLE[case]
    assert match(of_person({**PERSON, **different}), [MARIA]).verdict is verdict


def test_two_records_that_could_both_be_it_are_never_decided_by_rule() -> None:
    found = match(of_person(PERSON), [MARIA, patient(id="2")])
    assert found.verdict is Verdict.MAYBE
    assert len(found.candidates) == 2


def test_a_sure_one_beside_a_mere_possibility_is_left_to_a_person() -> None:
    sister = patient(id="2", name=named(["Mariana"], "García López"))
    assert match(of_person(PERSON), [MARIA, sister]).verdict is Verdict.MAYBE


def test_a_sure_one_beside_somebody_else_is_one() -> None:
    other = patient(id="2", name=named(["Tom"], "Berg"), birthDate="1950-01-01", telecom=[], address=[])
    found = match(of_person(PERSON), [other, MARIA])
    assert found.verdict is Verdict.ONE
    assert [each.patient["id"] for each in found.candidates] == ["1"]


def test_nobody_is_none() -> None:
    assert match(of_person(PERSON), []).verdict is Verdict.NONE


@pytest.mark.parametrize(
    "state",
    [{"active": False}, {"link": [{"other": {"reference": "Patient/9"}, "type": "replaced-by"}]}],
    ids=["inactive", "merged"],
)
def test_an_inactive_or_merged_record_is_never_tied_by_rule(state: dict[str, Any]) -> None:
    found = match(of_person(PERSON), [patient(**state)])
    assert found.verdict is Verdict.MAYBE
    assert found.candidates[0].against


CONTRADICTIONS = {
    "gender": {"gender": "male"},
    "first name": {"given": "Tomas"},
    "suffix": {"suffix": "Sr"},
    "identifier": {"identifier": "mrn|875"},
}


@pytest.mark.parametrize("case", CONTRADICTIONS, ids=str)
def test_one_contradiction_is_enough_to_ask_a_person(case: str) -> None:
    whole = {
        "given": "Ana",
        "family": "Ruiz",
        "suffix": "Jr",
        "birthDate": "2001-02-03",
        "gender": "female",
        "phone": "555 010 2233",
        "identifier": "mrn|123",
        "street": "1 Elm Rd",
        "postalCode": "11111",
    }
    assert likeness(compare(of_person(whole), of_person(whole))) is Likeness.SURE
    assert likeness(compare(of_person(whole), of_person({**whole, **CONTRADICTIONS[case]}))) is not Likeness.SURE


A, C, D, U = Level.AGREES, Level.CLOSE, Level.DIFFERS, Level.UNKNOWN
NAMES = [
    (("Ana", "Ruiz"), ("Ana", "Ruiz"), (A, A)),
    (("Ana", "Ruiz"), ("Ana Maria", "Ruiz"), (A, A)),
    (("Ana", "Ruiz"), ("Ana", "Ruiz Soto"), (A, C)),
    (("Ana", "de la Ruiz"), ("Ana", "Ruiz"), (A, A)),
    (("Ruiz", "Ana"), ("Ana", "Ruiz"), (C, C)),
    (("Anna", "Ruiz"), ("Ana", "Ruiz"), (C, A)),
    (("A", "Ruiz"), ("Ana", "Ruiz"), (C, A)),
    (("Chris", "O'Hara"), ("Christopher", "Ohara"), (C, A)),
    (("Maria", "Ruiz"), ("Ana Maria", "Ruiz"), (C, A)),
    (("Ana Lucia", "Ruiz"), ("Ana Teresa", "Ruiz"), (C, A)),
    (("Jon", "Ruiz"), ("Ana", "Ruiz"), (D, A)),
    (("Ana", "Ruiz"), ("Ana", "Kowalski"), (A, D)),
    (("Ana", ""), ("Ana", "Ruiz"), (U, D)),
    (("Unknown", "Ruiz"), ("Ana", "Ruiz"), (U, A)),
    (("Mary-Jane", "Ruiz"), ("Maryjane", "Ruiz"), (A, A)),
    (("Jürgen", "Groß"), ("Jurgen", "Gross"), (A, A)),
]


@pytest.mark.parametrize(("one", "other", "wanted"), NAMES, ids=[f"{one} {other}" for one, other, _ in NAMES])
def test_names(one: tuple[str, str], other: tuple[str, str], wanted: tuple[Level, Level]) -> None:
    people = [of_person({"given": given, "family": family}) for given, family in (one, other)]
    fields = compare(*people)
    assert (fields["given"], fields["family"]) == wanted
    assert compare(*reversed(people)) == fields


def test_a_former_name_counts_too() -> None:
    married = patient(name=[*named(["Maria"], "Berg"), {"use": "old", "family": "Garcia Lopez", "given": ["Maria"]}])
    assert compare(of_person(PERSON), of_patient(married))["family"] is A


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("1990-04-03", "1990-04-03", A),
        ("1990-04-03", "1990-03-04", C),
        ("1990-04-03", "1990-04-08", C),
        ("1990-04-03", "1980-04-03", C),
        ("1990-04-03", "1990-04", C),
        ("1990-04-03", "1990-05", D),
        ("1990-04-03", "1991-05-03", D),
        ("1990-04-03", "1900-01-01", U),
        ("1990-04-03", "", U),
    ],
)
def test_birth_dates(one: str, other: str, level: Level) -> None:
    assert compare(of_person({"birthDate": one}), of_person({"birthDate": other}))["birth_date"] is level


def test_numbers_are_compared_within_one_system_only() -> None:
    one, other = of_person({"identifier": "mrn|123"}), of_person({"identifier": "ssn|123"})
    assert compare(one, other)["identifier"] is U


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (phone("+44 (0)20 7946 0958"), phone("020 7946 0958")),
        (phone("000 000 0000"), ""),
        (phone("12345"), ""),
        (postal_code("SW1A 1AA"), "sw1a1aa"),
        (postal_code("12345-6789"), "12345"),
        (date_of("19900403"), "19900403"),
        (name_of("Tom", "Berg Jr").suffix, "jr"),
        (name_of("Tom", "Berg", "III").suffix, "3"),
    ],
)
def test_what_is_compared_is_normalised(made: str, wanted: str) -> None:
    assert made == wanted


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [("ana", "ana", 0), ("ana", "anna", 1), ("ana", "naa", 1), ("ana", "bno", 2), ("a", "abcd", 3)],
)
def test_distance_counts_slips_of_the_keyboard(one: str, other: str, edits: int) -> None:
    assert distance(one, other) == edits
