"""Who is acting and why: actors, roles and what each role may do, free of web and database."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum


class Role(StrEnum):
    ANYONE = "anyone"
    PATIENT = "patient"
    PROXY = "proxy"
    FRONT_DESK = "front-desk"
    CLINICIAN = "clinician"
    PRIVACY_OFFICER = "privacy-officer"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    SYSTEM = "system"


STAFF = frozenset({Role.FRONT_DESK, Role.CLINICIAN, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR, Role.AUDITOR})

PATIENTS = frozenset({Role.PATIENT, Role.PROXY})
"""Who sees a patient's own pages: the patient, and who answers for them."""


class Purpose(StrEnum):
    """Why health data is used (HL7 v3 PurposeOfUse codes)."""

    TREATMENT = "TREAT"
    OPERATIONS = "HOPERAT"
    PATIENT_REQUEST = "PATRQT"
    EMERGENCY = "BTG"


class Permission(StrEnum):
    SEE_QUEUE = "see-queue"
    REVIEW = "review"
    REVIEW_CLINICAL = "review-clinical"
    MATCH = "match"
    BREAK_GLASS = "break-glass"
    SEE_EMERGENCIES = "see-emergencies"
    INVITE = "invite"
    WORK_HELD = "work-held"
    SEE_AUDIT = "see-audit"
    ANSWER_AUDIT = "answer-audit"
    SEE_QUALITY = "see-quality"
    SEE_MEASURES = "see-measures"
    MANAGE_STAFF = "manage-staff"
    MANAGE_CONNECTIONS = "manage-connections"
    SEE_FORMS = "see-forms"
    MANAGE_FORMS = "manage-forms"


MAY: dict[Role, frozenset[Permission]] = {
    Role.FRONT_DESK: frozenset(
        {Permission.SEE_QUEUE, Permission.REVIEW, Permission.MATCH, Permission.INVITE, Permission.WORK_HELD}
    ),
    Role.CLINICIAN: frozenset(
        {
            Permission.SEE_QUEUE,
            Permission.REVIEW,
            Permission.REVIEW_CLINICAL,
            Permission.MATCH,
            Permission.BREAK_GLASS,
            Permission.WORK_HELD,
            Permission.SEE_FORMS,
            Permission.SEE_QUALITY,
        }
    ),
    Role.PRIVACY_OFFICER: frozenset(
        {
            Permission.SEE_AUDIT,
            Permission.ANSWER_AUDIT,
            Permission.SEE_EMERGENCIES,
            Permission.SEE_QUALITY,
            Permission.SEE_MEASURES,
        }
    ),
    Role.AUDITOR: frozenset({Permission.SEE_AUDIT, Permission.SEE_QUALITY, Permission.SEE_MEASURES}),
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.SEE_QUEUE,
            Permission.WORK_HELD,
            Permission.SEE_AUDIT,
            Permission.ANSWER_AUDIT,
            Permission.SEE_QUALITY,
            Permission.SEE_MEASURES,
            Permission.MANAGE_STAFF,
            Permission.MANAGE_CONNECTIONS,
            Permission.SEE_FORMS,
            Permission.MANAGE_FORMS,
        }
    ),
}
"""What each role may do; rooms are opened by it too. An auditor reads what happened and how well it works: no health data, no change.
An administrator makes ways in for staff and none for patients: nobody decides alone about both sides."""


def who_may(permission: Permission) -> frozenset[Role]:
    return frozenset(role for role, allowed in MAY.items() if permission in allowed)


class Scope(StrEnum):
    """What somebody may do for a patient; each is given by itself."""

    FORMS = "forms"
    RESULTS = "results"
    CONSENTS = "consents"


SELF = "self"


@dataclass(frozen=True)
class Subject:
    """Somebody whom an account may answer for now: its own patient (`key` is "self"), or by a grant (`key` is its id)."""

    key: str
    patient_id: str
    name: str
    scope: frozenset[Scope] = frozenset(Scope)
    relation: str = ""
    reference: str = ""
    """`RelatedPerson/…` where the clinic's record knows the person who answers"""
    ends_on: date | None = None
    """the last day"""
    comes_of_age: bool = False
    """whether it ends because the patient is old enough to answer for themself"""


@dataclass(frozen=True)
class Actor:
    """One person (or the system itself) acting in one clinic. `patient_id` is whose things they see: their own, or those of the
    patient they answer for (`behalf`); it never comes from a request."""

    role: Role
    clinic_id: str
    account_id: str | None = None
    patient_id: str | None = None
    name: str = ""
    purpose: Purpose = Purpose.OPERATIONS
    session_id: str | None = None
    language: str = "en"
    emergency: str | None = None
    """the one patient whose kept-back answers this person has opened in an emergency, with a reason and for a short time"""

    behalf: Subject | None = None
    """the patient somebody else acts for; None for oneself"""
    subjects: tuple[Subject, ...] = ()
    """everybody this account may answer for, itself included; () where that is only itself"""

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF

    def allows(self, scope: Scope) -> bool:
        """Whether this person may do that for the patient whose things they see."""
        return self.role is Role.PATIENT or (self.behalf is not None and scope in self.behalf.scope)

    def answering_for(self, subject: Subject) -> "Actor":
        """The same person, answering for this one of their subjects."""
        own = subject.key == SELF
        role = Role.PATIENT if own else Role.PROXY
        behalf = None if own else subject
        return replace(self, role=role, purpose=Purpose.PATIENT_REQUEST, patient_id=subject.patient_id, behalf=behalf)

    def purpose_for(self, patient_id: str | None) -> Purpose:
        """Why this person uses data of this patient; an emergency is about one patient only."""
        return Purpose.EMERGENCY if patient_id and patient_id == self.emergency else self.purpose

    def may(self, permission: Permission) -> bool:
        return permission in MAY.get(self.role, frozenset())


def system(clinic_id: str, name: str = "Previsit") -> Actor:
    """The portal acting by itself: the worker, synchronisation, the command line."""
    return Actor(role=Role.SYSTEM, clinic_id=clinic_id, name=name)
