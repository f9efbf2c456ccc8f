"""How many invitations went out and were used, for the measures: who they were for is only used to tell people apart."""

from datetime import datetime

from sqlalchemy import func, select

from portal.accounts.models import Clinic, Invitation
from portal.db import session

Line = tuple[str, str, str, str]
"""(what is counted, of which thing, which value, the id of whose): the id leaves no further than the sum"""


def lines(clinic_id: str, start: datetime, end: datetime) -> list[Line]:
    """Patients' invitations made, and used, in this time."""
    ours = (Invitation.clinic_id == clinic_id, Invitation.account_id.is_(None), Invitation.patient_id.is_not(None))
    found: list[Line] = []
    for column, value in ((Invitation.made_at, "made"), (Invitation.used_at, "used")):
        rows = session().scalars(select(Invitation.patient_id).where(*ours, column >= start, column < end))
        found += [("invitations", "", value, str(patient_id)) for patient_id in rows]
    return found


def first(clinic_id: str) -> datetime | None:
    """When the first invitation of a clinic was made."""
    return session().scalar(select(func.min(Invitation.made_at)).where(Invitation.clinic_id == clinic_id))


def zone(clinic_id: str) -> str:
    """The time zone in which a clinic's days begin."""
    return session().get_one(Clinic, clinic_id).timezone
