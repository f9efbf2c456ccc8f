"""Records of a child and of the parent who answers for him: two patients, tied by a RelatedPerson and a Person."""

from __future__ import annotations

from portal.sandbox.seeds.chart import allergy, condition, insurance, medicine, no_known_allergies, vaccine
from portal.sandbox.seeds.laboratory import report, result
from portal.sandbox.seeds.pieces import HL7, Days, Resource, coding, concept, of, ref


def noah_bennett(days: Days) -> list[Resource]:
    who, when = "noah-bennett", "2020-06-02"
    lead = result(who, "lead", "<1.0", when)
    return [
        {
            "resourceType": "RelatedPerson",
            "id": "grace-for-noah",
            "active": True,
            "patient": of(who),
            "relationship": [concept("Mother", coding(f"{HL7}/v3-RoleCode", "MTH", "mother"))],
            "name": [{"use": "official", "family": "Bennett", "given": ["Grace"]}],
            "telecom": [{"system": "phone", "value": "+12175550104", "use": "mobile"}],
            "gender": "female",
            "birthDate": "1988-01-25",
        },
        allergy(
            who, "peanut", "Peanut", "762952008", "food", "2020-09-15", ("Anaphylaxis", "39579001", "severe"), "high"
        ),
        condition(who, "eczema", "Eczema", "43116000", "2019-02", "L30.9"),
        medicine(
            who,
            "epinephrine",
            "Epinephrine 0.15 mg auto-injector",
            None,
            "1 injection into the thigh for a severe reaction, then call 911",
            "2020-09-15",
        ),
        insurance(who, "blue-river", "Blue River Family", "BR-55600", "2018-05-14", subscriber="grace-bennett"),
        vaccine(who, "mmr-1", "MMR vaccine", "03", "2019-06-03"),
        vaccine(who, "mmr-2", "MMR vaccine", "03", "2022-05-20"),
        vaccine(who, "dtap-5", "DTaP vaccine", "20", "2022-05-20"),
        lead,
        report(who, "blood-count", [lead], when)
        | {"code": concept("Lead in blood", coding("http://loinc.org", "5671-3"))},
        result(who, "height", "124.5", days.at(-370, "14:00"), category="vital-signs"),
        result(who, "weight", "24.1", days.at(-370, "14:00"), category="vital-signs"),
    ]


def grace_bennett(days: Days) -> list[Resource]:
    who, when = "grace-bennett", days.day(-30)
    tsh = result(who, "tsh", "6.20", when)
    return [
        {
            "resourceType": "Person",
            "id": "grace-bennett",
            "name": [{"use": "official", "family": "Bennett", "given": ["Grace"]}],
            "birthDate": "1988-01-25",
            "link": [{"target": of(who)}, {"target": ref("RelatedPerson/grace-for-noah")}],
        },
        condition(who, "hypothyroidism", "Hypothyroidism", "40930008", days.day(-28), "E03.9"),
        no_known_allergies(who, "2019-03-03"),
        medicine(
            who,
            "levothyroxine",
            "Levothyroxine 25 mcg tablet",
            None,
            "1 tablet by mouth before breakfast",
            days.day(-28),
            reason="hypothyroidism",
        ),
        insurance(who, "blue-river", "Blue River Family", "BR-55600", "2018-05-14"),
        tsh,
        report(who, "thyroid", [tsh], when),
    ]
