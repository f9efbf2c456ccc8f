"""Where a patient can be written to: the address they signed up with, else the one the clinic has of them."""

from dataclasses import dataclass

from sqlalchemy import select

from portal.accounts import service
from portal.accounts.models import Account
from portal.actors import Actor
from portal.db import session


@dataclass(frozen=True)
class Reach:
    """`email` may be empty: then nobody can write."""

    email: str
    language: str


def reach(actor: Actor, patient_ids: set[str]) -> dict[str, Reach]:
    """By patient id, for the clinic's staff and the system."""
    people = service.patients(actor, patient_ids)
    own = session().scalars(
        select(Account).where(
            Account.clinic_id == actor.clinic_id, Account.patient_id.in_(people), Account.suspended_at.is_(None)
        )
    )
    profiles = {str(account.patient_id): account.profile for account in own}
    return {key: _reach(profiles.get(key), row.person) for key, row in people.items()}


def _reach(profile: dict[str, str] | None, person: dict[str, str | None]) -> Reach:
    said, known = profile or {}, person or {}
    return Reach(
        str(said.get("email") or known.get("email") or ""), str(said.get("language") or known.get("language") or "en")
    )
