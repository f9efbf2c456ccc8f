"""Writes results and reports: a table of tests with unit and the laboratory's own range, and what a result can be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from portal.sandbox.seeds.pieces import HL7, LOINC, SNOMED, UCUM, Resource, coded, coding, concept, of, ref

CATEGORY = f"{HL7}/observation-category"
INTERPRETATION = f"{HL7}/v3-ObservationInterpretation"
FLAGS = {"H": "High", "L": "Low", "N": "Normal", "HH": "Critical high", "LL": "Critical low", "A": "Abnormal"}


@dataclass(frozen=True)
class Test:
    """One measurement; `low` and `high` are the ends of the reference range, as decimals in text."""

    loinc: str
    name: str
    unit: str
    ucum: str
    low: str | None = None
    high: str | None = None
    range_text: str | None = None


TESTS = {
    "hba1c": Test("4548-4", "Hemoglobin A1c", "%", "%", "4.0", "5.6"),
    "cholesterol": Test("2093-3", "Cholesterol, total", "mg/dL", "mg/dL", None, "199"),
    "hdl": Test("2085-9", "HDL cholesterol", "mg/dL", "mg/dL", "40", None),
    "ldl": Test("13457-7", "LDL cholesterol (calculated)", "mg/dL", "mg/dL", None, "99"),
    "triglycerides": Test("2571-8", "Triglycerides", "mg/dL", "mg/dL", None, "149"),
    "creatinine": Test("2160-0", "Creatinine", "mg/dL", "mg/dL", "0.74", "1.35"),
    "egfr": Test("98979-8", "eGFR (CKD-EPI 2021)", "mL/min/1.73 m²", "mL/min/{1.73_m2}", "60", None, "60 or more"),
    "glucose": Test("2345-7", "Glucose", "mg/dL", "mg/dL", "70", "99"),
    "sodium": Test("2951-2", "Sodium", "mmol/L", "mmol/L", "136", "145"),
    "potassium": Test("2823-3", "Potassium", "mmol/L", "mmol/L", "3.5", "5.1"),
    "urea": Test("3094-0", "Urea nitrogen", "mg/dL", "mg/dL", "7", "20"),
    "wbc": Test("6690-2", "White blood cells", "10³/µL", "10*3/uL", "4.0", "11.0"),
    "hemoglobin": Test("718-7", "Hemoglobin", "g/dL", "g/dL", "12.0", "16.0"),
    "platelets": Test("777-3", "Platelets", "10³/µL", "10*3/uL", "150", "400"),
    "tsh": Test("3016-3", "Thyroid-stimulating hormone", "mIU/L", "m[IU]/L", "0.40", "4.50"),
    "urine-albumin": Test("14957-5", "Albumin in urine", "mg/L", "mg/L", None, "20"),
    "ferritin": Test("2276-4", "Ferritin", "ng/mL", "ng/mL", "15", "150"),
    "lead": Test("5671-3", "Lead in blood", "µg/dL", "ug/dL", None, "3.4"),
    "inr": Test("6301-6", "INR", "", "{INR}", "2.0", "3.0", "2.0 to 3.0 while taking warfarin"),
    "weight": Test("29463-7", "Body weight", "kg", "kg"),
    "height": Test("8302-2", "Body height", "cm", "cm"),
}
PANELS = {
    "lipids": ("24331-1", "Lipid panel"),
    "metabolic": ("24321-2", "Basic metabolic panel"),
    "blood-count": ("58410-2", "Complete blood count"),
    "diabetes": ("4548-4", "Hemoglobin A1c"),
    "thyroid": ("3016-3", "Thyroid-stimulating hormone"),
    "kidney": ("14957-5", "Albumin in urine"),
}


def result(who: str, key: str, value: str, when: str, **more: Any) -> Resource:
    """A measured value, digits as written; a leading `<` or `>` makes it a limit. `test` replaces the table's row."""
    test: Test = more.pop("test", TESTS[key])
    comparator = value[0] if value[0] in "<>" else None
    number = Decimal(value.lstrip("<>"))
    quantity: Resource = {"value": number} | ({"comparator": comparator} if comparator else {})
    quantity |= {"unit": test.unit} if test.unit else {}
    quantity |= {"system": UCUM, "code": test.ucum}
    made = observation(who, key, concept(test.name, coding(LOINC, test.loinc)), when, **more)
    made["valueQuantity"] = quantity
    flag = _flag(test, number, comparator)
    if flag:
        made["interpretation"] = [coded(INTERPRETATION, flag, FLAGS[flag])]
    return made | _range(test)


def observation(who: str, slug: str, code: Resource, when: str, **more: Any) -> Resource:
    """A laboratory observation without a value yet; `more` are further elements, `category` among them."""
    category = more.pop("category", "laboratory")
    return {
        "resourceType": "Observation",
        "id": f"{who}-{slug}-{when[:10]}",
        "status": more.pop("status", "final"),
        "category": [{"coding": [coding(CATEGORY, category)]}],
        "code": code,
        "subject": of(who),
        "effectiveDateTime": when,
        "issued": when if "T" in when else f"{when}T18:00:00Z",
        "performer": [ref("Organization/laboratory" if category == "laboratory" else "Practitioner/ifeoma-okoro")],
        **more,
    }


def blood_pressure(who: str, systolic: int, diastolic: int, when: str) -> Resource:
    def part(loinc: str, name: str, value: int) -> Resource:
        quantity = {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}
        return {"code": concept(name, coding(LOINC, loinc)), "valueQuantity": quantity}

    code = concept("Blood pressure", coding(LOINC, "85354-9"))
    made = observation(who, "blood-pressure", code, when, category="vital-signs")
    return made | {
        "component": [part("8480-6", "Systolic", systolic), part("8462-4", "Diastolic", diastolic)],
    }


def panel(who: str, key: str, members: list[Resource], when: str, **more: Any) -> list[Resource]:
    """The members, an Observation that has them as members, and the report that a laboratory sends."""
    loinc, name = PANELS[key]
    grouping = observation(
        who, f"{key}-panel", concept(name, coding(LOINC, loinc)), when, status=more.get("status", "final")
    )
    grouping["hasMember"] = [ref(f"Observation/{member['id']}") for member in members]
    return [*members, grouping, report(who, key, [grouping, *members], when, **more)]


def report(who: str, key: str, results: list[Resource], when: str, **more: Any) -> Resource:
    loinc, name = PANELS[key]
    return {
        "resourceType": "DiagnosticReport",
        "id": f"{who}-{key}-{when[:10]}",
        "status": more.pop("status", "final"),
        "category": [concept("Laboratory", coding(f"{HL7}/v2-0074", "LAB"))],
        "code": concept(name, coding(LOINC, loinc)),
        "subject": of(who),
        "effectiveDateTime": when,
        "issued": when if "T" in when else f"{when}T18:00:00Z",
        "performer": [ref("Organization/laboratory", "Capital Laboratory")],
        "result": [ref(f"Observation/{one['id']}") for one in results],
        **more,
    }


def single(who: str, key: str, made: Resource, when: str) -> list[Resource]:
    """One result with a report of its own."""
    return [made, report(who, key, [made], when)]


def with_range(key: str, low: str | None, high: str | None) -> Test:
    """A test as the laboratory ranged it in other years."""
    return replace(TESTS[key], low=low, high=high, range_text=None)


def finding(text: str, snomed: str) -> Resource:
    """A coded value."""
    return coded(SNOMED, snomed, text)


def _flag(test: Test, number: Decimal, comparator: str | None) -> str | None:
    if test.low is None and test.high is None:
        return None
    if test.high is not None and number > Decimal(test.high) and comparator != "<":
        return "H"
    return "L" if test.low is not None and number < Decimal(test.low) and comparator != ">" else "N"


def _range(test: Test) -> Resource:
    if test.low is None and test.high is None:
        return {}
    made: Resource = {}
    for end, value in (("low", test.low), ("high", test.high)):
        if value is not None:
            unit = {"unit": test.unit} if test.unit else {}
            made[end] = {"value": Decimal(value)} | unit | {"system": UCUM, "code": test.ucum}
    return {"referenceRange": [made | ({"text": test.range_text} if test.range_text else {})]}
