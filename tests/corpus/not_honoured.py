"""Cases of others whose expectation this engine does not meet, each with the reason."""

VALIDATION = {
    "FTC:choice-async-qr": "the value set (jurisdiction) holds all of ISO 3166: only a terminology server can tell",
    "FTC:string-with-coding-async-qr": "the value set (jurisdiction) holds all of ISO 3166: only a terminology server can tell",
    "FTC:questionnaireresponse-hai-ltcf-questionnaireresponse-mdro-cdi-event": (
        "its codes are in the value set as it stands in the form; the validator failed on a SNOMED CT version it did not have"
    ),
    "FTC:decimal-precision-questionnaire": (
        "the verdict is about the form; of the response we say what the validator's outcome says: two answers have too many decimals"
    ),
    "FTC:nested-questionnaire-nested-valueset": "a response without a form of its own: its contained forms are R5 adaptive",
    "FTC:q_val_fail": "a response without its form",
    "FTC:qr-bad-ref1": "a response without its form",
    "FTC:qr-required-wrong": "not JSON",
    "FTC:questionnaire-lifelines": "no outcome is given",
}
PAIRS = {
    "PAIR:android-fhir:QuestionnaireResponse-demographics-qr": "required questions have no answer in it",
    "PAIR:android-fhir:questionnaire_response_outbreak": "the form uses a linkId twice (que-2)",
    "PAIR:i4mi:variousResponse": "nested items stand beside their answer, a decimal is an integer, required answers lack",
    "PAIR:js-kyle-qr-validation:qr-fail": "made to fail: a required answer lacks",
    "PAIR:lforms:hidden-item-questionnaire-response.R4": "its items are not in the form's order",
    "PAIR:medplum:L2042": "a time without seconds; a string where a uri is due",
    "PAIR:opensrp-fhircore:questionnaire-response": "required questions have no answer in it",
    "PAIR:opensrp-fhircore:questionnaire-response-covid": "required questions have no answer in it",
    "PAIR:smart-forms:qr": "a decimal where a quantity is due",
    "PAIR:smart-forms:qrRemoveIdSample": "answers without a value",
    "PAIR:spezi:PHQ9_response_rkof": "items stand outside their group",
    "PAIR:spezi:PHQ9_response_spezi": "items stand outside their group",
    "PAIR:teleneps:QuestionnaireResponse_Musterfrau-contained": "a response without its form",
    "PAIR:cqf-clinical-reasoning:QuestionnaireResponse-sigmoidoscopy-complication-casefeature-definition": "a response without its form",
    "PAIR:hl7-sdc:QuestionnaireResponse-adaptive-questionnaireresponse-sdc-example-phq9": "adaptive: its form is contained",
}
ASSEMBLE: dict[str, str] = {}
