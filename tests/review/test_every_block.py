"""Every block, every answer, all the way: said by the patient, accepted at the desk, in the clinic's record; then said otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from portal.fhir.resources import at
from portal.intake.block_page import FactLine
from portal.intake.sections import SECTIONS
from tests.review.blocks import HERE
from tests.review.builders import Json
from tests.review.conftest import World
from tests.review.every_block import (
    RECORD,
    Speaks,
    clinic,
    delivered,
    goes_through,
    opened_again,
    record,
    reviewed,
    who_said,
)

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
Where = tuple[Any, ...]
AT_FIRST = {f"{each['resourceType']}/{each['id']}": each for each in RECORD}


def same(_key: str, _line: FactLine) -> tuple[str, dict[str, str]]:
    return "same", {}


def told(held: Json, *where: Any) -> Any:
    """What stands at a path; -1 for the last of a list."""
    for step in where:
        held = held[step] if isinstance(step, int) and isinstance(held, list) and held else at(held, step)
    return held


def content(resource: Json) -> Json:
    return {name: held for name, held in resource.items() if name != "meta"}


def changed(before: dict[str, Json], after: dict[str, Json]) -> set[str]:
    return {key for key in after if key not in before or content(after[key]) != content(before[key])}


def round_of(world: World, speaks: Speaks, added: dict[str, dict[str, str]] | None = None) -> dict[str, Json]:
    goes_through(world, speaks, added)
    reviewed(world)
    delivered(world)
    return record(world)


def check_who(world: World, reference: str, codes: list[str]) -> None:
    """One Provenance a round, each with the patient as the author, the clinician as the verifier."""
    found = sorted(who_said(world, reference), key=lambda each: str(each["meta"]["lastUpdated"]))
    assert [told(each, "activity", "coding", 0, "code") for each in found] == codes, reference
    for each in found:
        who = {told(agent, "type", "coding", 0, "code"): agent["who"] for agent in each["agent"]}
        assert who["author"]["reference"] == "Patient/7" and who["verifier"]["display"] == "Dr Lee"


def test_what_is_still_right_or_not_sure_changes_nothing(world: World, tmp_path: Path) -> None:
    more = {"medication": {"what": "Magnesium"}}
    with clinic(world, tmp_path):
        before = record(world)
        first = round_of(world, same, more)
        (new,) = changed(before, first)
        assert new.startswith("MedicationStatement/"), "only what was added"
        opened_again(world)
        goes_through(world, lambda key, line: ("unsure", {}), more)
        reviewed(world)
        assert record(world) == first


# -- changed -----------------------------------------------------------------------------------------------------------

NOTE = ("note", -1, "text")
DIFFERENT = "Patient says something is different: "
SAID: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "contact": ({"text": "555 0199"}, {"text": "555 0200"}),
    "person": (
        {"name": "Minh Tran", "relation": "Son", "phone": "555 0777"},
        {"name": "Minh Tran", "relation": "Son", "phone": "555 0666"},
    ),
    "medication": ({"text": "two at night"}, {"text": "three at night"}),
    "pharmacy": ({"text": "Elm Pharmacy"}, {"text": "Oak Pharmacy"}),
    "allergy": ({"text": "only a rash"}, {"text": "nothing since 2010"}),
    "condition": ({"text": "much better"}, {"text": "worse again"}),
    "procedure": ({"text": "It was 2004"}, {"text": "It was 2005"}),
    "immunization": ({"text": "in 2022"}, {"text": "in 2020"}),
    "family": ({"text": "my aunt"}, {"text": "my mother’s sister"}),
    "coverage": (
        {"insurer": "Prairie Health", "plan": "Silver", "member": "PH-2"},
        {"insurer": "Prairie Health", "plan": "Silver", "member": "PH-3"},
    ),
    "careteam": ({"text": "retired"}, {"text": "moved away"}),
}
"""What is typed first, and when the answers are opened again."""
CHANGED: dict[str, tuple[str, Where, str, str]] = {
    "contact": ("Patient/7", ("telecom", 0, "value"), "555 0199", "555 0200"),
    "person": ("RelatedPerson/r1", ("telecom", 0, "value"), "555 0777", "555 0666"),
    "medication": ("MedicationStatement/s1", ("dosage", 0, "text"), "two at night", "three at night"),
    "pharmacy": (
        "Patient/7",
        ("extension", 0, "extension", 0, "valueReference", "display"),
        "Elm Pharmacy",
        "Oak Pharmacy",
    ),
    "allergy": ("AllergyIntolerance/a1", NOTE, f"{DIFFERENT}only a rash", f"{DIFFERENT}nothing since 2010"),
    "condition": ("Condition/c1", NOTE, f"{DIFFERENT}much better", f"{DIFFERENT}worse again"),
    "procedure": ("Procedure/o1", NOTE, f"{DIFFERENT}It was 2004", f"{DIFFERENT}It was 2005"),
    "immunization": ("Immunization/i1", NOTE, f"{DIFFERENT}in 2022", f"{DIFFERENT}in 2020"),
    "family": ("FamilyMemberHistory/f1", NOTE, f"{DIFFERENT}my aunt", f"{DIFFERENT}my mother’s sister"),
    "coverage": ("Coverage/k1", ("subscriberId",), "PH-2", "PH-3"),
    "careteam": (
        "CareTeam/t1",
        NOTE,
        "Patient says about Dr Okoro: retired",
        "Patient says about Dr Okoro: moved away",
    ),
}
ONE_OF_TWO = {"contact": "telecom", "person": "RelatedPerson", "careteam": "CareTeam"}
"""Blocks with several facts, of which the patient speaks of the one in this resource or part."""


def corrects(place: int) -> Speaks:
    """Corrects one fact of each block (of the medicines both), as it is typed in this round."""

    def speaks(key: str, line: FactLine) -> tuple[str, dict[str, str]]:
        of, part = line.fact["key"], ONE_OF_TWO.get(key, "")
        mine = part in of and (key != "contact" or line.label == "Mobile phone")
        return ("changed", SAID[key][place]) if mine and "new" not in of else ("same", {})

    return speaks


def test_what_changed_is_corrected_where_it_stands_and_once_more_there(world: World, tmp_path: Path) -> None:
    assert CHANGED.keys() == SAID.keys() == SECTIONS.keys()
    with clinic(world, tmp_path):
        before = record(world)
        first = round_of(world, corrects(0))
        for key, (reference, where, text, _) in CHANGED.items():
            assert told(first[reference], *where) == text, key
        (statement,) = first.keys() - before.keys()
        assert told(first[statement], "dosage", 0, "text") == "two at night"
        assert told(first[statement], "basedOn", 0, "reference") == "MedicationRequest/m1"
        assert content(first["MedicationRequest/m1"]) == content(before["MedicationRequest/m1"])
        assert first["AllergyIntolerance/a1"]["note"][0] == {"text": "seen in 2010"}, "what stood there stays"
        assert told(first["Patient/7"], "contact", 0) == HERE["contact"][0]
        opened_again(world)
        second = round_of(world, corrects(1))
        assert second.keys() == first.keys(), "nothing is there twice"
        for key, (reference, where, _, text) in CHANGED.items():
            assert told(second[reference], *where) == text, key
        assert told(second[statement], "dosage", 0, "text") == "three at night"
        for reference in {each[0] for each in CHANGED.values()}:
            check_who(world, reference, ["UPDATE", "UPDATE"])
        check_who(world, statement, ["CREATE", "UPDATE"])


# -- no longer ---------------------------------------------------------------------------------------------------------

OVER: dict[str, tuple[str, Callable[[Json], Any], Any]] = {
    "contact": ("Patient/7", lambda held: bool(told(held, "telecom", 0, "period", "end")), True),
    "person": ("RelatedPerson/r1", lambda held: (held["active"], bool(told(held, "period", "end"))), (False, True)),
    "medication": ("MedicationStatement/s1", lambda held: held["status"], "stopped"),
    "allergy": ("AllergyIntolerance/a1", lambda held: told(held, "clinicalStatus", "coding", 0, "code"), "inactive"),
    "condition": ("Condition/c1", lambda held: told(held, "clinicalStatus", "coding", 0, "code"), "inactive"),
    "procedure": ("Procedure/o1", lambda held: held["status"], "entered-in-error"),
    "immunization": ("Immunization/i1", lambda held: held["status"], "entered-in-error"),
    "family": ("FamilyMemberHistory/f1", lambda held: held["status"], "entered-in-error"),
    "coverage": ("Coverage/k1", lambda held: (held["status"], told(held, "period", "end")), ("cancelled", "2025-03")),
    "careteam": ("CareTeam/t1", lambda held: told(held, "participant", 0, "period", "end"), "2025-03"),
}
"""By block, what shows that it is over; a pharmacy is entered by hand."""


def test_what_is_no_longer_so_is_ended_and_stays_readable(world: World, tmp_path: Path) -> None:
    assert OVER.keys() | {"pharmacy"} == SECTIONS.keys()
    with clinic(world, tmp_path):
        before = record(world)
        after = round_of(world, lambda key, line: ("stopped", {"when": "2025-03", "why": "Told so"}))
        for key, (reference, found, wanted) in OVER.items():
            assert found(after[reference]) == wanted, (key, after[reference])
            check_who(world, reference, ["UPDATE"])
        (statement,) = after.keys() - before.keys()
        assert after[statement]["status"] in ("stopped", "not-taken")
        assert content(after["MedicationRequest/m1"]) == content(before["MedicationRequest/m1"])
        assert after["Patient/7"]["extension"] == before["Patient/7"]["extension"]


# -- added -------------------------------------------------------------------------------------------------------------

ADDED: dict[str, tuple[dict[str, str], str, str]] = {
    "contact": ({"what": "555 0888"}, "what", "555 0889"),
    "person": ({"what": "Ben Lane", "relation": "Brother", "phone": "555 0222"}, "phone", "555 0223"),
    "pharmacy": ({"what": "Oak Pharmacy"}, "", ""),
    "careteam": ({"what": "Dr Novak", "more": "Heart doctor"}, "more", "Lung doctor"),
    "medication": ({"what": "Magnesium", "more": "one at night"}, "more", "two at night"),
    "allergy": ({"what": "Latex", "more": "rash"}, "more", "swelling"),
    "condition": ({"what": "Gout", "more": "2019"}, "more", "for years"),
    "procedure": ({"what": "Hernia repair", "more": "2018"}, "more", "as a child"),
    "immunization": ({"what": "Flu", "more": "2024"}, "more", "2023-10"),
    "family": ({"what": "Brother", "more": "Asthma"}, "more", "Eczema"),
    "coverage": ({"what": "Acme", "plan": "Basic", "member": "A-1"}, "member", "A-2"),
}
"""What is added, and the field with what is typed there when the answers are opened again."""
STANDS: dict[str, tuple[str, Where, str, Where, str]] = {
    "medication": ("MedicationStatement", ("dosage", 0, "text"), "one at night", ("dosage", 0, "text"), "two at night"),
    "allergy": (
        "AllergyIntolerance",
        ("reaction", 0, "manifestation", 0, "text"),
        "rash",
        ("reaction", 0, "manifestation", 0, "text"),
        "swelling",
    ),
    "condition": ("Condition", ("onsetDateTime",), "2019", ("onsetString",), "for years"),
    "procedure": ("Procedure", ("performedDateTime",), "2018", ("performedString",), "as a child"),
    "immunization": ("Immunization", ("occurrenceDateTime",), "2024", ("occurrenceDateTime",), "2023-10"),
    "family": (
        "FamilyMemberHistory",
        ("condition", 0, "code", "text"),
        "Asthma",
        ("condition", 0, "code", "text"),
        "Eczema",
    ),
    "coverage": ("Coverage", ("subscriberId",), "A-1", ("subscriberId",), "A-2"),
}
PARTS: dict[str, tuple[str, str, Where, str, str]] = {
    "contact": ("Patient/7", "telecom", ("value",), "555 0888", "555 0889"),
    "person": ("Patient/7", "contact", ("telecom", 0, "value"), "555 0222", "555 0223"),
    "pharmacy": (
        "Patient/7",
        "extension",
        ("extension", 0, "valueReference", "display"),
        "Oak Pharmacy",
        "Oak Pharmacy",
    ),
    "careteam": ("CareTeam/t1", "participant", ("role", 0, "text"), "Heart doctor", "Lung doctor"),
}
"""Of what is added to a list of another resource: the last of the list. A pharmacy of the record is asked about beside it."""


def test_what_is_added_is_there_once_and_corrected_there(world: World, tmp_path: Path) -> None:
    assert ADDED.keys() == SECTIONS.keys() == STANDS.keys() | PARTS.keys()
    with clinic(world, tmp_path):
        before = record(world)
        first = round_of(world, same, {key: row for key, (row, _, _) in ADDED.items()})
        made = {reference.partition("/")[0]: reference for reference in first.keys() - before.keys()}
        assert made.keys() == {each[0] for each in STANDS.values()}
        for key, (kind, where, text, _, _) in STANDS.items():
            assert told(first[made[kind]], *where) == text, key
            check_who(world, made[kind], ["CREATE"])
        for key, (reference, part, where, text, _) in PARTS.items():
            assert told(first[reference], part, -1, *where) == text, key
        assert told(first[made["AllergyIntolerance"]], "verificationStatus", "coding", 0, "code") == "unconfirmed"
        assert first[made["Coverage"]]["status"] == "draft"
        opened_again(world)
        again = {key: {**row, **({field: text} if field else {})} for key, (row, field, text) in ADDED.items()}
        second = round_of(world, same, again)
        assert second.keys() == first.keys(), "nothing is there twice"
        for key, (kind, _, _, where, text) in STANDS.items():
            assert told(second[made[kind]], *where) == text, key
            check_who(world, made[kind], ["CREATE", "UPDATE"])
        for key, (reference, part, where, _, text) in PARTS.items():
            assert told(second[reference], part, -1, *where) == text, key
            assert len(second[reference][part]) == len(first[reference][part]), key
        assert "onsetDateTime" not in second[made["Condition"]], "the day that was said before is gone"
        opened_again(world)
        goes_through(world, same, again)
        reviewed(world)
        assert record(world) == second, "said the same again, nothing is sent"
