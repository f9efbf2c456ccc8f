"""Rules for answers that cannot wait: when they hold, what they say to whom, and what a clinic may put in their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from portal import attention
from portal.errors import Misconfigured
from tests.forms.filling import ADULT, NOW, RAW, begun, said


def met(slug: str, answers: dict[str, Any], language: str = "en", folder: Path | None = None) -> list[attention.Met]:
    response = said(begun(slug, ADULT), answers).response("completed")
    return attention.rules(folder, "riverside").met(RAW[slug], response, language, NOW)


def safety(*places: int) -> dict[str, int]:
    return {f"safety-{number}": place for number, place in enumerate(places, 1)}


@pytest.mark.parametrize(
    ("slug", "answers", "keys"),
    [
        ("phq-9", {"phq-9": 0}, []),
        ("phq-9", {"phq-9": 1}, ["self-harm"]),
        ("phq-9", {"phq-9": 3}, ["self-harm"]),
        ("phq-9", {f"phq-{number}": 3 for number in range(1, 9)}, []),
        ("gad-7", {f"gad-{number}": 3 for number in range(1, 8)}, []),
        ("ahc-hrsn", safety(4, 2, 0, 0), []),
        ("ahc-hrsn", safety(4, 2, 1, 0), ["unsafe"]),
        ("health-history", {"reason": {"valueString": "My knee hurts"}}, []),
        ("health-history", {"reason": {"valueString": "Sometimes chest pain at night"}}, ["chest-pain"]),
        ("health-history", {"reason": {"valueString": "Tengo DOLOR EN EL PECHO"}}, ["chest-pain"]),
        ("health-history", {"anything-else": {"valueString": "I can't breathe well"}}, ["chest-pain"]),
        ("consent-to-treatment", {"treatment": 0}, []),
    ],
)
def test_the_rules_that_come_along(slug: str, answers: dict[str, Any], keys: list[str]) -> None:
    assert [each.key for each in met(slug, answers)] == keys


def test_the_patient_reads_what_is_safe_to_do_now_in_their_language() -> None:
    (english,), (spanish,) = met("phq-9", {"phq-9": 1}), met("phq-9", {"phq-9": 1}, "es-US")
    assert "call the emergency number of your country (112, 911 or 999) now" in english.patient
    assert "llame ahora al número de emergencias de su país" in spanish.patient
    assert english.staff == spanish.staff != ""


def test_who_may_not_be_safe_is_shown_nothing_that_somebody_else_could_read() -> None:
    (unsafe,) = met("ahc-hrsn", safety(4, 4, 4, 4))
    assert unsafe.patient == ""
    assert "alone" in unsafe.staff


def test_a_form_of_the_clinics_own_is_known_by_the_code_of_its_question() -> None:
    raw = {
        "url": "https://clinic.example/mood",
        "item": [{"linkId": "z", "type": "choice", "code": [{"code": "44260-8"}]}],
    }
    response = {
        "resourceType": "QuestionnaireResponse",
        "item": [{"linkId": "z", "answer": [{"valueCoding": {"code": "LA6569-3"}}]}],
    }
    (found,) = attention.rules(None, "riverside").met(raw, response, "en", NOW)
    assert found.key == "self-harm"


def own(folder: Path, *rules: dict[str, Any], clinic: str = "riverside", **more: Any) -> Path:
    (folder / f"{clinic}.json").write_text(json.dumps({"numbers": {"en": "988"}, "rules": list(rules), **more}))
    return folder


RULE = {"key": "k", "when": "true", "staff": "Look.", "patient": {"en": "Call %(numbers)s."}}


def test_a_clinics_own_file_stands_in_place_of_ours_and_only_for_that_clinic(tmp_path: Path) -> None:
    folder = own(tmp_path, RULE)
    assert [each.patient for each in met("gad-7", {}, folder=folder)] == ["Call 988."]
    assert attention.rules(folder, "hillside") == attention.rules(None, "hillside")


def test_a_rule_that_cannot_be_worked_out_is_for_staff_to_see(tmp_path: Path) -> None:
    endless = "(1 | 2).repeat($this + 1).exists()"
    for when in ("%nothing.exists()", "(1 | 2).single() = 1", endless):
        (found,) = met("gad-7", {}, folder=own(tmp_path, {**RULE, "when": when}))
        assert (found.staff, found.patient) == (attention.NOT_CHECKED, "")


BAD = {"numbers": {}, "rules": [{**RULE, "when": "a.b("}]}


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"rules": []}', json.dumps(BAD), '{"numbers": {}, "rules": [{"key": "x"}]}']
)
def test_a_file_that_cannot_be_used_stops_the_start(tmp_path: Path, content: str) -> None:
    attention.check(None)
    (tmp_path / "riverside.json").write_text(content)
    with pytest.raises(Misconfigured):
        attention.check(tmp_path)
    with pytest.raises(Misconfigured, match="not a folder"):
        attention.check(tmp_path / "nowhere")
