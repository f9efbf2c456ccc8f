"""Records of the adults whose charts show one thing each: the full chart, none known, nothing recorded, loose ends."""

from __future__ import annotations

from portal.sandbox.seeds.chart import (
    allergy,
    condition,
    insurance,
    medicine,
    no_known_allergies,
    taken_anyway,
    vaccine,
)
from portal.sandbox.seeds.circle import procedure, relative, team
from portal.sandbox.seeds.laboratory import blood_pressure, panel, result, single
from portal.sandbox.seeds.pieces import Days, Resource, concept, of


def ana_morales(days: Days) -> list[Resource]:
    who, recent, before = "ana-morales", days.day(-20), days.day(-200)
    return [
        condition(who, "diabetes", "Type 2 diabetes mellitus", "44054006", "2019-05", "E11.9"),
        condition(who, "hypertension", "Essential hypertension", "59621000", "2020-11-03", "I10"),
        allergy(
            who,
            "penicillin",
            "Penicillin",
            "764146007",
            "medication",
            "2009-04-02",
            ("Hives", "126485001", "moderate"),
            "high",
        ),
        medicine(
            who,
            "metformin",
            "Metformin 500 mg tablet",
            "861007",
            "1 tablet by mouth twice a day with meals",
            "2019-05-20",
            reason="diabetes",
        ),
        medicine(
            who,
            "lisinopril",
            "Lisinopril 10 mg tablet",
            "314076",
            "1 tablet by mouth every morning",
            "2020-11-03",
            reason="hypertension",
        ),
        insurance(who, "prairie-health", "Prairie Gold", "PH-448201", "2023-01-01"),
        vaccine(who, "influenza", "Influenza vaccine", "150", days.day(-40)),
        vaccine(who, "tdap", "Tdap vaccine", "115", "2021-06-14"),
        procedure(who, "appendix", "Removal of the appendix", "80146002", "2003-07"),
        relative(who, "mother", ("MTH", "Mother"), "Type 2 diabetes mellitus", "44054006", "2019-05-20"),
        team(
            who, ("ifeoma-okoro", "Dr. Ifeoma Okoro", "Family doctor"), ("sofia-lopez", "Sofía López", "Diabetes nurse")
        ),
        *single(who, "diabetes", result(who, "hba1c", "7.4", before), before),
        *single(who, "diabetes", result(who, "hba1c", "6.9", recent), recent),
        *panel(who, "lipids", _lipids(who, recent, "212", "48", "131", "165"), recent),
        *panel(who, "metabolic", _metabolic(who, recent, "128", "140", "4.2", "14", "0.80"), recent),
        blood_pressure(who, 134, 84, days.at(-20, "15:10")),
        result(who, "weight", "71.5", days.at(-20, "15:05"), category="vital-signs"),
    ]


def lucia_ortega(days: Days) -> list[Resource]:
    who, when = "lucia-ortega", days.day(-75)
    return [
        condition(who, "asthma", "Asthma", "195967001", "1998", "J45.909"),
        allergy(who, "shellfish", "Shellfish", "735029006", "food", "2015-03-10", ("Rash", "271807003", "mild"), "low"),
        medicine(
            who,
            "albuterol",
            "Albuterol 90 mcg inhaler",
            "745679",
            "2 puffs when needed, up to 4 times a day",
            "2022-02-15",
            reason="asthma",
        ),
        insurance(who, "blue-river", "Blue River Silver", "BR-77120", "2024-01-01"),
        *panel(who, "blood-count", _blood_count(who, when, "6.8", "13.1", "262"), when),
    ]


def robert_hughes(days: Days) -> list[Resource]:
    who, when = "robert-hughes", days.day(-400)
    return [
        condition(who, "osteoarthritis", "Osteoarthritis", "396275006", "2016", "M19.90"),
        no_known_allergies(who, "2021-09-01"),
        taken_anyway(
            who, "ibuprofen", "Ibuprofen 200 mg tablet", None, "1 or 2 tablets when the knee hurts", "2022-01-01"
        ),
        insurance(who, "prairie-health", "Prairie Senior", "PH-100733", "2020-07-01"),
        *panel(who, "lipids", _lipids(who, when, "188", "52", "112", "120"), when),
    ]


def oliver_lindqvist(days: Days) -> list[Resource]:
    who = "oliver-lindqvist"
    return [
        condition(who, "migraine", "Migraine", "37796009", "2017", "G43.909"),
        allergy(who, "latex", "Latex", "111088007", "environment", "2018-02-03", ("Rash", "271807003", "mild"), "low"),
        medicine(
            who,
            "sumatriptan",
            "Sumatriptan 50 mg tablet",
            None,
            "1 tablet when a migraine starts",
            "2023-03-09",
            reason="migraine",
        ),
        insurance(who, "blue-river", "Blue River Student", "BR-90417", "2022-08-15"),
    ]


def alex_nowak(days: Days) -> list[Resource]:
    who = "alex-nowak"
    return [
        condition(who, "anxiety", "Anxiety disorder", "197480006", "2018", "F41.9"),
        condition(who, "eczema", "Eczema", "43116000", "1995", "L30.9", clinical="resolved"),
        allergy(who, "penicillin", "Penicillin", "764146007", "medication", "1999-05-05", verification="refuted"),
        allergy(who, "peanut", "Peanut", "762952008", "food", days.day(-300), verification="entered-in-error"),
        medicine(
            who,
            "sertraline",
            "Sertraline 50 mg tablet",
            "312941",
            "1 tablet by mouth every morning",
            "2021-10-10",
            reason="anxiety",
        ),
        medicine(
            who,
            "hydroxyzine",
            "Hydroxyzine 25 mg tablet",
            None,
            "1 tablet at night when needed",
            "2019-02-02",
            state="stopped",
        ),
        insurance(who, "blue-river", "Blue River Bronze", "BR-31008", "2020-01-01", end=days.day(-60)),
        *single(who, "thyroid", result(who, "tsh", "2.10", days.day(-150)), days.day(-150)),
    ]


def mai_tran(days: Days) -> list[Resource]:
    who, when = "mai-tran", days.day(-8)
    name = {"use": "official", "family": "Tran", "given": ["Minh"]}
    return [
        {
            "resourceType": "RelatedPerson",
            "id": "minh-tran",
            "active": True,
            "patient": of(who),
            "relationship": [concept("Son")],
            "name": [name],
            "telecom": [{"system": "phone", "value": "+12175550115", "use": "mobile"}],
        },
        condition(who, "atrial-fibrillation", "Atrial fibrillation", "49436004", "2014-08", "I48.91"),
        condition(who, "heart-failure", "Heart failure", "84114007", "2021-02-17", "I50.9"),
        condition(who, "hypothyroidism", "Hypothyroidism", "40930008", "2005", "E03.9"),
        allergy(
            who,
            "sulfonamide",
            "Sulfonamide",
            "387406002",
            "medication",
            "1988",
            ("Swelling of the face", "278528006", "severe"),
            "high",
        ),
        allergy(
            who, "shellfish", "Shellfish", "735029006", "food", "2001", ("Anaphylaxis", "39579001", "severe"), "high"
        ),
        medicine(
            who,
            "warfarin",
            "Warfarin 5 mg tablet",
            "855332",
            "As the clinic tells you after each blood test",
            "2014-09-01",
            reason="atrial-fibrillation",
        ),
        medicine(
            who,
            "furosemide",
            "Furosemide 40 mg tablet",
            "313988",
            "1 tablet by mouth every morning",
            "2021-02-17",
            reason="heart-failure",
        ),
        medicine(
            who,
            "lisinopril",
            "Lisinopril 10 mg tablet",
            "314076",
            "1 tablet by mouth every morning",
            "2021-02-17",
            reason="heart-failure",
        ),
        medicine(
            who,
            "levothyroxine",
            "Levothyroxine 50 mcg tablet",
            None,
            "1 tablet by mouth before breakfast",
            "2005-06-01",
            reason="hypothyroidism",
        ),
        medicine(
            who, "atorvastatin", "Atorvastatin 20 mg tablet", "617310", "1 tablet by mouth at bedtime", "2012-03-30"
        ),
        procedure(who, "pacemaker", "Insertion of a pacemaker", "307280005", "2019-05-14"),
        taken_anyway(who, "ginger", "Ginger capsules", None, "1 capsule after dinner", "2024-04-01"),
        insurance(who, "prairie-health", "Prairie Senior", "PH-100118", "2011-04-01"),
        *single(who, "thyroid", result(who, "tsh", "3.95", when), when),
        result(who, "inr", "2.4", when),
        result(who, "inr", "3.4", days.day(-36)),
        blood_pressure(who, 118, 66, days.at(-1, "14:40")),
    ]


def maria_garcia_a(days: Days) -> list[Resource]:
    who, when = "maria-garcia-a", days.day(-45)
    return [
        condition(who, "anemia", "Iron deficiency anemia", "87522002", "2023-10", "D50.9"),
        allergy(
            who,
            "penicillin",
            "Penicillin",
            "764146007",
            "medication",
            "2011-01-20",
            ("Hives", "126485001", "moderate"),
            "high",
        ),
        medicine(
            who,
            "iron",
            "Ferrous sulfate 325 mg tablet",
            None,
            "1 tablet by mouth once a day",
            "2023-10-12",
            reason="anemia",
        ),
        *panel(
            who,
            "blood-count",
            [*_blood_count(who, when, "5.9", "11.2", "310"), result(who, "ferritin", "9", when)],
            when,
        ),
    ]


def maria_garcia_b(days: Days) -> list[Resource]:
    who, when = "maria-garcia-b", days.day(-52)
    return [
        no_known_allergies(who, "2022-05-16"),
        insurance(who, "prairie-health", "Prairie Silver", "PH-552019", "2022-05-01"),
        *panel(who, "blood-count", _blood_count(who, when, "7.2", "13.6", "244"), when),
    ]


def _lipids(who: str, when: str, total: str, hdl: str, ldl: str, triglycerides: str) -> list[Resource]:
    values = {"cholesterol": total, "hdl": hdl, "ldl": ldl, "triglycerides": triglycerides}
    return [result(who, key, value, when) for key, value in values.items()]


def _metabolic(
    who: str, when: str, glucose: str, sodium: str, potassium: str, urea: str, creatinine: str
) -> list[Resource]:
    values = {"glucose": glucose, "sodium": sodium, "potassium": potassium, "urea": urea, "creatinine": creatinine}
    return [result(who, key, value, when) for key, value in values.items()]


def _blood_count(who: str, when: str, wbc: str, hemoglobin: str, platelets: str) -> list[Resource]:
    values = {"wbc": wbc, "hemoglobin": hemoglobin, "platelets": platelets}
    return [result(who, key, value, when) for key, value in values.items()]
