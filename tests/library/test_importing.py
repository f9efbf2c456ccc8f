"""Bringing forms in: what is kept byte for byte, what is refused and why, and that a version never changes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask

from portal import bundled, db
from portal.actors import Role, system
from portal.audit import service as audit
from portal.errors import Conflict, Misconfigured, NotAllowed, NotFound
from portal.library import service as library
from portal.library import shelf, stock
from tests import make
from tests.intake.make_forms import coding, form, item

pytestmark = pytest.mark.usefixtures("app")
VALUES = {
    "resourceType": "ValueSet",
    "url": "https://clinic.example/vs",
    "status": "active",
    "expansion": {"timestamp": "2026-01-01T00:00:00Z", "contains": [coding("ache")["valueCoding"]]},
}
ASKS = form(item("1", "choice", answerValueSet="https://clinic.example/vs"))


def bring(actor: Any, raw: Any, name: str = "x.json") -> library.Brought:
    content = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return library.bring_in(actor, content, origin="file", name=name)


@pytest.fixture
def staff() -> Any:
    return system(make.clinic(forms=()).id)


def test_a_form_is_kept_byte_for_byte(staff: Any) -> None:
    content = b'  {"resourceType": "Questionnaire", "url": "urn:a", "version": "1.10",\r\n "title": "A", "status": "active"}\n'
    [result] = bring(staff, content).results
    assert result.outcome == library.TAKEN
    assert library.download(staff, result.version_id) == content
    assert library.version(staff, result.version_id).sha256 == hashlib.sha256(content).hexdigest()


def test_the_same_again_changes_nothing_and_other_content_under_the_same_version_is_refused(staff: Any) -> None:
    first = bring(staff, form(item("1", "string"))).results[0]
    assert bring(staff, form(item("1", "string"))).results[0].outcome == library.KNOWN
    other = bring(staff, form(item("1", "boolean"))).results[0]
    assert (other.outcome, other.refusals[0].code) == (library.REFUSED, "version-taken")
    assert "version 1" in other.refusals[0].reason
    assert bring(staff, form(item("1", "boolean"), version="2")).results[0].form_id == first.form_id
    assert len(library.one(staff, first.form_id).versions) == 2


def test_a_form_without_an_address_gets_one_of_ours_and_keeps_it(staff: Any) -> None:
    raw = form(item("1", "string"))
    del raw["url"], raw["version"]
    [result] = bring(staff, raw).results
    assert result.url == "urn:previsit:form:a-test-form"
    made = shelf.compiled(staff.clinic_id, result.version_id, None)
    assert made.canonical == "urn:previsit:form:a-test-form"
    refused = bring(staff, {**raw, "title": "A  test form", "status": "draft"}).results[0]
    assert "no version either" in refused.refusals[0].reason


def test_a_bundle_brings_lists_and_forms_and_puts_modules_together(staff: Any) -> None:
    part = form(item("inner", "string", "From the module"), url="urn:part", title="Part")
    sub = {
        "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-subQuestionnaire",
        "valueCanonical": "urn:part|1",
    }
    whole = form(item("here", "display", extension=[sub]), url="urn:whole", title="Whole")
    resources = [ASKS, VALUES, part, whole, {"resourceType": "Patient"}]
    brought = bring(
        staff, {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}
    )
    assert (brought.lists, [each.outcome for each in brought.results]) == (1, [library.TAKEN] * 3)
    asks, _, put_together = brought.results
    assert library.version(staff, asks.version_id).lists == []
    assert "inner" in library.compiled_for_staff(staff, put_together.version_id).by_link
    alone = bring(staff, form(item("here", "display", extension=[sub]), url="urn:other")).results[0]
    assert "urn:part|1 is not at hand" in alone.refusals[0].reason


def test_a_list_that_changes_is_read_anew_by_the_forms_that_use_it(staff: Any) -> None:
    bring(staff, VALUES)
    [result] = bring(staff, ASKS).results

    def offered() -> list[str]:
        made = library.compiled(staff.clinic_id, result.version_id, library.lists_as_of(staff.clinic_id))
        return [each["code"] for each in made.value_sets.expand("https://clinic.example/vs") or []]

    assert offered() == ["ache"]
    bring(staff, {**VALUES, "expansion": {**VALUES["expansion"], "contains": [coding("itch")["valueCoding"]]}})
    assert offered() == ["itch"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "nothing in it"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "XML"),
        (b"\xff\xfe{\x00", "UTF-8"),
        (b"[1, 2]", "no resourceType"),
        (b'{"resourceType": 7}', "no resourceType"),
        (b'{"resourceType": "Patient"}', "a FHIR Patient"),
        (b'{"resourceType": "ValueSet"}', "no url"),
        (b'{"resourceType": "Bundle", "entry": {}}', "no Questionnaire"),
        (b'{"resourceType": "Questionnaire", "a": NaN}', "NaN"),
        (b'{"resourceType": "Questionnaire", "a": 1, "a": 2}', "twice"),
        (b'{"resourceType": "Questionnaire", "a": "\\u0000"}', "NUL"),
        (b'{"resourceType": "Questionnaire", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
        (b'{"resourceType": "Questionnaire", "a": 1E+200000}', "out of bounds"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_form_is_refused_in_words(staff: Any, content: bytes, says: str) -> None:
    brought = bring(staff, content)
    assert brought.refused
    assert says in brought.trouble


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"item": [item("1", "string"), item("1", "string")]}, "duplicate-link-id"),
        ({"item": [item("1", "choice", option={"code": "x"})]}, "fhir-version"),
        ({"item": [{"linkId": "1", "type": 7}]}, "no-type"),
        ({"item": [{"type": "string"}]}, "no-link-id"),
        ({"item": {"linkId": "1"}}, "shape"),
        ({"item": ["x"]}, "shape"),
        ({"item": [item(str(n), "string") for n in range(2_001)]}, "too-many-items"),
        ({"item": [item("1", "choice", answerOption=[{"valueInteger": n} for n in range(501)])]}, "too-many-options"),
        ({"description": "x" * (2 * 1024 * 1024)}, "too-big"),
        ({"url": "not an address"}, "url"),
        ({"url": ["x"]}, "shape"),
        ({"version": "1|2"}, "version"),
        ({"status": "odd"}, "status"),
        ({"modifierExtension": [{"url": "urn:odd", "valueBoolean": True}]}, "modifier-extension"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_form_that_cannot_be_used_is_refused_with_item_and_reason(
    staff: Any, change: dict[str, Any], code: str
) -> None:
    [result] = bring(staff, {**form(item("1", "string")), **change}).results
    assert (result.outcome, result.version_id) == (library.REFUSED, "")
    assert code in {each.code for each in result.refusals}
    assert all(each.reason for each in result.refusals)
    assert library.every(staff) == []


def test_a_clinic_has_the_forms_that_come_along_ready_and_a_folder_of_its_own(tmp_path: Path) -> None:
    clinic = make.clinic(forms=())
    folder = tmp_path / "forms"
    folder.mkdir()
    for name, raw in {"asks": ASKS, "values": VALUES, "twice": form(item("1", "string"), item("1", "string"))}.items():
        (folder / f"{name}.json").write_text(json.dumps(raw))
    (folder / "broken.json").write_text("{")
    stock.everywhere(folder)
    kept = {each.form.slug: each for each in library.every(system(clinic.id))}
    assert set(kept) == {*(file.stem for file in bundled.files()), "asks"}
    assert not any(each.active for each in kept.values())
    assert kept["asks"].newest.lists == []
    stock.everywhere(folder)
    assert all(len(each.versions) == 1 for each in library.every(system(clinic.id)))
    with pytest.raises(Misconfigured, match="not a folder"):
        stock.everywhere(tmp_path / "nowhere")


def test_decisions_are_appended_and_two_people_do_not_overrule_each_other_unseen(staff: Any) -> None:
    [result] = bring(staff, form(item("1", "string"))).results
    library.activate(staff, result.version_id, library.Rule(), carry=False, seen=0)
    with pytest.raises(Conflict):
        library.activate(staff, result.version_id, library.Rule(required=False), carry=False, seen=0)
    library.deactivate(staff, result.form_id, seen=1)
    with pytest.raises(Conflict):
        library.deactivate(staff, result.form_id)
    assert [step.state for step in library.steps(staff, result.form_id)] == ["active", "inactive"]
    assert library.asked(staff.clinic_id) == []
    assert audit.verify(staff.clinic_id) is None


def test_only_administrators_change_forms_and_nobody_sees_another_clinics() -> None:
    near, far = make.clinic(), make.clinic("hillside", "Hillside")
    clinician = make.staff_actor(make.staff(near, Role.CLINICIAN, email="c@example.org"))
    desk = make.staff_actor(make.staff(near, Role.FRONT_DESK, email="d@example.org"))
    theirs = library.every(system(far.id))[0]
    assert library.every(clinician)
    for call in (
        lambda: bring(clinician, form(item("1", "string"))),
        lambda: library.every(desk),
        lambda: library.activate(clinician, theirs.newest.id, library.Rule(), carry=False),
    ):
        with pytest.raises(NotAllowed):
            call()
    for call in (
        lambda: library.one(clinician, theirs.form.id),
        lambda: library.download(clinician, theirs.newest.id),
        lambda: library.activate(system(near.id), theirs.newest.id, library.Rule(), carry=False),
    ):
        with pytest.raises(NotFound):
            call()


def test_two_starts_at_once_bring_each_form_in_once(app: Flask) -> None:
    """The pages and the worker both look through the forms when they start."""
    clinic_id = make.clinic(forms=()).id
    db.close()
    gate, wrong = Barrier(4), []

    def start() -> None:
        gate.wait(20)
        try:
            library.supply(system(clinic_id))
        except Exception as fault:
            wrong.append(repr(fault))
        finally:
            db.close()

    threads = [Thread(target=start, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    kept = library.every(system(clinic_id))
    assert [len(each.versions) for each in kept] == [1] * len(bundled.files())


IN_XML = b"""<?xml version="1.0"?>
<Questionnaire xmlns="http://hl7.org/fhir"><url value="urn:x"/><version value="1"/><title value="In XML"/><status value="active"/>
<item><linkId value="1"/><text value="How much?"/><type value="decimal"/><initial><valueDecimal value="1.10"/></initial></item>
</Questionnaire>"""


def test_a_form_in_xml_is_the_same_form_as_in_json(staff: Any) -> None:
    [result] = bring(staff, IN_XML).results
    assert (result.outcome, bring(staff, IN_XML).results[0].outcome) == (library.TAKEN, library.KNOWN)
    kept = library.download(staff, result.version_id)
    assert b'"valueDecimal":1.10' in kept
    assert bring(staff, kept).results[0].outcome == library.KNOWN
    inside = IN_XML.split(b"?>", 1)[1].replace(b'"urn:x"', b'"urn:y"')
    bundle = b'<Bundle xmlns="http://hl7.org/fhir"><entry><resource>%s</resource></entry></Bundle>' % inside
    assert [each.url for each in bring(staff, bundle).results] == ["urn:y"]


@pytest.mark.parametrize(
    "again",
    [
        lambda raw: json.dumps(raw, indent=3).encode(),
        lambda raw: json.dumps(dict(reversed(raw.items()))).encode(),
        lambda raw: json.dumps({"resourceType": "Bundle", "entry": [{"resource": raw}]}).encode(),
    ],
    ids=["other spaces", "another order", "in a Bundle"],
)
def test_the_same_form_written_otherwise_is_the_same(staff: Any, again: Any) -> None:
    raw = form(item("1", "string", "Where?"))
    bring(staff, raw)
    assert bring(staff, again(raw)).results[0].outcome == library.KNOWN


SAID = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-assemble-expectation"


@pytest.mark.parametrize(("said", "results"), [("assemble-child", 1), ("independent-child", 1), ("assemble-root", 2)])
def test_what_is_only_a_part_of_a_form_that_came_with_it_is_no_form_by_itself(
    staff: Any, said: str, results: int
) -> None:
    part = form(item("in", "string", "Pets?"), url="urn:part", extension=[{"url": SAID, "valueCode": said}])
    sub = {
        "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-subQuestionnaire",
        "valueCanonical": "urn:part|1",
    }
    whole = form(item("here", "display", extension=[sub]), url="urn:whole")
    bundle = {"resourceType": "Bundle", "entry": [{"resource": each} for each in (whole, part)]}
    assert len(bring(staff, bundle).results) == results
    assert bring(staff, part).results[0].outcome != library.REFUSED, "alone it is a form all the same"


def test_a_refusal_comes_with_the_words_of_its_question(staff: Any) -> None:
    [result] = bring(staff, form(item("g", "group", "Part", item=[item("odd", "blob", "  How\n many? ")]))).results
    assert result.words == {"odd": "How many?"}


@pytest.mark.parametrize(
    ("came", "newest_first"),
    [
        (["1.0", "2.0", "0.9"], ["2.0", "1.0", "0.9"]),
        (["1.9", "1.10", "1.10-draft"], ["1.10", "1.10-draft", "1.9"]),
        (["v2", "v1"], ["v2", "v1"]),
        (["spring", "autumn"], ["autumn", "spring"]),
        (["2", "final"], ["final", "2"]),
    ],
)
def test_versions_stand_in_their_own_order_where_they_have_one(
    staff: Any, came: list[str], newest_first: list[str]
) -> None:
    for version in came:
        [result] = bring(staff, form(item("1", "string"), version=version, title=f"Form {version}")).results
    kept = library.one(staff, result.form_id)
    assert [each.version for each in kept.versions] == newest_first
    assert kept.title == f"Form {newest_first[0]}"
    assert [kept.before(each) for each in kept.versions] == [*kept.versions[1:], None]
    assert [each.version for each in library.every(staff)[0].versions] == newest_first
