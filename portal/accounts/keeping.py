"""What somebody had typed when their session ended: kept for the same person, given back once."""

from sqlalchemy import bindparam, select

from portal.accounts.models import Account, KeptPost
from portal.actors import Actor
from portal.clock import now
from portal.db import session, transaction


def keep(account_id: str, path: str, typed: list[list[str]]) -> None:
    """Keep a form post that came too late, for the same person to take up after signing in."""
    with transaction() as current:
        account = current.get_one(Account, account_id)
        current.add(
            KeptPost(
                clinic_id=account.clinic_id,
                account_id=account.id,
                owner_id=account.owner,
                path=path,
                kept_at=now(),
                typed=typed,
            )
        )


_KEPT = (
    select(KeptPost)
    .where(KeptPost.account_id == bindparam("account"), KeptPost.path == bindparam("path"))
    .order_by(KeptPost.kept_at.desc())
    .limit(1)
)

_ANY_KEPT = _KEPT.with_only_columns(KeptPost.id)


def take_kept(actor: Actor, path: str) -> list[list[str]] | None:
    """What this very person had typed at `path` for whom they answer now, newest first; it stays until `drop_kept`."""
    row = session().scalars(_KEPT, {"account": actor.account_id, "path": path}).one_or_none()
    typed: list[list[str]] | None = row.typed if row is not None else None
    for_another = typed is not None and dict(typed).get("subject", actor.patient_id) != actor.patient_id
    return None if for_another else typed


def drop_kept(actor: Actor, path: str) -> None:
    if session().scalar(_ANY_KEPT, {"account": actor.account_id, "path": path}) is None:
        return
    with transaction() as current:
        for row in current.scalars(
            select(KeptPost).where(KeptPost.account_id == actor.account_id, KeptPost.path == path)
        ):
            current.delete(row)
