"""Extraction by definitions into slices and extensions of a profile, and of answers that an element cannot hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.questionnaire.extracting import CORE, a, at, bundle, definition, text, value_at
from tests.questionnaire.make import option, q, raw_form

PROFILE = "https://example.org/StructureDefinition/our-patient"
RACE = "https://example.org/StructureDefinition/race"
KNOWN = {
    "resourceType": "StructureDefinition",
    "url": PROFILE,
    "type": "Patient",
    "differential": {
        "element": [
            {"id": "Patient.identifier:mrn", "path": "Patient.identifier", "patternIdentifier": {"use": "official"}},
            {"id": "Patient.identifier:mrn.system", "path": "Patient.identifier.system", "fixedUri": "urn:mrn"},
            {"id": "Patient.identifier:ssn.system", "path": "Patient.identifier.system", "fixedUri": "urn:ssn"},
            {
                "id": "Patient.extension:race",
                "path": "Patient.extension",
                "type": [{"code": "Extension", "profile": [RACE]}],
            },
            {"id": "Patient.contact.telecom.system", "path": "Patient.contact.telecom.system", "fixedCode": "phone"},
        ]
    },
}


def patient(
    *items: dict[str, Any], answers: list[dict[str, Any]], known: bool = True
) -> tuple[dict[str, Any], list[str]]:
    made = raw_form(*items, extension=[definition(PROFILE if known else f"{CORE}Patient")])
    [entry], troubles = bundle(made, *answers, registry={PROFILE: KNOWN} if known else {})
    return entry["resource"], troubles


def test_slices_of_one_list_stay_apart_and_take_what_the_profile_fixes_for_them() -> None:
    items = [q(name, definition=f"{PROFILE}#Patient.identifier:{name}.value") for name in ("mrn", "ssn")]
    made, troubles = patient(*items, answers=[a("mrn", text("1")), a("ssn", text("2"))])
    assert troubles == []
    assert made["identifier"] == [
        {"value": "1", "use": "official", "system": "urn:mrn"},
        {"value": "2", "system": "urn:ssn"},
    ]


def test_a_part_takes_what_is_fixed_for_it_only_where_it_is_said() -> None:
    phone = q("phone", definition=f"{PROFILE}#Patient.contact.telecom.value")
    name = q("name", definition=f"{PROFILE}#Patient.contact.name.text")
    made, _ = patient(phone, name, answers=[a("phone", text("1"))])
    assert made["contact"] == [{"telecom": [{"value": "1", "system": "phone"}]}]
    made, _ = patient(phone, name, answers=[a("name", text("Ann"))])
    assert made["contact"] == [{"name": {"text": "Ann"}}]


def test_an_extension_has_the_url_of_its_slice_and_one_without_is_left_out_and_told() -> None:
    race = q(
        "race",
        "choice",
        definition=f"{PROFILE}#Patient.extension:race.extension:detailed.value[x]",
        answerOption=[option("w")],
    )
    odd = q("odd", definition=f"{PROFILE}#Patient.extension:odd.value[x]")
    made, troubles = patient(race, odd, answers=[a("race", option("w")), a("odd", text("x"))])
    assert made["extension"] == [{"url": RACE, "extension": [{"url": "detailed", **option("w")}]}]
    assert troubles == [": extension:odd: nothing says its url"]
    said = value_at("Patient.extension:odd.url", valueUri="urn:odd")
    odd = q("odd", definition=at("Patient.extension:odd.value[x]"))
    [entry], _ = bundle(raw_form(odd, extension=[definition(f"{CORE}Patient"), said]), a("odd", text("x")))
    assert entry["resource"]["extension"] == [{"url": "urn:odd", "valueString": "x"}]


HELD: list[tuple[str, str, str, Any, Any]] = [
    ("a yes in words", "string", "Patient.active", text("true"), True),
    ("words for yes or no", "string", "Patient.active", text("perhaps"), None),
    ("a number in words", "string", "Patient.multipleBirth[x]", text("2"), None),
    ("digits for a number", "string", "Patient.contact.telecom.rank", text("2"), [{"telecom": [{"rank": 2}]}]),
    ("words for a number", "string", "Patient.contact.telecom.rank", text("two"), None),
    ("a moment for a date", "dateTime", "Patient.birthDate", {"valueDateTime": "1980-02-03T04:05:06Z"}, "1980-02-03"),
    ("words for a period", "string", "Patient.name.period", text("long"), None),
    ("a number for a code", "decimal", "Patient.gender", {"valueDecimal": Decimal("1.5")}, None),
    ("a yes for a date", "boolean", "Patient.birthDate", {"valueBoolean": True}, None),
]


@pytest.mark.parametrize(
    ("kind", "path", "answer", "value"), [case[1:] for case in HELD], ids=[case[0] for case in HELD]
)
def test_an_element_holds_what_its_type_allows_and_the_rest_is_told(
    kind: str, path: str, answer: Any, value: Any
) -> None:
    sure = q("sure", definition=at("Patient.name.family"))
    made, troubles = patient(
        q("a", kind, definition=at(path)), sure, answers=[a("a", answer), a("sure", text("Ann"))], known=False
    )
    name = path.split(".")[1]
    assert (made.get(name) if name != "name" else None) == value
    assert len(troubles) == (value is None)
    assert made["name"] == [{"family": "Ann"}]
