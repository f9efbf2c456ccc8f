"""Grants that end by themselves: on a day, or because a child comes of age. Who answers is told before, and when it is over."""

from collections.abc import Iterator
from datetime import timedelta

from portal.accounts import ages, granting, notes
from portal.accounts.models import Account
from portal.accounts.proxies import active, last_day
from portal.accounts.proxy_models import Act, ProxyGrant, State
from portal.actors import Actor
from portal.db import session, transaction

AHEAD = ((30, timedelta(days=31)), (3, timedelta(days=4)))
"""So many days before the last one they are told, unless they were told within this time."""


def tell_ahead(actor: Actor) -> int:
    """Tell who answers for somebody that it ends soon; how many were told. For the worker, any number of times a day."""
    told = 0
    for grant, left, _ in _timed(actor):
        account = session().get(Account, grant.account_id)
        if account is None or not any(
            0 <= left <= days and not notes.lately(account, "helping-ends", since) for days, since in AHEAD
        ):
            continue
        with transaction():
            notes.note(account, "helping-ends", read=False)
        told += 1
    return told


def end_what_is_over(actor: Actor) -> int:
    """Write down what has ended by itself; that it holds no longer does not wait for this. For the worker."""
    over = [(grant.id, why) for grant, left, why in _timed(actor) if left < 0]
    for grant_id, why in over:
        with transaction():
            row = session().get_one(ProxyGrant, grant_id)
            if row.state == State.ACTIVE:
                granting.append(actor, row, Act.ENDED, why)
                notes.note(session().get_one(Account, row.account_id), "helping-over", read=False)
    return len(over)


def _timed(actor: Actor) -> Iterator[tuple[ProxyGrant, int, str]]:
    """Active grants that have a last day: how many days are left, and why they end."""
    day, years = ages.today(actor.clinic_id), ages.of_age(actor.clinic_id)
    for grant, patient in active(actor.clinic_id):
        last, aged = last_day(grant, patient, years)
        if last is not None:
            yield grant, (last - day).days, "comes of age" if aged else "its last day is over"
