"""The codes of FHIR and its friends that the portal relies on: systems, statuses that count, and the words for some."""

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"

NO_KNOWN_ALLERGY = frozenset({"716186003", "409137002", "428607008", "429625007", "428197003"})
"""SNOMED CT: no known allergy, drug allergy, environmental allergy, food allergy, insect allergy."""

NOT_MEANT = frozenset({"entered-in-error", "refuted"})
"""verificationStatus of something the record no longer claims."""

PREFERRED_PHARMACY = "http://hl7.org/fhir/StructureDefinition/patient-preferredPharmacy"
"""HL7's extension of Patient; R4 itself has no place for a preferred pharmacy."""

CURRENT_REQUEST = frozenset({"active", "on-hold", "unknown", ""})
CURRENT_STATEMENT = frozenset({"active", "intended", "on-hold", "unknown", ""})
REQUEST_INTENTS = frozenset({"order", "plan", "original-order", "reflex-order", "filler-order", "instance-order", ""})
CURRENT_ALLERGY = frozenset({"active", ""})
CURRENT_CONDITION = frozenset({"active", "recurrence", "relapse", ""})
CURRENT_COVERAGE = frozenset({"active", ""})
CANCELLED_VISIT = frozenset({"cancelled", "noshow", "entered-in-error"})

CRITICALITY: dict[str, str] = {"high": "can be dangerous", "low": "not expected to be dangerous"}
SEVERITY: dict[str, str] = {"mild": "mild", "moderate": "moderate", "severe": "severe"}
