"""Whether the key file that was loaded is the one that this database was sealed with."""

from sqlalchemy import select

from portal import db
from portal.accounts.models import Clinic
from portal.db import session
from portal.errors import Misconfigured


def check_key_ring() -> None:
    """Raises Misconfigured when the stored data was sealed with another ring than the one loaded."""
    if any(each.key_ring != db.keys().fingerprint() for each in session().scalars(select(Clinic))):
        raise Misconfigured(
            "The key file does not belong to this database. Restore the key file that was saved with it."
        )
    missing = set(db.masters_in_use()) - set(db.keys().masters)
    if missing:
        raise Misconfigured(
            f"The key file lacks master {', '.join(map(str, sorted(missing)))}, which this database needs. "
            "Restore the newest key file."
        )
