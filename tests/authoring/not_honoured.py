"""Public cases whose expectation the commands do not meet, each with the reason."""

from __future__ import annotations

from tests.corpus.not_honoured import PAIRS, VALIDATION
from tests.fhirpath.not_honoured import NOT_HONOURED as FHIRPATH

BASE = "android-fhir/workflow-testing/src/main/resources/plan-definition/base-repo/resources"
MULTI = f"{BASE}/Questionnaire-questionnaire-sdc-profile-example-multi-subject.json"
SIGMOID = (
    "PAIR:cqf-clinical-reasoning:QuestionnaireResponse-sigmoidoscopy-complication-casefeature-definition "
    "cqf-clinical-reasoning/shared/r4/input/tests/"
    "QuestionnaireResponse-sigmoidoscopy-complication-casefeature-definition.json"
)
OWN: dict[str, str] = {
    "populate: smart-forms/BMI calculator": "the BMI is calculated at once, which the other leaves to the page; the rest is the same",
    "assemble: SDC guide/SDC-ASSEMBLE:modular-root": (
        "as given it repeats a prefix and so its linkIds, and takes questions from element definitions that are not at hand"
    ),
    f"validate: authors' pairs/PAIR:android-fhir:QuestionnaireResponse-sdc-profile-example-multi-subject {MULTI}": (
        "`code` is no element of an item of a response"
    ),
    f"validate: authors' pairs/PAIR:cqf-clinical-reasoning:QuestionnaireResponse-sdc-profile-example-multi-subject {MULTI}": (
        "`code` is no element of an item of a response"
    ),
    "extract: SDC guide/extract-complex-defn3": (
        "its last question gives values of an Observation and starts none (no definitionExtract): said as a trouble"
    ),
    "extract: cqf/QRSharonDecision": "the form asks for no extraction (no observationExtract); the other extracts whatever has a code",
    "extract: cqf/OutpatientPriorAuthorizationRequest": (
        "the form as it is here asks for no extraction; the other takes it from a profile of its own"
    ),
    f"validate: authors' pairs/{SIGMOID}": "the form it contains asks for a code where it has a text",
    "validate: authors' pairs/PAIR:i4mi:variousResponseEmpty i4mi/__tests__/questionnaires/variousTypes.json": (
        "an empty list is not FHIR"
    ),
}


TELENEPS = "PAIR:teleneps:QuestionnaireResponse_Musterfrau-contained teleneps/Examples/QuestionnaireResponse_Musterfrau-contained.json"
ADAPTIVE = "hl7-sdc/fsh/QuestionnaireResponse-adaptive-questionnaireresponse-sdc-example-phq9.json"
MET = frozenset(
    {
        "check: fhir-test-cases/FTC:nested-questionnaire-nested-valueset",
        f"validate: authors' pairs/PAIR:hl7-sdc:QuestionnaireResponse-adaptive-questionnaireresponse-sdc-example-phq9 {ADAPTIVE}",
        f"validate: authors' pairs/{TELENEPS}",
    }
)
"""Met by the commands, though it is no case for the engine by itself."""


def reason(key: str) -> str:
    """Why a case (suite/name) is not met; "" for one that must be."""
    suite, _, name = key.partition("/")
    if key in OWN:
        return OWN[key]
    if suite.startswith("fhirpath: "):
        return FHIRPATH.get(f"{suite.removeprefix('fhirpath: ')}/{name}", "")
    if key in MET or suite == "validate: pairs that differ":
        return ""
    return {**VALIDATION, **PAIRS}.get(name.partition(" ")[0], "")
