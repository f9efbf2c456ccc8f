"""What other validators say of forms and responses, case by case; where we differ stands in not_honoured."""

from __future__ import annotations

from typing import Any

import pytest

from portal.questionnaire import FormRefused, load, validate
from tests.corpus.corpus import cases, context, needed, read, registry, table
from tests.corpus.not_honoured import PAIRS, VALIDATION

pytestmark = needed


def verdict(case: dict[str, str]) -> str:
    """ "valid", "invalid", or "unread" when the inputs hold no form that can be read."""
    try:
        documents = [read(path) for path in case["inputs"].split()]
    except ValueError:
        return "unread"
    forms = [d for d in documents if d["resourceType"] == "Questionnaire"]
    responses: list[dict[str, Any]] = [d for d in documents if d["resourceType"] == "QuestionnaireResponse"]
    if not forms:
        return "unread"
    try:
        form = load(forms[0], registry={**registry(), **{str(other.get("url")): other for other in forms[1:]}})
    except FormRefused:
        return "invalid"
    issues = [issue for response in responses[:1] for issue in validate(form, response, context())]
    return "invalid" if any(issue.blocks for issue in issues) else "valid"


VALIDATOR_CASES = [
    case
    for operation in ("validate-qr", "validate-questionnaire")
    for case in cases("fhir-test-cases", operation)
    if not case["verdict"].startswith("contested")
]
PAIR_CASES = [case for case in table("CASES.tsv") if case["case_id"].startswith("PAIR:")]


@pytest.mark.parametrize("case", VALIDATOR_CASES, ids=lambda case: case["case_id"])
def test_the_verdict_of_the_validators(case: dict[str, str]) -> None:
    agrees = verdict(case) == case["verdict"]
    assert agrees is (case["case_id"] not in VALIDATION), VALIDATION.get(case["case_id"], "now differs")


@pytest.mark.parametrize("case", PAIR_CASES, ids=lambda case: case["case_id"])
def test_a_response_its_author_gave_with_the_form(case: dict[str, str]) -> None:
    """Presumed valid by their authors; those with linkIds that the form does not have are not."""
    wanted = "valid" if case["verdict"] == "presumed-valid" else "invalid"
    agrees = verdict(case) == wanted
    differs = case["case_id"] in PAIRS and wanted == "valid"
    assert agrees is not differs, PAIRS.get(case["case_id"], "now differs")
