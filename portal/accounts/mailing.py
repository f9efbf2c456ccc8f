"""Where a patient can be written to: their own account, else who answers for them, else the address the clinic has of them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.accounts import proxies, service
from portal.accounts.models import Account
from portal.actors import Actor, Scope
from portal.db import session


@dataclass(frozen=True)
class Reach:
    """`email` may be empty: then nobody can write. `has_account`: somebody can sign in for this patient already."""

    email: str
    language: str
    has_account: bool


def reach(actor: Actor, patient_ids: set[str]) -> dict[str, Reach]:
    """By patient id, for the clinic's staff and the system."""
    people = service.patients(actor, patient_ids)
    helped = {key: account for key, account in proxies.helpers(actor.clinic_id, Scope.FORMS).items() if key in people}
    accounts = session().scalars(
        select(Account).where(
            Account.clinic_id == actor.clinic_id,
            Account.suspended_at.is_(None),
            Account.patient_id.in_(people) | Account.id.in_(helped.values()),
        )
    )
    known = {account.id: account for account in accounts}
    own = {account.patient_id: account for account in known.values() if account.patient_id}
    return {key: _reach(own.get(key) or known.get(helped.get(key, "")), row.person) for key, row in people.items()}


def _reach(account: Account | None, person: Any) -> Reach:
    said = account.profile if account else person
    return Reach(str(said.get("email") or ""), str(said.get("language") or "en"), account is not None)
