"""Files as people have them: bulk exports, other encodings, empty ones."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.authoring.forms import FORM, PATIENT, bundle, response
from tests.authoring.running import Desk, questionnaire


def test_a_bulk_export_holds_a_form_a_line(here: Desk) -> None:
    lines = here.folder / "forms.ndjson"
    lines.write_bytes(
        b"\n".join(json.dumps({**FORM, "version": version}, default=str).encode() for version in "34") + b"\n\n"
    )
    for given in (lines, here.folder):
        ran = questionnaire("check", given)
        assert (ran.code, [line["version"] for line in ran.lines]) == (0, ["3", "4"])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b"", "it is empty"),
        ("a.json", b"\xef\xbb\xbf \n", "it is empty"),
        ("a.json", json.dumps(PATIENT).encode("utf-16"), "save it as UTF-8"),
        ("a.json", b'{"a": "\xe9"}', "it is not UTF-8 text"),
        ("a.ndjson", b'{"resourceType": "Patient"}\n{', "it is not JSON"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_is_wrong_with_it(
    here: Desk, name: str, content: bytes, said: str
) -> None:
    path = here.folder / name
    path.write_bytes(content)
    ran = questionnaire("check", path)
    assert (ran.code, said in ran.lines[0]["reasons"][0]["reason"]) == (2, True)


@pytest.mark.parametrize("verb", ["extract", "validate", "score"])
def test_a_response_may_come_as_its_operation_takes_it_or_in_a_bundle(here: Desk, verb: str) -> None:
    form, given = here.put("f.json", FORM), response(name={"valueString": "Ann"})
    plainly = questionnaire(verb, form, here.put("r.json", given))
    held = [{"name": "questionnaire-response", "resource": given}, {"name": "questionnaire", "resource": FORM}]
    for beside in ([form], []):
        parts = held[: 1 if beside else 2]
        parameters = here.put("p.json", {"resourceType": "Parameters", "parameter": parts})
        together = here.put("b.json", bundle(*(part["resource"] for part in parts)))
        for file in (parameters, together):
            ran = questionnaire(verb, *beside, file)
            assert (ran.code, ran.json) == (plainly.code, plainly.json)


def test_parameters_without_a_response_are_none(here: Desk) -> None:
    held = [{"name": "questionnaire", "resource": FORM}]
    ran = questionnaire("extract", here.put("p.json", {"resourceType": "Parameters", "parameter": held}))
    assert (ran.code, "is not a QuestionnaireResponse" in ran.err) == (2, True)


@pytest.mark.parametrize("gone", ["folder", "file"])
def test_what_vanishes_while_a_folder_is_read_is_gone_and_the_rest_is_read(
    here: Desk, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    """As when somebody else makes and clears away files in it."""
    here.put("forms/a.json", FORM)
    here.put("forms/passing/b.json", FORM)
    seen = os.scandir

    def scandir(path: str) -> Any:
        if Path(path).name == "passing":
            if gone == "folder":
                raise FileNotFoundError(path)
            found = seen(path)
            (Path(path) / "b.json").unlink()
            return found
        return seen(path)

    monkeypatch.setattr(os, "scandir", scandir)
    ran = questionnaire("check", here.folder / "forms")
    assert (ran.code, len(ran.lines)) == (0, 1)
