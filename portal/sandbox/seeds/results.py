"""Records whose results are the point: eight years of them, one that was corrected, and every kind a result can be."""

from __future__ import annotations

from portal.sandbox.seeds.chart import allergy, condition, insurance, medicine, no_known_allergies
from portal.sandbox.seeds.laboratory import finding, observation, panel, report, result, single, with_range
from portal.sandbox.seeds.papers import binary, form, pdf, rhythm
from portal.sandbox.seeds.pieces import HL7, LOINC, Days, Resource, coding, concept, of, ref

HALF_YEAR = 182
# Oldest first, one row each half year: HbA1c, total cholesterol, HDL, LDL, triglycerides, creatinine, eGFR, urine albumin.
EIGHT_YEARS = (
    ("8.9", "248", "38", "168", "212", "0.98", "88", "12"),
    ("8.1", "231", "39", "152", "201", "0.97", "89", "11"),
    ("7.6", "214", "41", "138", "176", "1.00", "86", "14"),
    ("7.2", "203", "42", "127", "168", "1.01", "85", "13"),
    ("7.0", "196", "43", "120", "165", "1.03", "83", "15"),
    ("6.9", "188", "43", "113", "160", "1.02", "84", "12"),
    ("7.1", "184", "44", "109", "155", "1.05", "81", "17"),
    ("7.4", "190", "42", "115", "164", "1.08", "78", "18"),
    ("7.8", "195", "41", "120", "171", "1.10", "76", "22"),
    ("7.5", "178", "42", "104", "158", "1.12", "74", "24"),
    ("7.2", "166", "44", "92", "149", "1.15", "72", "21"),
    ("7.0", "158", "45", "85", "141", "1.18", "69", "19"),
    ("6.8", "152", "46", "79", "134", "1.20", "68", "16"),
    ("6.7", "149", "47", "76", "130", "1.26", "64", "10"),
    ("6.9", "155", "46", "82", "137", "1.31", "61", "7"),
    ("6.6", "147", "48", "74", "126", "1.38", "57", "<3"),
    ("6.5", "145", "48", "72", "124", "1.36", "58", "<3"),
)
OLD_CREATININE = with_range("creatinine", "0.70", "1.20")


def kwame_mensah(days: Days) -> list[Resource]:
    who = "kwame-mensah"
    return [
        condition(who, "diabetes", "Type 2 diabetes mellitus", "44054006", "2015", "E11.22"),
        condition(who, "hyperlipidemia", "Hyperlipidemia", "55822004", "2016", "E78.5"),
        condition(who, "kidney-disease", "Chronic kidney disease stage 3", "433144002", days.day(-300), "N18.30"),
        no_known_allergies(who, "2018-01-15"),
        medicine(
            who,
            "metformin",
            "Metformin 500 mg tablet",
            "861007",
            "2 tablets by mouth twice a day with meals",
            "2016-02-02",
            reason="diabetes",
        ),
        medicine(
            who,
            "atorvastatin",
            "Atorvastatin 20 mg tablet",
            "617310",
            "1 tablet by mouth at bedtime",
            "2018-12-01",
            reason="hyperlipidemia",
        ),
        insurance(who, "prairie-health", "Prairie Gold", "PH-337210", "2017-01-01"),
        *(made for index, row in enumerate(EIGHT_YEARS) for made in _half_year(who, days, index, row)),
    ]


def _half_year(who: str, days: Days, index: int, row: tuple[str, ...]) -> list[Resource]:
    """One visit to the laboratory. The range of creatinine changed after the first four years."""
    when = days.day(-12 - HALF_YEAR * (len(EIGHT_YEARS) - 1 - index))
    hba1c, total, hdl, ldl, triglycerides, creatinine, egfr, albumin = row
    ranged = {"test": OLD_CREATININE} if index < len(EIGHT_YEARS) // 2 else {}
    lipids = {"cholesterol": total, "hdl": hdl, "ldl": ldl, "triglycerides": triglycerides}
    kidneys = [result(who, "creatinine", creatinine, when, **ranged), result(who, "egfr", egfr, when)]
    return [
        *single(who, "diabetes", result(who, "hba1c", hba1c, when), when),
        *panel(who, "lipids", [result(who, key, value, when) for key, value in lipids.items()], when),
        *panel(who, "metabolic", kidneys, when),
        *single(who, "kidney", result(who, "urine-albumin", albumin, when), when),
    ]


def mei_chen(days: Days) -> list[Resource]:
    """The same resources twice: as first released, then as corrected, so that the first stays in their history."""
    who, when = "mei-chen", days.day(-6)
    note = {
        "time": days.at(-5, "16:20"),
        "text": "Corrected: the first sample had broken down on the way. Reported before as 6.8 mmol/L (high).",
    }
    others = [result(who, "sodium", "139", when), result(who, "creatinine", "0.76", when)]
    released = result(who, "potassium", "6.8", when)
    corrected = result(who, "potassium", "4.1", when, status="corrected", note=[note], issued=days.at(-5, "16:20"))
    first = panel(who, "metabolic", [released, *others], when)
    last = report(
        who, "metabolic", [first[-2], corrected, *others], when, status="corrected", issued=days.at(-5, "16:20")
    )
    return [
        condition(who, "hypertension", "Essential hypertension", "59621000", "2022", "I10"),
        allergy(
            who,
            "sulfonamide",
            "Sulfonamide",
            "387406002",
            "medication",
            "2010-07-07",
            ("Rash", "271807003", "mild"),
            "low",
        ),
        medicine(
            who,
            "amlodipine",
            "Amlodipine 5 mg tablet",
            "197361",
            "1 tablet by mouth every evening",
            "2022-04-04",
            reason="hypertension",
        ),
        insurance(who, "prairie-health", "Prairie Silver", "PH-610044", "2021-01-01"),
        *first,
        corrected,
        last,
    ]


def priya_raman(days: Days) -> list[Resource]:
    """Words, codes, a range in words, a value that is missing for a reason, and a report that is not final."""
    who = "priya-raman"
    when, recent = days.day(-33), days.day(-2)
    absent = {"coding": [coding(f"{HL7}/data-absent-reason", "error")], "text": "The sample had clotted"}
    culture = observation(who, "urine-culture", concept("Urine culture", coding(LOINC, "630-4")), when)
    virus = observation(who, "sars-cov-2", concept("COVID-19 virus RNA", coding(LOINC, "94500-6")), when)
    blood_group = observation(who, "blood-group", concept("Blood group", coding(LOINC, "882-1")), when)
    platelets = observation(who, "platelets", concept("Platelets", coding(LOINC, "777-3")), recent)
    hemoglobin = result(who, "hemoglobin", "10.9", recent, status="preliminary")
    wbc = result(who, "wbc", "8.4", recent, status="preliminary")
    return [
        allergy(who, "latex", "Latex", "111088007", "environment", "2019-06-06"),
        insurance(who, "blue-river", "Blue River Gold", "BR-20031", "2023-03-01"),
        culture | {"valueString": "No growth after 48 hours", "referenceRange": [{"text": "No growth"}]},
        *_culture_letter(who, when, _report_of(who, "urine-culture", "Urine culture", "630-4", culture, when)),
        virus | {"valueCodeableConcept": finding("Not detected", "260415000")},
        _report_of(who, "sars-cov-2", "COVID-19 virus RNA", "94500-6", virus, when),
        blood_group | {"valueCodeableConcept": finding("Blood group A Rh(D) positive", "278149003")},
        _report_of(who, "blood-group", "Blood group", "882-1", blood_group, when),
        *panel(
            who,
            "blood-count",
            [wbc, hemoglobin, platelets | {"dataAbsentReason": absent}],
            recent,
            status="preliminary",
        ),
        _x_ray(who, days),
        *_heart(who, days),
    ]


def _report_of(who: str, slug: str, name: str, loinc: str, made: Resource, when: str) -> Resource:
    whole = report(who, "blood-count", [made], when)
    return whole | {"id": f"{who}-{slug}-{when}", "code": concept(name, coding(LOINC, loinc))}


def _x_ray(who: str, days: Days) -> Resource:
    """A report in words, with no Observation under it."""
    return {
        "resourceType": "DiagnosticReport",
        "id": f"{who}-chest-x-ray",
        "status": "final",
        "category": [concept("Radiology", coding(f"{HL7}/v2-0074", "RAD"))],
        "code": concept("Chest X-ray, 2 views", coding(LOINC, "36643-5")),
        "subject": of(who),
        "effectiveDateTime": days.day(-120),
        "issued": days.at(-119, "15:00"),
        "performer": [ref("Organization/clinic")],
        "conclusion": "Lungs are clear. The heart is of normal size. No acute finding.",
    }


def _culture_letter(who: str, when: str, report: Resource) -> list[Resource]:
    """The laboratory's own sheet, kept apart from the report that names it."""
    lines = (
        "Capital Laboratory",
        "Urine culture",
        f"Taken {when}",
        "",
        "No growth after 48 hours.",
        "",
        "Synthetic document.",
    )
    sheet = pdf(*lines)
    held = binary(f"{who}-culture-sheet", sheet, of(who))
    papers = [form(sheet, "Laboratory sheet", f"{when}T18:00:00Z", f"Binary/{held['id']}")]
    return [held, report | {"presentedForm": papers}]


def _heart(who: str, days: Days) -> list[Resource]:
    """A time series, and a report with its document inside."""
    when = days.day(-58)
    made = observation(who, "ecg", concept("ECG, lead II"), when) | {"valueSampledData": rhythm()}
    paper = pdf(
        "Springfield Family Clinic",
        "ECG",
        f"Recorded {when}",
        "",
        "Regular rhythm, 70 a minute.",
        "",
        "Synthetic document.",
    )
    whole = report(who, "blood-count", [made], when)
    text = {"conclusion": "Regular rhythm.", "presentedForm": [form(paper, "ECG on paper", days.at(-58, "18:00"))]}
    return [made, whole | {"id": f"{who}-ecg-{when}", "code": concept("ECG", coding(LOINC, "11524-6"))} | text]
