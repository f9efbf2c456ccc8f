"""The search parameters of this clinic: a table of type, name, kind and where in the resource the values are.

A path is element names with dots; `[system=phone]` keeps the objects whose member has that value. `patient` is a reference
that only counts when it points at a Patient. Names and meanings are those of FHIR R4's own search parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

TABLE = {
    "*": """
        _id            token      id
        _lastUpdated   date       meta.lastUpdated
        _tag           token      meta.tag
        _profile       reference  meta.profile""",
    "Patient": """
        active         token      active
        address        string     address
        address-postalcode string address.postalCode
        birthdate      date       birthDate
        email          token      telecom[system=email]
        family         string     name.family
        gender         token      gender
        general-practitioner reference generalPractitioner
        given          string     name.given
        identifier     token      identifier
        language       token      communication.language
        name           string     name
        phone          token      telecom[system=phone]
        telecom        token      telecom""",
    "RelatedPerson": """
        active         token      active
        birthdate      date       birthDate
        identifier     token      identifier
        name           string     name
        patient        patient    patient
        phone          token      telecom[system=phone]
        relationship   token      relationship""",
    "Person": """
        identifier     token      identifier
        name           string     name
        link           reference  link.target
        patient        patient    link.target""",
    "Practitioner": """
        active         token      active
        family         string     name.family
        identifier     token      identifier
        name           string     name""",
    "PractitionerRole": """
        identifier     token      identifier
        organization   reference  organization
        practitioner   reference  practitioner
        specialty      token      specialty""",
    "Organization": """
        active         token      active
        identifier     token      identifier
        name           string     name
        type           token      type""",
    "Location": """
        identifier     token      identifier
        name           string     name
        organization   reference  managingOrganization
        status         token      status""",
    "Appointment": """
        actor          reference  participant.actor
        appointment-type token    appointmentType
        date           date       start
        identifier     token      identifier
        location       location   participant.actor
        part-status    token      participant.status
        patient        patient    participant.actor
        practitioner   practitioner participant.actor
        service-type   token      serviceType
        status         token      status""",
    "AllergyIntolerance": """
        category       token      category
        clinical-status token     clinicalStatus
        code           token      code reaction.substance
        criticality    token      criticality
        date           date       recordedDate
        identifier     token      identifier
        patient        patient    patient
        recorder       reference  recorder
        verification-status token verificationStatus""",
    "Condition": """
        category       token      category
        clinical-status token     clinicalStatus
        code           token      code
        encounter      reference  encounter
        identifier     token      identifier
        onset-date     date       onsetDateTime onsetPeriod
        patient        patient    subject
        recorded-date  date       recordedDate
        subject        reference  subject
        verification-status token verificationStatus""",
    "Medication": """
        code           token      code
        identifier     token      identifier""",
    "MedicationRequest": """
        authoredon     date       authoredOn
        code           token      medicationCodeableConcept
        date           date       dosageInstruction.timing.event
        encounter      reference  encounter
        identifier     token      identifier
        intent         token      intent
        medication     reference  medicationReference
        patient        patient    subject
        requester      reference  requester
        status         token      status
        subject        reference  subject""",
    "MedicationStatement": """
        category       token      category
        code           token      medicationCodeableConcept
        effective      date       effectiveDateTime effectivePeriod
        identifier     token      identifier
        medication     reference  medicationReference
        patient        patient    subject
        source         reference  informationSource
        status         token      status
        subject        reference  subject""",
    "Immunization": """
        date           date       occurrenceDateTime
        identifier     token      identifier
        patient        patient    patient
        status         token      status
        vaccine-code   token      vaccineCode""",
    "Coverage": """
        beneficiary    reference  beneficiary
        identifier     token      identifier
        patient        patient    beneficiary
        payor          reference  payor
        policy-holder  reference  policyHolder
        status         token      status
        subscriber     reference  subscriber
        type           token      type""",
    "Observation": """
        based-on       reference  basedOn
        category       token      category
        code           token      code
        code-value-concept token  valueCodeableConcept
        combo-code     token      code component.code
        component-code token      component.code
        data-absent-reason token  dataAbsentReason
        date           date       effectiveDateTime effectivePeriod effectiveInstant
        derived-from   reference  derivedFrom
        encounter      reference  encounter
        has-member     reference  hasMember
        identifier     token      identifier
        patient        patient    subject
        performer      reference  performer
        status         token      status
        subject        reference  subject
        value-concept  token      valueCodeableConcept""",
    "DiagnosticReport": """
        based-on       reference  basedOn
        category       token      category
        code           token      code
        date           date       effectiveDateTime effectivePeriod
        encounter      reference  encounter
        identifier     token      identifier
        issued         date       issued
        patient        patient    subject
        performer      reference  performer
        result         reference  result
        status         token      status
        subject        reference  subject""",
    "Specimen": """
        identifier     token      identifier
        patient        patient    subject
        subject        reference  subject""",
    "ServiceRequest": """
        authored       date       authoredOn
        code           token      code
        identifier     token      identifier
        patient        patient    subject
        status         token      status
        subject        reference  subject""",
    "Procedure": """
        code           token      code
        date           date       performedDateTime performedPeriod
        identifier     token      identifier
        patient        patient    subject
        status         token      status
        subject        reference  subject""",
    "Encounter": """
        appointment    reference  appointment
        date           date       period
        identifier     token      identifier
        patient        patient    subject
        status         token      status
        subject        reference  subject""",
    "FamilyMemberHistory": """
        code           token      condition.code
        date           date       date
        identifier     token      identifier
        patient        patient    patient
        relationship   token      relationship
        status         token      status""",
    "Questionnaire": """
        code           token      item.code
        date           date       date
        identifier     token      identifier
        name           string     name
        status         token      status
        title          string     title
        url            reference  url
        version        token      version""",
    "CareTeam": """
        category       token      category
        date           date       period
        identifier     token      identifier
        participant    reference  participant.member
        patient        patient    subject
        status         token      status
        subject        reference  subject""",
    "QuestionnaireResponse": """
        author         reference  author
        authored       date       authored
        based-on       reference  basedOn
        encounter      reference  encounter
        identifier     token      identifier
        patient        patient    subject
        questionnaire  reference  questionnaire
        source         reference  source
        status         token      status
        subject        reference  subject""",
    "Consent": """
        category       token      category
        consentor      reference  performer
        date           date       dateTime
        identifier     token      identifier
        patient        patient    patient
        period         date       provision.period
        scope          token      scope
        status         token      status""",
    "Provenance": """
        agent          reference  agent.who
        entity         reference  entity.what
        patient        patient    target
        recorded       date       recorded
        target         reference  target
        when           date       occurredDateTime occurredPeriod""",
    "DocumentReference": """
        category       token      category
        date           date       date
        identifier     token      identifier masterIdentifier
        patient        patient    subject
        status         token      status
        subject        reference  subject
        type           token      type""",
    "Communication": """
        identifier     token      identifier
        patient        patient    subject
        recipient      reference  recipient
        sender         reference  sender
        sent           date       sent
        status         token      status
        subject        reference  subject""",
    "Task": """
        authored-on    date       authoredOn
        code           token      code
        focus          reference  focus
        identifier     token      identifier
        owner          reference  owner
        patient        patient    for
        status         token      status
        subject        reference  for""",
    "AuditEvent": """
        date           date       recorded
        entity         reference  entity.what
        patient        patient    agent.who entity.what
        type           token      type""",
    "Flag": """
        identifier     token      identifier
        patient        patient    subject
        subject        reference  subject""",
    "List": """
        code           token      code
        identifier     token      identifier
        patient        patient    subject
        status         token      status
        subject        reference  subject""",
    "Basic": """
        code           token      code
        identifier     token      identifier
        patient        patient    subject
        subject        reference  subject""",
    "Binary": "",
    "Bundle": """
        identifier     token      identifier
        type           token      type""",
    "ValueSet": """
        status         token      status
        url            reference  url
        version        token      version""",
}

TYPES = tuple(name for name in TABLE if name != "*")
NARROWED = {"patient": "Patient", "practitioner": "Practitioner", "location": "Location"}
COMPARTMENT = ("patient", "subject", "beneficiary", "for", "actor", "target")


@dataclass(frozen=True, slots=True)
class Parameter:
    """`kind` is token, string, date or reference; `only` the type a reference must point at to count."""

    name: str
    kind: str
    paths: tuple[str, ...]
    only: str | None = None


@cache
def parameters(resource_type: str) -> dict[str, Parameter]:
    """The parameters one can search a type by; KeyError for a type that the clinic does not hold."""
    lines = [line.split() for line in (TABLE["*"] + "\n" + TABLE[resource_type]).splitlines() if line.strip()]
    return {name: _parameter(name, kind, tuple(paths)) for name, kind, *paths in lines}


def _parameter(name: str, kind: str, paths: tuple[str, ...]) -> Parameter:
    only = NARROWED.get(kind)
    return Parameter(name, "reference" if only else kind, paths, only)


def in_patient_compartment(resource_type: str) -> bool:
    """Whether resources of a type belong to one patient (and a patient's token must be held to theirs)."""
    return resource_type == "Patient" or "patient" in parameters(resource_type)
