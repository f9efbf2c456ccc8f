"""Several versions of one thing, files one after another, and text that is not UTF-8."""

from __future__ import annotations

from typing import Any

import pytest

from tests.authoring.running import Desk, portal, questionnaire
from tests.questionnaire.make import q, raw_form

URL = "https://example.org/form"
TYPES = {"2.9": "string", "2.10": "integer", "2.10-draft": "boolean", "": "date"}


def version(number: str, kind: str) -> dict[str, Any]:
    made = raw_form(q("a", kind), version=number)
    return made if number else {key: value for key, value in made.items() if key != "version"}


def response(canonical: str, **value: Any) -> dict[str, Any]:
    item = [{"linkId": "a", "answer": [value]}]
    return {"resourceType": "QuestionnaireResponse", "questionnaire": canonical, "status": "completed", "item": item}


@pytest.mark.parametrize("order", [list(TYPES), list(reversed(TYPES))], ids=["oldest first", "oldest last"])
def test_without_a_version_the_newest_form_is_meant(here: Desk, order: list[str]) -> None:
    forms = [here.put(f"{at}.json", version(number, TYPES[number])) for at, number in enumerate(order)]
    asked = {
        URL: {"valueInteger": 1},
        f"{URL}|2.9": {"valueString": "x"},
        f"{URL}|2.10": {"valueInteger": 1},
        f"{URL}|2.10-draft": {"valueBoolean": True},
    }
    for canonical, value in asked.items():
        ran = questionnaire("validate", *forms, here.put("answers.json", response(canonical, **value)))
        assert ran.code == 0, (canonical, ran.out)


@pytest.mark.parametrize("newest_last", [True, False])
def test_without_a_version_the_newest_value_set_is_meant(here: Desk, newest_last: bool) -> None:
    def listed(number: str, code: str) -> dict[str, Any]:
        concepts = [{"system": "urn:s", "concept": [{"code": code}]}]
        return {
            "resourceType": "ValueSet",
            "url": "urn:v",
            "version": number,
            "status": "active",
            "compose": {"include": concepts},
        }

    form = here.put("form.json", raw_form(q("a", "choice", answerValueSet="urn:v")))
    sets = [here.put("old.json", listed("9", "old")), here.put("new.json", listed("10", "new"))]
    for code, ends in (("new", 0), ("old", 1)):
        answers = here.put("answers.json", response(f"{URL}|1", valueCoding={"system": "urn:s", "code": code}))
        assert questionnaire("validate", form, *(sets if newest_last else sets[::-1]), answers).code == ends


def test_lines_come_in_the_order_of_the_files(here: Desk) -> None:
    files = [
        here.put("b.json", "{"),
        here.put("a.json", raw_form(q("a"))),
        here.put("c.json", "[]"),
        here.put("d.json", raw_form(q("a"))),
    ]
    ran = questionnaire("check", *files)
    assert [(line["file"], line["status"]) for line in ran.lines] == [
        (str(file), status) for file, status in zip(files, ("refused", "ok", "refused", "ok"), strict=True)
    ]
    assert ran.code == 2
    assert [line["file"] for line in questionnaire("check", here.folder).lines] == sorted(
        map(str, [files[0], files[1], files[3]])
    )


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("utf-32-be", "UTF-32"),
    ],
)
def test_text_of_another_width_is_called_what_it_is(here: Desk, encoding: str, said: str) -> None:
    file = here.put("form.json", "")
    file.write_bytes('{"resourceType": "Questionnaire"}'.encode(encoding))
    ran = questionnaire("check", file)
    assert (ran.code, said in ran.lines[0]["reasons"][0]["reason"]) == (2, True)


@pytest.mark.parametrize("value", ["nowhere.json", "no where/at all.xml", "list.ndjson"])
def test_a_file_for_a_variable_that_is_not_there_is_no_text(here: Desk, value: str) -> None:
    ran = portal("fhirpath", "%x", here.put("form.json", raw_form(q("a"))), "--env", f"x={value}")
    assert (ran.code, f"{value} cannot be read" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("value", "found"),
    [("a text", "a text"), ('"a.json"', "a.json"), ("5", 5), ("https://example.org/x", "https://example.org/x")],
)
def test_any_other_value_of_a_variable_is_itself(here: Desk, value: str, found: object) -> None:
    ran = portal("fhirpath", "%x", here.put("form.json", raw_form(q("a"))), "--env", f"x={value}")
    assert (ran.code, ran.json) == (0, [found])
