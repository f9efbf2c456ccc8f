"""$extract as others expect it, apart from ids and times that are made anew."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from portal.questionnaire import extract, load
from tests.corpus.corpus import context, needed, read

pytestmark = needed
HOME = "smart-forms/sdc-template-extract/"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")


def plain(value: Any, seen: dict[str, str]) -> Any:
    """Ids numbered in order of appearance, moments and the head of the bundle left out."""
    if isinstance(value, dict):
        return {key: plain(value[key], seen) for key in sorted(value)}
    if isinstance(value, list):
        return [plain(one, seen) for one in value]
    if isinstance(value, str):
        numbered = UUID.sub(lambda found: seen.setdefault(found[0], f"id-{len(seen)}"), value)
        return MOMENT.sub("then", numbered)
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def test_a_patient_contacts_and_observations_come_out_of_templates() -> None:
    form = load(read(f"{HOME}questionnaires/QComplexTemplateExtract/QComplexTemplateExtract.json"))
    response = read(f"{HOME}questionnaireResponses/QRComplexTemplateExtract/QRComplexTemplateExtract.json")
    expected = read(f"{HOME}extracted/extractedComplexTemplateExtract/extractedComplexTemplateExtract.json")
    made = extract(form, response, context())
    assert made.troubles == ()
    assert plain(made.bundle["entry"], {}) == plain(expected["entry"], {})


def test_a_bundle_template_gives_the_same_resources() -> None:
    form = load(read("hl7-sdc/resources/extract-complex-template2.json"))
    response = read(f"{HOME}questionnaireResponses/QRComplexTemplateExtract/QRComplexTemplateExtract.json")
    made = extract(form, response, context())
    kinds = [entry["resource"]["resourceType"] for entry in made.bundle["entry"]]
    assert kinds[0] == "Patient"
    assert kinds.count("Observation") >= 2
    assert made.bundle["entry"][0]["resource"]["name"][1]["given"] == ["Smartie", "Demo"]


def test_element_definitions_give_the_same_patient() -> None:
    form = load(read("hl7-sdc/resources/extract-complex-defn3.json"))
    response = read(f"{HOME}questionnaireResponses/QRComplexTemplateExtract/QRComplexTemplateExtract.json")
    made = extract(form, response, context())
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for entry in made.bundle["entry"]:
        by_kind.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    (patient,) = by_kind["Patient"]
    assert [name["family"] for name in patient["name"]] == ["Form", "Forms"]
    assert patient["name"][1]["given"] == ["Smartie", "Demo"]
    assert patient["name"][1]["text"] == "Smartie Demo Forms"
    assert patient["gender"] == "female"
    assert patient["birthDate"] == "1968-10-11"
    assert patient["identifier"] == [
        {
            "type": {"text": "National Identifier (IHI)"},
            "system": "http://example.org/nhio",
            "value": "8003608833357361",
        }
    ]
    (related,) = by_kind["RelatedPerson"]
    assert related["name"] == [{"text": "Ms Phone A Friend"}]
    assert related["relationship"][0]["coding"][0]["code"] == "C"
    height = next(o for o in by_kind["Observation"] if o["code"]["coding"][0]["code"] == "8302-2")
    assert height["status"] == "final"
    assert height["effectiveDateTime"] == response["authored"]


def test_an_amended_response_gives_the_same_addresses() -> None:
    form = load(read("hl7-sdc/resources/extract-complex-defn3.json"))
    response = read(f"{HOME}questionnaireResponses/QRComplexTemplateExtract/QRComplexTemplateExtract.json")
    first = extract(form, response, context(), identity="submission 7").bundle["entry"]
    response["item"][0]["item"][3]["answer"][0]["valueDate"] = "1968-10-12"
    second = extract(
        form, {**response, "id": "another", "status": "amended"}, context(), identity="submission 7"
    ).bundle["entry"]
    assert [entry["fullUrl"] for entry in first] == [entry["fullUrl"] for entry in second]
    assert first[0]["resource"]["birthDate"] != second[0]["resource"]["birthDate"]
