"""Builders of laboratory resources; JSON goes through the portal's exact reader, as it does in the product."""

from portal.fhir import exact

LOINC = "http://loinc.org"
SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def parsed(text):
    return exact.loads(text)


def observation(
    own="1", code="2823-3", name="Potassium [Moles/volume] in Serum or Plasma", at="2026-03-02T08:10:00Z", **changes
):
    made = {
        "resourceType": "Observation",
        "id": own,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": LOINC, "code": code, "display": name}]},
        "effectiveDateTime": at,
    }
    return {key: held for key, held in {**made, **changes}.items() if held is not None}


def quantity(number, unit="mmol/L", **changes):
    """`number` as the text that stands in the JSON."""
    return {"value": parsed(number), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit, **changes}


def reference(low=None, high=None, unit="mmol/L", **changes):
    sides = {"low": low and quantity(low, unit), "high": high and quantity(high, unit)}
    return {**{side: held for side, held in sides.items() if held}, **changes}


def interpretation(code):
    return [{"coding": [{"system": SYSTEM, "code": code}]}]


def report(own="r1", results=("1",), name="Basic metabolic panel", at="2026-03-02T08:10:00Z", **changes):
    made = {
        "resourceType": "DiagnosticReport",
        "id": own,
        "status": "final",
        "category": [{"coding": [{"code": "LAB"}]}],
        "code": {"text": name},
        "effectiveDateTime": at,
        "result": [{"reference": f"Observation/{each}"} for each in results],
    }
    return {key: held for key, held in {**made, **changes}.items() if held is not None}
