"""Spoiled forms, responses and Parameters through everything a form is used for: none raises, each is taken or refused with
item and reason. A short run; `python -m tests.questionnaire.mutating` is the long one."""

from __future__ import annotations

from typing import Any

import pytest

from portal.questionnaire import assemble, extract, load, populated, validate
from portal.questionnaire.parameters import context_of
from tests.questionnaire.make import NOW, values
from tests.questionnaire.mutating import bases, one
from tests.questionnaire.rich import FORM, MODULE, PARAMETERS, RESPONSE

RUNS, PARTS = 96, 4


def test_the_form_they_are_made_of_is_sound_before_it_is_spoiled() -> None:
    about = context_of(PARAMETERS, NOW)
    draft, troubles = populated(load(FORM), about)
    assert values(draft).keys() >= {"age", "born", "who", "number", "weight", "smokes", "colour"}
    assert troubles == []
    assert validate(load(FORM), RESPONSE, about) == []
    assert len(extract(load(FORM), RESPONSE, about).bundle["entry"]) == 5
    assert load(assemble(FORM, {"urn:other": MODULE})).by_link.keys() >= {"m1", "m2", "age"}


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_spoiled_raises(part: int) -> None:
    known: list[Any] = [*bases()]
    told = {one(seed, known) for seed in range(part, RUNS, PARTS)}
    assert told == {"ok", "refused"}
