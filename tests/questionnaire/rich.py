"""One form that uses nearly everything there is, with a response to it and Parameters to fill it in from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.questionnaire.extracting import CORE, at, definition, value_at
from tests.questionnaire.make import HL7, SDC, control, fhirpath, group, hl7, option, q, raw_form, sdc, variable, when

UCUM = "http://unitsofmeasure.org"
KG = {"system": UCUM, "code": "kg", "display": "kg"}
LOINC = {"system": "http://loinc.org", "code": "29463-7"}
QUERY = "application/x-fhir-query"


def says(expression: str) -> dict[str, Any]:
    return {"extension": [{"url": f"{SDC}templateExtractValue", "valueString": expression}]}


def searched(name: str, text: str, called: str) -> dict[str, Any]:
    return {"url": name, "valueExpression": {"language": QUERY, "expression": text, "name": called}}


TEMPLATE = {
    "resourceType": "Observation", "id": "t", "status": "final", "code": {"coding": [LOINC]},
    "_effectiveDateTime": says("%resource.authored"), "valueQuantity": says("item.where(linkId='weight').answer.value"),
    "note": [{"extension": [{"url": f"{SDC}templateExtractContext", "valueString": "item.where(linkId='notes').answer"}],
              "_text": says("value")}],
}  # fmt: skip
COLOURS = {
    "resourceType": "ValueSet", "id": "colours", "url": "urn:colours",
    "compose": {"include": [{"system": "urn:c", "concept": [
        {"code": "red", "display": "Red", "designation": [{"language": "es", "value": "Rojo"}]}, {"code": "blue"}]}]},
}  # fmt: skip
SEARCHES = {
    "resourceType": "Bundle", "id": "searches", "type": "batch",
    "entry": [{"request": {"method": "GET", "url": "Condition?patient={{%patient.id}}"}}],
}  # fmt: skip
RULE = {"url": f"{SDC}targetConstraint", "extension": [
    {"url": "key", "valueId": "k"}, {"url": "severity", "valueCode": "error"}, {"url": "human", "valueString": "Too heavy"},
    {"url": "location", "valueString": "weight"},
    {"url": "expression", "valueExpression": fhirpath("%weight < 300 'kg'")}]}  # fmt: skip
TOGGLE = {"url": f"{SDC}answerOptionsToggleExpression", "extension": [
    {"url": "option", **option("b")}, {"url": "expression", "valueExpression": fhirpath("%age > 17")}]}  # fmt: skip
LAUNCH = {"url": f"{SDC}launchContext", "extension": [
    {"url": "name", "valueCoding": {"code": "patient"}}, {"url": "type", "valueCode": "Patient"}]}  # fmt: skip
ALLOCATED = {"url": f"{SDC}extractAllocateId", "valueString": "new"}
FILLED = {"url": f"{SDC}templateExtract", "extension": [
    {"url": "template", "valueReference": {"reference": "#t"}}, {"url": "fullUrl", "valueString": "%new"}]}  # fmt: skip
PERIOD = {"url": f"{SDC}observationLinkPeriod", "valueDuration": {"value": 1, "code": "a", "system": UCUM}}
EXTRACTED = {"url": f"{SDC}observationExtract", "valueBoolean": True}
SPANISH = {
    "extension": [
        hl7("translation", extension=[{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": "Edad"}])
    ]
}
CONTEXT = {"url": f"{SDC}itemPopulationContext", "valueExpression": fhirpath("%patient.contact", "contact")}
DEEPER = {"url": f"{SDC}itemPopulationContext", "valueExpression": fhirpath("%contact.telecom", "phone")}

FORM = raw_form(
    group(
        "about",
        q("age", "integer", text="Age", _text=SPANISH, required=True, ext=[
            sdc("initialExpression", "(today().toString().substring(0, 4).toInteger() - %born.substring(0, 4).toInteger())"),
            hl7("minValue", valueInteger=0), hl7("maxValue", valueInteger=130)]),
        q("born", "date", definition=at("Patient.birthDate"), ext=[sdc("initialExpression", "%patient.birthDate")]),
        q("name", definition=at("Patient.name.family"), maxLength=40,
          ext=[hl7("regex", valueString="[A-Z].*"), hl7("entryFormat", valueString="Name")]),
        q("adult", "display", text="You are an adult", enableWhen=[when("age", ">", answerInteger=17)]),
        ext=[definition(f"{CORE}Patient", resourceId="%patient.id"), value_at("Patient.active", valueBoolean=True), control("page")],
    ),
    group(
        "contact",
        q("who", definition=at("RelatedPerson.name.text"), ext=[sdc("initialExpression", "%contact.name.text")]),
        group("phone", q("number", ext=[sdc("initialExpression", "%phone.value")]), repeats=True, ext=[DEEPER]),
        repeats=True, ext=[CONTEXT, definition(f"{CORE}RelatedPerson"), hl7("questionnaire-maxOccurs", valueInteger=3)],
    ),
    group(
        "body",
        q("weight", "quantity", code=[LOINC], ext=[hl7("questionnaire-unitOption", valueCoding=KG), PERIOD, EXTRACTED,
            {"url": f"{SDC}minQuantity", "valueQuantity": {"value": 1, "code": "kg", "system": UCUM}}]),
        q("height", "decimal", ext=[hl7("questionnaire-unit", valueCoding=KG), hl7("maxDecimalPlaces", valueInteger=2)]),
        q("bmi", "decimal", readOnly=True, ext=[
            sdc("calculatedExpression", "%weight.value / %resource.descendants().where(linkId='height').answer.value.power(2)")]),
        q("notes", "text", repeats=True, enableWhen=[when("smokes", "!=", **{"answerCoding": option("a")["valueCoding"]}),
            when("age", "exists", answerBoolean=True)], enableBehavior="any"),
        ext=[ALLOCATED, FILLED, RULE],
    ),
    q("smokes", "choice", q("how-many", "integer", ext=[hl7("minValue", valueInteger=1)]), repeats=True, answerOption=[
        option("a", extension=[hl7("ordinalValue", valueDecimal=1)], initialSelected=True), option("b"),
        option("none", extension=[hl7("questionnaire-optionExclusive", valueBoolean=True)])], ext=[TOGGLE, control("check-box")]),
    q("colour", "open-choice", answerValueSet="#colours", initial=[{"valueCoding": {"system": "urn:c", "code": "red"}}]),
    q("doctor", "reference", ext=[hl7("questionnaire-referenceResource", valueCode="Practitioner")]),
    q("card", "attachment", ext=[hl7("maxSize", valueDecimal=1), hl7("mimeType", valueCode="image/png")]),
    q("module", "display", ext=[{"url": f"{SDC}subQuestionnaire", "valueCanonical": "urn:other"}]),
    q("when", "dateTime", ext=[sdc("enableWhenExpression", "%score > 0")]), q("at", "time"), q("site", "url"),
    q("score", "decimal", ext=[sdc("calculatedExpression", "%score"), hl7("questionnaire-hidden", valueBoolean=True)]),
    extension=[LAUNCH, variable("born", "%patient.birthDate.toString()"),
               variable("weight", "%resource.descendants().where(linkId='weight').answer.value"),
               variable("age", "%resource.descendants().where(linkId='age').answer.value"),
               variable("score", "%resource.item.where(linkId='smokes').answer.value.ordinal().sum()"),
               searched(f"{HL7}variable", "Condition?patient={{%patient.id}}", "conditions"),
               {"url": f"{SDC}sourceQueries", "valueReference": {"reference": "#searches"}}],
    contained=[TEMPLATE, COLOURS, SEARCHES], language="en",
)  # fmt: skip


MODULE = raw_form(
    group("m", q("m1"), q("m2", enableWhen=[when("m1", "exists", answerBoolean=True)])), url="urn:other",
    contained=[COLOURS], extension=[LAUNCH, variable("other", "1")],
)  # fmt: skip


def a(link_id: str, *values: dict[str, Any], text: str = "") -> dict[str, Any]:
    return {"linkId": link_id, "answer": list(values), **({"text": text} if text else {})}


RESPONSE: dict[str, Any] = {
    "resourceType": "QuestionnaireResponse", "id": "r1", "status": "completed", "questionnaire": "https://example.org/form|1",
    "subject": {"reference": "Patient/p1"}, "authored": "2026-11-20T10:00:00Z", "author": {"reference": "Patient/p1"},
    "contained": [{"resourceType": "Practitioner", "id": "d"}],
    "item": [
        {"linkId": "about", "item": [a("age", {"valueInteger": 40}, text="Age"), a("born", {"valueDate": "1986-02"}),
                                      a("name", {"valueString": "Roe"})]},
        {"linkId": "contact", "item": [a("who", {"valueString": "Ann"}), {"linkId": "phone", "item": [a("number", {"valueString": "1"})]}]},
        {"linkId": "contact", "item": [a("who", {"valueString": "Bob"})]},
        {"linkId": "body", "item": [
            a("weight", {"valueQuantity": {"value": Decimal("70.50"), "unit": "kg", "code": "kg", "system": UCUM}}),
            a("height", {"valueDecimal": Decimal("1.70")}), a("bmi", {"valueDecimal": Decimal("24.39")}),
            a("notes", {"valueString": "one"}, {"valueString": "two"})]},
        a("smokes", {**option("a"), "item": [a("how-many", {"valueInteger": 3})]}, option("b")),
        a("colour", {"valueString": "mauve"}), a("doctor", {"valueReference": {"reference": "#d"}}),
        a("card", {"valueAttachment": {"contentType": "image/png", "data": "AAAA"}}), a("when", {"valueDateTime": "2020"}),
        a("at", {"valueTime": "10:00:00"}), a("site", {"valueUri": "https://example.org"}), a("score", {"valueDecimal": 1}),
    ],
}  # fmt: skip
PATIENT = {
    "resourceType": "Patient", "id": "p1", "birthDate": "1986-02-03", "gender": "female", "name": [{"family": "Roe"}],
    "contact": [{"name": {"text": "Ann"}, "telecom": [{"system": "phone", "value": "1"}, {"value": "2"}]}, {"name": {"text": "Bob"}}],
}  # fmt: skip
WEIGHED = {
    "resourceType": "Observation", "id": "o", "status": "final", "code": {"coding": [LOINC]}, "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2026-10-01", "valueQuantity": {"value": Decimal("70.5"), "code": "kg", "system": UCUM},
}  # fmt: skip
PARAMETERS: dict[str, Any] = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "subject", "valueReference": {"reference": "Patient/p1"}},
        {"name": "context", "part": [{"name": "name", "valueString": "patient"}, {"name": "content", "resource": PATIENT}]},
        {"name": "context", "part": [{"name": "name", "valueString": "conditions"}, {"name": "content", "resource": {
            "resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Condition", "id": "c"}}, {"resource": WEIGHED}]}}]},
    ],
}  # fmt: skip
