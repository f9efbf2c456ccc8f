"""Who is acting and why: actors, roles and what each role may do, free of web and database."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    ANYONE = "anyone"
    PATIENT = "patient"
    FRONT_DESK = "front-desk"
    CLINICIAN = "clinician"
    PRIVACY_OFFICER = "privacy-officer"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"


STAFF = frozenset({Role.FRONT_DESK, Role.CLINICIAN, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR})


class Purpose(StrEnum):
    """Why health data is used (HL7 v3 PurposeOfUse codes)."""

    TREATMENT = "TREAT"
    OPERATIONS = "HOPERAT"
    PATIENT_REQUEST = "PATRQT"


class Permission(StrEnum):
    SEE_QUEUE = "see-queue"
    REVIEW = "review"
    REVIEW_CLINICAL = "review-clinical"
    MATCH = "match"
    INVITE = "invite"
    WORK_HELD = "work-held"
    SEE_AUDIT = "see-audit"
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
            Permission.WORK_HELD,
            Permission.SEE_FORMS,
        }
    ),
    Role.PRIVACY_OFFICER: frozenset({Permission.SEE_AUDIT}),
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.SEE_QUEUE,
            Permission.INVITE,
            Permission.WORK_HELD,
            Permission.SEE_AUDIT,
            Permission.MANAGE_STAFF,
            Permission.MANAGE_CONNECTIONS,
            Permission.SEE_FORMS,
            Permission.MANAGE_FORMS,
        }
    ),
}


@dataclass(frozen=True)
class Actor:
    """One person (or the system itself) acting in one clinic. `patient_id` is set for patients only and never comes from a request."""

    role: Role
    clinic_id: str
    account_id: str | None = None
    patient_id: str | None = None
    name: str = ""
    purpose: Purpose = Purpose.OPERATIONS
    session_id: str | None = None
    language: str = "en"

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF

    def may(self, permission: Permission) -> bool:
        return permission in MAY.get(self.role, frozenset())


def system(clinic_id: str, name: str = "Previsit") -> Actor:
    """The portal acting by itself: the worker, synchronisation, the command line."""
    return Actor(role=Role.SYSTEM, clinic_id=clinic_id, name=name)
