"""Counts failed guesses per account and per source, so that guessing ends and a victim still gets in."""

from datetime import timedelta

from sqlalchemy import delete, func, select

from portal import db
from portal.accounts.models import Attempt
from portal.clock import now
from portal.db import session, transaction
from portal.errors import TooMany

WINDOW = timedelta(minutes=15)
PER_PAIR = 10
PER_SOURCE = 60


def check(account: str, source: str) -> None:
    """Raises TooMany when this source has guessed too often, at this account or at all.

    The account alone never locks: an attacker elsewhere cannot keep its owner out.
    """
    if _count(_pair(account, source)) >= PER_PAIR or _count(_source(source)) >= PER_SOURCE:
        raise TooMany


def failed(account: str, source: str) -> None:
    with transaction() as current:
        current.execute(delete(Attempt).where(Attempt.at < now() - WINDOW))
        current.add_all(Attempt(who=who, at=now()) for who in (_pair(account, source), _source(source)))


def succeeded(account: str, source: str) -> None:
    with transaction() as current:
        current.execute(delete(Attempt).where(Attempt.who == _pair(account, source)))


def _count(who: str) -> int:
    recent = select(func.count()).select_from(Attempt).where(Attempt.who == who, Attempt.at > now() - WINDOW)
    return session().scalar(recent) or 0


def _pair(account: str, source: str) -> str:
    return db.keys().blind("attempt-pair", f"{account}|{source}")


def _source(source: str) -> str:
    return db.keys().blind("attempt-source", source)
