"""The code beside an invitation's link: told another way than the link, or on the same paper when both are handed over.

One code a patient, for whichever of their links they use; only its keyed index is kept, the key lies outside the database.
"""

import secrets
from datetime import timedelta

from portal import db
from portal.accounts import recovery_codes
from portal.accounts.models import JoiningCode
from portal.clock import now
from portal.db import session, transaction

GROUPS = 2
"""Eight letters and digits (39 bits): five wrong tries end a link, so nobody gets through them."""


def make(clinic_id: str, patient_id: str, days: int) -> str:
    """A new code, good for `days`; the one before it opens nothing any more. Inside the caller's transaction."""
    code = recovery_codes.new_code(GROUPS)
    with transaction() as current:
        row = current.get(JoiningCode, patient_id)
        if row is None:
            row = JoiningCode(patient_id=patient_id, clinic_id=clinic_id)
            current.add(row)
        row.code_index, row.expires_at = _index(patient_id, code), now() + timedelta(days=days)
    return code


def right(patient_id: str, typed: str) -> bool:
    """Whether this is the patient's code now. Without a code the comparison is made all the same."""
    row = session().get(JoiningCode, patient_id)
    good = row.code_index if row is not None and row.expires_at > now() else ""
    return secrets.compare_digest(good, _index(patient_id, typed))


def _index(patient_id: str, code: str) -> str:
    return db.keys().blind("joining-code", f"{patient_id}|{recovery_codes.plain(code)}")
