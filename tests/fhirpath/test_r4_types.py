"""The table of R4 types is what its script writes, and knows what SDC needs."""

from __future__ import annotations

from portal.fhirpath.model import r4
from tests.fhirpath.write_r4_types import TARGET, Table


def test_the_table_is_what_the_script_writes() -> None:
    assert TARGET.read_text(encoding="utf-8") == Table().text()


def test_every_type_of_an_element_exists() -> None:
    model = r4()
    for name in list(model._lines):
        found = model.type(name)
        assert found is not None
        assert found.elements or name in {"Element", "Base"}


def test_a_choice_knows_its_types_in_both_spellings() -> None:
    answer = r4().type("QuestionnaireResponse.item.answer")
    assert answer is not None
    assert {key for key, _, _ in answer.elements["value"].choices} >= {"valueCoding", "valueDecimal", "valueQuantity"}
    assert answer.elements["valueCoding"].type is r4().type("Coding")
