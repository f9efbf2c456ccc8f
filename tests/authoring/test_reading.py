"""What a command makes of files: one sentence and one piece of JSON for what it cannot read, XML as JSON."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.authoring.forms import parameters
from tests.authoring.running import Desk, portal, questionnaire


@pytest.mark.parametrize(
    "words",
    [
        ["questionnaire"],
        ["questionnaire", "paint", "x.json"],
        ["questionnaire", "check"],
        ["questionnaire", "check", "no-such-file.json"],
        ["questionnaire", "check", "a\0b"],
        ["questionnaire", "validate", "one-thing.json"],
        ["questionnaire", "extract", "a.json", "b.json", "--colour", "red"],
        ["fhirpath", "1 + 1"],
        ["fhirpath", "1 + 1", "no-such-file.json", "--now", "soon"],
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_one_piece_of_json(words: list[str]) -> None:
    ran = portal(*words)
    assert (ran.code, len(ran.lines)) == (2, 1)
    assert ran.err.strip() in (ran.json.get("issue") or [{"details": ran.json["reasons"][0]}])[0]["details"].values()
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.err


NO_RESOURCES = [
    "",
    "[1, 2]",
    '{"a": NaN}',
    '{"a": 1, "a": 2}',
    "\ufeff",
    '"text"',
    "[" * 100_000,
    "null",
    '{"a": "\\ud800"}',
    "\x00",
    '{"a": 1e400}',
]


@pytest.mark.parametrize("text", NO_RESOURCES, ids=range(len(NO_RESOURCES)))
def test_a_file_that_is_no_resource_is_told_apart_from_one_that_is_wrong(here: Desk, form: Path, text: str) -> None:
    file = here.put("broken.json", text)
    for words in (["validate", form, file], ["populate", form, file], ["extract", form, file], ["check", file]):
        ran = questionnaire(*words)
        assert (ran.code, len(ran.lines)) == (2, 1)
        assert "broken.json" in ran.err
        assert "broken.json" in ran.out


XML = """<?xml version="1.0"?><!-- a form -->
<Questionnaire xmlns="http://hl7.org/fhir">
  <id value="x"/><text><status value="empty"/><div xmlns="http://www.w3.org/1999/xhtml">A <b>form</b></div></text>
  <contained><ValueSet><id value="v"/><compose><include><system value="urn:c"/><concept><code value="red"/></concept>
  </include></compose></ValueSet></contained>
  <url value="https://example.org/x"/><status value="active"/>
  <item><linkId value="a"/>
    <text value="Weight"><extension url="http://hl7.org/fhir/StructureDefinition/translation">
      <extension url="lang"><valueCode value="es"/></extension>
      <extension url="content"><valueString value="Peso"/></extension></extension></text>
    <type value="decimal"/><required value="true"/><initial><valueDecimal value="1.10"/></initial></item>
  <item><linkId value="b"/><type value="choice"/><answerValueSet value="#v"/></item>
</Questionnaire>"""


def test_a_form_in_xml_is_read_as_the_same_form_in_json(here: Desk) -> None:
    form = here.put("form.xml", XML)
    ran = questionnaire("check", form)
    assert (ran.code, ran.lines[0]["status"], ran.lines[0]["items"], ran.lines[0]["languages"]) == (0, "ok", 2, ["es"])
    assert ran.lines[0]["not_honoured"] == []
    (draft,) = questionnaire("populate", form, here.put("p.json", parameters())).lines
    assert draft["item"][0]["answer"] == [{"valueDecimal": Decimal("1.10")}]
    assert "1.10" in questionnaire("assemble", form).out
    here.put("cda.xml", '<ClinicalDocument xmlns="urn:hl7-org:v3"/>')
    assert [line["status"] for line in questionnaire("check", here.folder).lines] == ["ok"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<Questionnaire xmlns='http://hl7.org/fhir'><item>", "well-formed"),
        ("<Questionnaire xmlns='http://hl7.org/fhir'><itme/></Questionnaire>", "itme"),
        ("<Banana xmlns='http://hl7.org/fhir'/>", "Banana"),
        ("<html/>", "not FHIR"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><Questionnaire xmlns='http://hl7.org/fhir'/>", "document type"),
        ("<a>" * 5000, "deep"),
        (
            "<Observation xmlns='http://hl7.org/fhir'><valueInteger value='" + "9" * 40 + "'/></Observation>",
            "out of bounds",
        ),
    ],
    ids=range(7),
)
def test_xml_that_is_no_form_is_said_plainly(here: Desk, text: str, reason: str) -> None:
    ran = questionnaire("check", here.put("form.xml", text))
    assert ran.code == 2
    assert reason in ran.lines[0]["reasons"][0]["reason"]
