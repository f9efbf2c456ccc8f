"""What of a form is not translated, told to its author."""

from __future__ import annotations

from typing import Any

import pytest

from portal.library.translating import untranslated
from portal.questionnaire import load
from tests.intake.make_forms import coding, form, item


def said(**translations: str) -> dict[str, Any]:
    return {
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/translation",
                "extension": [{"url": "lang", "valueCode": tag}, {"url": "content", "valueString": text}],
            }
            for tag, text in translations.items()
        ]
    }


ALL = {"title": "Sleep", "_title": said(es="Sueño"), "language": "en"}
HOURS = item("1", "integer", "How many hours?", _text=said(es="¿Cuántas horas?"))
SNORE = item("2", "string", "Do you snore?")
HIDDEN = {"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-hidden", "valueBoolean": True}


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (form(HOURS, **ALL), []),
        (form(SNORE, language="en"), []),
        (form(HOURS, SNORE, **ALL), [("es", ("Do you snore?",), 3)]),
        (form(HOURS, SNORE, SNORE | {"linkId": "3"}, **ALL), [("es", ("Do you snore?",), 3)]),
        (form(HOURS, item("2", "string", "3 – 4"), item("3", "display", "12:30"), **ALL), []),
        (form(HOURS, SNORE | {"extension": [HIDDEN]}, **ALL), []),
        (form(HOURS, item("2", "choice", "?", answerOption=[coding("y", "Yes")]), **ALL), [("es", ("Yes",), 3)]),
        (form(HOURS | {"_text": said(**{"es-MX": "¿Horas?"})}, **ALL), []),
        (form(HOURS, SNORE | {"_text": said(fr="Ronflez-vous ?")}, **ALL), [
            ("es", ("Do you snore?",), 3), ("fr", ("Sleep", "How many hours?"), 3)]),
    ],
)  # fmt: skip
def test_texts_without_a_translation_are_named_once_for_each_language(raw: dict[str, Any], told: list[Any]) -> None:
    assert [(each.language, each.texts, each.of) for each in untranslated(load(raw))] == told
