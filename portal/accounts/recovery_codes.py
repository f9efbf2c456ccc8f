"""Ten codes on paper for the day the phone is lost: each opens once, shown once, kept as a keyed index only.

The key of the index lies outside the database (NIST SP 800-63B-4, 3.1.2.2), so a stolen database tells no code.
"""

import secrets
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select, update

from portal import db
from portal.accounts.models import Account, RecoveryCode
from portal.clock import now
from portal.db import session, transaction

LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Nothing that is read as something else on paper: no 0 and o, 1 and l and i."""
COUNT, GROUPS, GROUP = 10, 3, 4


def make(account: Account) -> list[str]:
    """Ten new codes (59 bits each); the old ones are worthless from now on. Inside the caller's transaction."""
    codes = [new_code() for _ in range(COUNT)]
    with transaction() as current:
        drop(account.id)
        current.add_all(
            RecoveryCode(
                clinic_id=account.clinic_id, account_id=account.id, code_index=_index(account.id, code), made_at=now()
            )
            for code in codes
        )
    return codes


def new_code(groups: int = GROUPS) -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(GROUP)) for _ in range(groups))


def plain(typed: str) -> str:
    """A code as it was made, however it was typed."""
    return "".join(letter for letter in typed.casefold() if letter in LETTERS)


def use(account_id: str, typed: str) -> bool:
    """Whether this is a code of this account that was not used; now it is."""
    with transaction() as current:
        spend = (
            update(RecoveryCode)
            .where(
                RecoveryCode.account_id == account_id,
                RecoveryCode.code_index == _index(account_id, typed),
                RecoveryCode.used_at.is_(None),
            )
            .values(used_at=now())
        )
        return cast(CursorResult[Any], current.execute(spend)).rowcount == 1


def left(account_id: str) -> int:
    wanted = select(func.count()).where(RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None))
    return session().scalar(wanted) or 0


def drop(account_id: str) -> None:
    with transaction() as current:
        current.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))


def _index(account_id: str, code: str) -> str:
    return db.keys().blind("recovery-code", f"{account_id}|{plain(code)}")
