"""$populate and $assemble as others expect them; where we differ stands in not_honoured."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from portal.questionnaire import FormRefused, assemble, context_of, load, populated
from tests.corpus.corpus import NOW, ROOT, needed, read
from tests.corpus.not_honoured import ASSEMBLE
from tests.corpus.server import Server, bare

pytestmark = needed


def beda() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((ROOT / "beda-fhir-sdc/cases.json").read_text()) if ROOT.is_dir() else []
    return found


def named(parameters: dict[str, Any], *names: str) -> dict[str, Any] | None:
    return next((p["resource"] for p in parameters.get("parameter", []) if p["name"] in names), None)


POPULATE = [case for case in beda() if case["ops"][0]["path"].endswith("$populate")]
ASSEMBLE_CASES = [case for case in beda() if case["ops"][0]["path"].endswith("$assemble")]


@pytest.mark.parametrize("case", POPULATE, ids=lambda case: case["test"])
def test_a_form_is_populated_as_its_case_expects(case: dict[str, Any]) -> None:
    (operation,) = case["ops"]
    server = Server(case["server"])
    raw = named(operation["data"], "questionnaire", "Questionnaire") or server.fetch(
        operation["path"].removesuffix("/$populate")
    )
    draft, troubles = populated(load(raw), context_of(operation["data"], NOW, fetch=server.fetch))
    if operation["expects_error"]:
        assert troubles
        return
    (expected,) = [check["expected"] for check in case["asserts"] if "expected" in check]
    expected = named(expected, "response") or expected
    assert bare(draft) == bare(expected)


@pytest.mark.parametrize("case", ASSEMBLE_CASES, ids=lambda case: case["test"])
def test_modules_become_one_form_as_their_case_expects(case: dict[str, Any]) -> None:
    (operation,) = case["ops"]
    registry = {r["id"]: r for r in case["server"] if r["resourceType"] == "Questionnaire"}
    raw = registry[operation["path"].split("/")[1]]
    made = assemble(raw, registry)
    (expected,) = [check["expected"] for check in case["asserts"] if "expected" in check]
    for form in (made, expected):
        form.pop("meta", None)
        form.pop("id", None)
        form["extension"].sort(key=str)
    assert (made == expected) is (case["test"] not in ASSEMBLE), ASSEMBLE.get(case["test"], "now differs")


def test_the_example_of_the_guide_becomes_one_form() -> None:
    """As given it repeats a prefix and so its linkIds; with the prefix of its expected output the linkIds are those,
    but for the questions that the guide takes from element definitions, which are not at hand."""
    registry = {}
    for name in ("name", "contact"):
        module = read(f"hl7-sdc/fsh/Questionnaire-sdc-modular-{name}.json")
        registry[module["url"]] = module
    root = read("hl7-sdc/fsh/Questionnaire-sdc-modular-root.json")
    with pytest.raises(FormRefused, match="more than one item"):
        load(assemble(root, registry))
    root["item"][4]["extension"][1]["valueExpression"]["expression"] = "'patientcontact.'"
    form = load(assemble(root, registry))
    expected = read("hl7-sdc/fsh/Parameters-sdc-modular-root-assembled.json")["parameter"][0]["resource"]
    assert [item.link_id for item in form.all_items] == [
        i for i in link_ids(expected) if not i.startswith("4Demographics")
    ]
    assert {variable.name for variable in form.by_link["1"].variables} == {"linkIdPrefix", "name"}
    assert form.by_link["1"].rules


def link_ids(element: dict[str, Any]) -> list[str]:
    return [i for item in element.get("item", []) for i in (item["linkId"], *link_ids(item))]


def test_the_bmi_calculator_is_populated_from_observations() -> None:
    home = "smart-forms/sdc-populate/test-data-shared/CalculatedExpressionBMICalculatorPrepop/"
    parameters = read(
        f"{home}inputParamsCalculatedExpressionBMICalculatorPrepop/inputParamsCalculatedExpressionBMICalculatorPrepop.json"
    )
    bundles = [read(f"{home}{name}/{name}.json") for name in ("bundleObsBodyHeight", "bundleObsBodyWeight")]
    server = Server([entry["resource"] for bundle in bundles for entry in bundle["entry"]])
    expected = read(f"{home}QRCalculatedExpressionBMICalculatorPrepop/QRCalculatedExpressionBMICalculatorPrepop.json")
    raw = named(parameters, "questionnaire")
    draft, troubles = populated(load(raw), context_of(parameters, NOW, fetch=server.fetch))
    assert troubles == []
    group = bare(draft)["item"][0]["item"]
    assert group[:2] == bare(expected)["item"][0]["item"]
    assert group[2]["answer"][0]["valueQuantity"]["value"] == Decimal("29.8"), (
        "calculated at once, which the other leaves to the page"
    )
