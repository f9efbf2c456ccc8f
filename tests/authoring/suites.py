"""The public cases with an expected outcome, each put to the commands: a difference in words, or "" where it holds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import simplejson

from tests.authoring.running import Ran, desk, portal, questionnaire
from tests.corpus.corpus import NOW, ROOT, cases, read, registry, table
from tests.corpus.server import bare
from tests.corpus.test_extract import plain
from tests.fhirpath import suites as fhirpath_suites
from tests.fhirpath.test_public_suites import same

CLOCK = ("--now", NOW.isoformat())
FHIRPATH_STEP = 9
"""Of the FHIRPath cases one in so many is put to the command; the engine's own tests run them all."""


@dataclass(frozen=True)
class Case:
    """`run` gives "" when the outcome is the expected one, else what differs."""

    suite: str
    name: str
    run: Callable[[], str]

    @property
    def key(self) -> str:
        return f"{self.suite}/{self.name}"


def every() -> list[Case]:
    return [*validators(), *pairs(), *populated(), *assembled(), *extracted(), *expressions()] if ROOT.is_dir() else []


# -- validate -------------------------------------------------------------------------------------------------------


def validators() -> Iterator[Case]:
    """The HL7 validators' verdicts; contested ones assert nothing."""
    for case in cases("fhir-test-cases", "validate-qr"):
        if not case["verdict"].startswith("contested"):
            yield Case("validate: fhir-test-cases", case["case_id"], partial(_verdict, case, case["verdict"]))
    for case in cases("fhir-test-cases", "validate-questionnaire"):
        if case["verdict"] != "?":
            yield Case("check: fhir-test-cases", case["case_id"], partial(_checked, case))


def pairs() -> Iterator[Case]:
    """Responses that authors put beside their forms; one with linkIds that the form lacks is not valid."""
    for case in table("CASES.tsv"):
        if case["case_id"].startswith("PAIR:"):
            wanted = "valid" if case["verdict"] == "presumed-valid" else "invalid"
            yield Case(
                "validate: authors' pairs" if wanted == "valid" else "validate: pairs that differ",
                f"{case['case_id']} {case['inputs'].split()[-1]}",
                partial(_verdict, case, wanted),
            )


def _inputs(case: dict[str, str]) -> list[dict[str, Any]]:
    return [read(path) for path in case["inputs"].split()]


def _verdict(case: dict[str, str], wanted: str) -> str:
    try:
        documents = _inputs(case)
    except ValueError:
        return "not JSON"
    with desk() as here:
        response = here.put("response.json", next(d for d in documents if d["resourceType"] == "QuestionnaireResponse"))
        forms = [here.put(f"{n}.json", d) for n, d in enumerate(documents) if d["resourceType"] == "Questionnaire"]
        terms = here.put("terms.json", {"resourceType": "Bundle", "entry": _terms(documents)})
        ran = questionnaire("validate", *forms[:1], terms, response, *CLOCK)
    if ran.code == 2:
        return ran.err.strip()
    found = "invalid" if ran.code else "valid"
    return "" if found == wanted else f"{found}: {[issue['details']['text'] for issue in ran.errors][:4]}"


def _terms(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries of the value sets that a form names, and of the code systems that those name."""
    text, found = json.dumps(documents, default=str), list[dict[str, Any]]()
    for kind in ("ValueSet", "CodeSystem"):
        named = [r for url, r in registry().items() if r["resourceType"] == kind and f'"{url}' in text]
        text = json.dumps(named, default=str)
        found += named
    return [{"resource": resource} for resource in found]


def _checked(case: dict[str, str]) -> str:
    with desk() as here:
        given = _inputs(case)
        ran = questionnaire("check", *(here.put(f"form{at}.json", one) for at, one in enumerate(given)))
    found = {0: "valid", 1: "invalid"}.get(ran.code, "unread")
    return "" if found == case["verdict"] else f"{found}: {ran.out[:300]}"


# -- populate and assemble ------------------------------------------------------------------------------------------


def _beda(operation: str) -> Iterator[dict[str, Any]]:
    for case in json.loads((ROOT / "beda-fhir-sdc/cases.json").read_text(), parse_float=Decimal):
        if case["ops"][0]["path"].endswith(operation):
            yield case


def populated() -> Iterator[Case]:
    for case in _beda("$populate"):
        yield Case("populate: beda", case["test"], partial(_populated, case))
    yield Case("populate: smart-forms", "BMI calculator", _bmi)
    yield Case("populate: SDC guide", "SDC-POPULATE:spec", _guide)


def _populated(case: dict[str, Any]) -> str:
    (operation,) = case["ops"]
    forms = [r for r in case["server"] if r["resourceType"] == "Questionnaire"]
    with desk() as here:
        files = [here.put(f"{n}.json", form) for n, form in enumerate(forms)]
        data = [here.put("server.json", {"resourceType": "Bundle", "entry": [{"resource": r} for r in case["server"]]})]
        parameters = here.put("parameters.json", operation["data"])
        ran = questionnaire("populate", *files, parameters, *(w for f in data for w in ("--data", f)), *CLOCK)
    if operation["expects_error"]:
        return "" if ran.code == 1 and ran.err else "no problem was found"
    (expected,) = [check["expected"] for check in case["asserts"] if "expected" in check]
    return _differs(bare(ran.json), bare(_part(expected, "response") or expected))


def _part(parameters: dict[str, Any], name: str) -> dict[str, Any] | None:
    return next((p["resource"] for p in parameters.get("parameter", []) if p["name"] == name), None)


def _differs(mine: Any, theirs: Any) -> str:
    return "" if mine == theirs else f"{simplejson.dumps(mine)[:400]} instead of {simplejson.dumps(theirs)[:400]}"


def _bmi() -> str:
    home = ROOT / "smart-forms/sdc-populate/test-data-shared/CalculatedExpressionBMICalculatorPrepop"
    ran = questionnaire(
        "populate", home / "QCalculatedExpressionBMICalculatorPrepop", next(home.glob("inputParams*/*.json")),
        "--data", home / "bundleObsBodyHeight", "--data", home / "bundleObsBodyWeight", *CLOCK,
    )  # fmt: skip
    expected = read(str(next(home.glob("QR*/*.json")).relative_to(ROOT)))
    if ran.code or ran.json["subject"] != expected["subject"] or ran.json["questionnaire"] != expected["questionnaire"]:
        return f"{ran.code}: {ran.err}"
    return _differs(bare(ran.json), bare(expected))


def _guide() -> str:
    """Illustrative: the request names its form by canonical and its subject by reference; the answers are of no one."""
    home = ROOT / "hl7-sdc/fsh"
    with desk() as here:
        records = here.put("none.json", {"resourceType": "Bundle"})
        ran = questionnaire("populate", home, home / "Parameters-populate-request.json", "--data", records, *CLOCK)
    expected = _part(read("hl7-sdc/fsh/Parameters-populate-response.json"), "response") or {}
    return ran.err or _differs(
        ran.json["questionnaire"].partition("|")[0], expected.get("questionnaire", "").partition("|")[0]
    )


def assembled() -> Iterator[Case]:
    for case in _beda("$assemble"):
        yield Case("assemble: beda", case["test"], partial(_assembled, case))
    yield Case("assemble: SDC guide", "SDC-ASSEMBLE:modular-root", _modular)


def _assembled(case: dict[str, Any]) -> str:
    (operation,) = case["ops"]
    forms = [r for r in case["server"] if r["resourceType"] == "Questionnaire"]
    with desk() as here:
        for n, form in enumerate(forms):
            here.put(f"{n}.json", form)
        ran = questionnaire("assemble", here.folder, "--form", operation["path"].split("/")[1])
    (expected,) = [check["expected"] for check in case["asserts"] if "expected" in check]
    return _differs(_unordered(ran.json), _unordered(expected))


def _unordered(form: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in form.items() if key not in ("meta", "id")}
    return {**kept, "extension": sorted(kept["extension"], key=str)}


def _modular() -> str:
    home = ROOT / "hl7-sdc/fsh"
    ran = questionnaire(
        "assemble", *(home / f"Questionnaire-sdc-modular-{name}.json" for name in ("root", "name", "contact"))
    )
    expected = read("hl7-sdc/fsh/Parameters-sdc-modular-root-assembled.json")["parameter"][0]["resource"]
    return _differs(ran.json.get("item"), expected["item"])


# -- extract --------------------------------------------------------------------------------------------------------

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TEMPLATES = "smart-forms/sdc-template-extract"
ANSWERS = f"{TEMPLATES}/questionnaireResponses/QRComplexTemplateExtract/QRComplexTemplateExtract.json"
CQF = "cqf-clinical-reasoning/shared/r4/input/tests"
ANDROID = "android-fhir/workflow-testing/src/main/resources/plan-definition/base-repo"


def extracted() -> Iterator[Case]:
    form = f"{TEMPLATES}/questionnaires/QComplexTemplateExtract/QComplexTemplateExtract.json"
    bundle = f"{TEMPLATES}/extracted/extractedComplexTemplateExtract/extractedComplexTemplateExtract.json"
    yield Case("extract: smart-forms", "ComplexTemplateExtract", partial(_extracted, form, ANSWERS, bundle))
    for name in ("extract-complex-template2", "extract-complex-defn3"):
        yield Case("extract: SDC guide", name, partial(_kinds, f"hl7-sdc/resources/{name}.json", bundle))
    for form, answers in (
        ("Questionnaire-mypain-questionnaire", "QRSharonDecision"),
        ("Questionnaire-questionnaire-sdc-profile-example-multi-subject", "sdc-profile-example-multi-subject"),
        ("Questionnaire-OutpatientPriorAuthorizationRequest", "OutpatientPriorAuthorizationRequest"),
    ):
        yield Case("extract: cqf", answers, partial(_observed, f"{ANDROID}/resources/{form}.json", answers))


def _extract(form: str, response: str) -> Ran:
    return questionnaire("extract", ROOT / form, ROOT / response, *CLOCK)


def _extracted(form: str, response: str, bundle: str) -> str:
    ran = _extract(form, response)
    if ran.code:
        return ran.err
    if ran.out != _extract(form, response).out:
        return "the same response gives other identities"
    return _differs(plain(ran.json["entry"], {}), plain(read(bundle)["entry"], {}))


def _kinds(form: str, bundle: str) -> str:
    """Another way to extract the same: the same resources, by kind and name."""
    ran = _extract(form, ANSWERS)
    return _differs(_projected(ran.json), _projected(read(bundle)))


def _observed(form: str, answers: str) -> str:
    """What is said of whom, in which code: another server names, dates and orders its resources in its own way."""
    (response,) = (ROOT / ANDROID / "tests").glob(f"QuestionnaireResponse-{answers}*.json")
    ran = _extract(form, str(response.relative_to(ROOT)))
    return _differs(_said(ran.json), _said(read(f"{CQF}/Bundle-extract-{answers}.json")))


def _said(bundle: dict[str, Any]) -> list[str]:
    apart = {
        "id",
        "meta",
        "extension",
        "identifier",
        "issued",
        "effectiveDateTime",
        "derivedFrom",
        "category",
        "text",
        "performer",
    }
    found = [{k: v for k, v in entry["resource"].items() if k not in apart} for entry in bundle.get("entry", [])]
    return sorted(simplejson.dumps(_wordless(one), sort_keys=True) for one in found)


def _wordless(value: Any) -> Any:
    """Codes without their displays and texts."""
    if isinstance(value, dict):
        return {key: _wordless(one) for key, one in value.items() if key not in ("display", "text")}
    return [_wordless(one) for one in value] if isinstance(value, list) else value


def _projected(bundle: dict[str, Any]) -> list[Any]:
    found = [entry["resource"] for entry in bundle["entry"]]
    return sorted(
        [r["resourceType"], str(r.get("gender")), *(n.get("text") for n in r.get("name", [])), str(_codes(r))]
        for r in found
    )  # fmt: skip


def _codes(resource: dict[str, Any]) -> list[str]:
    return [coding["code"] for coding in resource.get("code", {}).get("coding", [])]


# -- fhirpath -------------------------------------------------------------------------------------------------------


def expressions() -> Iterator[Case]:
    """A sample of the public suites: whole resources only, as the command takes them."""
    usable = [
        case
        for case in fhirpath_suites.cases()
        if not (case.unusable or case.context or case.base) and (case.input_file or isinstance(case.subject, dict))
    ]
    for case in usable[::FHIRPATH_STEP]:
        yield Case(f"fhirpath: {case.suite}", case.key.partition("/")[2], partial(_evaluated, case))


def _evaluated(case: fhirpath_suites.Case) -> str:
    try:
        resource = case.resource()
    except fhirpath_suites.Unusable:
        return ""
    with desk() as here:
        file = here.put("resource.json", resource)
        variables = [f"{name}={here.put(f'{n}.json', value)}" for n, (name, value) in enumerate(case.variables.items())]
        given = [word for one in variables for word in ("--env", one)]
        ran = portal("fhirpath", case.expression, file, *(["--r4"] if case.model else []), *given, *CLOCK)
    if case.error or ran.code:
        return "" if case.error and ran.code == 1 and ran.errors else f"{ran.out}{ran.err}"
    found = ran.json
    if case.predicate:
        found = [found[0] if len(found) == 1 and isinstance(found[0], bool) else bool(found)]
    return "" if same([_as_suite(v) for v in found], case.result, case.precise) else f"{found} instead of {case.result}"


def _as_suite(value: Any) -> Any:
    """The suites write a quantity as the text of its literal."""
    if isinstance(value, dict) and set(value) <= {"value", "unit", "system", "code"} and "unit" in value:
        unit = f"'{value['unit']}'" if "code" in value else value["unit"] + ("" if value["value"] == 1 else "s")
        return f"{value['value']} {unit}"
    return value
