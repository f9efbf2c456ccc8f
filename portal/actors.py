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
        }
    ),
    Role.PRIVACY_OFFICER: frozenset({Permission.SEE_AUDIT, Permission.SEE_EMERGENCIES}),
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
    emergency: str | None = None
    """the one patient whose kept-back answers this person has opened in an emergency, with a reason and for a short time"""

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF

    def purpose_for(self, patient_id: str | None) -> Purpose:
        """Why this person uses data of this patient; an emergency is about one patient only."""
        return Purpose.EMERGENCY if patient_id and patient_id == self.emergency else self.purpose

    def may(self, permission: Permission) -> bool:
        return permission in MAY.get(self.role, frozenset())


def system(clinic_id: str, name: str = "Previsit") -> Actor:
    """The portal acting by itself: the worker, synchronisation, the command line."""
    return Actor(role=Role.SYSTEM, clinic_id=clinic_id, name=name)
