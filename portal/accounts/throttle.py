"""Counts failed guesses per account, per source and per both, so that guessing ends and a victim still gets in."""

import secrets
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import delete, func, select

from portal import db
from portal.accounts.devices import Arrival, counted
from portal.accounts.models import Attempt
from portal.clock import now
from portal.db import session, transaction
from portal.errors import TooMany

WINDOW = timedelta(minutes=15)
DAY = timedelta(hours=24)
PER_PAIR = 10
PER_SOURCE = 60
PER_ACCOUNT = 100
PER_FACTOR = 10


def check(account: str, arrival: Arrival) -> None:
    """Raises TooMany when there was too much guessing from this source, at this account from it, or at the account at all.

    A hundred wrong guesses a day from everywhere shut an account to strange browsers (NIST SP 800-63B-4, 3.2.2), never to
    one that its owner has signed in with: that is counted by itself, so an attacker elsewhere cannot keep the owner out.
    """
    if _known(account, arrival):
        if _count(_pair(account, str(arrival.known))) >= PER_PAIR:
            raise TooMany
        return
    source = counted(arrival.source)
    if (
        _count(_pair(account, source)) >= PER_PAIR
        or _count(_source(source)) >= PER_SOURCE
        or _count(_account(account), DAY) >= PER_ACCOUNT
    ):
        raise TooMany


def failed(account: str, arrival: Arrival) -> None:
    source = counted(arrival.source)
    mine = [_pair(account, str(arrival.known))] if _known(account, arrival) else []
    _note(*(mine or [_pair(account, source), _source(source), _account(account)]))


def succeeded(account: str, arrival: Arrival) -> None:
    gone = [_pair(account, counted(arrival.source)), *([_pair(account, arrival.known)] if arrival.known else [])]
    with transaction() as current:
        current.execute(delete(Attempt).where(Attempt.who.in_(gone)))


def check_factor(account_id: str) -> None:
    """Raises TooMany after ten wrong codes in a quarter of an hour: who comes this far knows the password, so this locks out
    nobody but its owner and a thief, and a passkey still opens."""
    if _count(_factor(account_id)) >= PER_FACTOR:
        raise TooMany


def failed_factor(account_id: str) -> bool:
    """Whether with this one they were too many."""
    _note(_factor(account_id))
    return _count(_factor(account_id)) == PER_FACTOR


def shut(indexes: Iterable[str]) -> set[str]:
    """Those of these accounts (by the index of their address) that are shut to strange browsers now. For the worker: at the door
    nothing is looked up that differs between an account that is there and one that is not."""
    found = much()
    return {index for index in indexes if _account(index) in found} if found else set()


def much() -> set[str]:
    """Whatever there was so much guessing at, by its index: hardly ever anything, and then accounts are looked through."""
    most = select(Attempt.who).where(Attempt.at > now() - DAY).group_by(Attempt.who).having(func.count() >= PER_ACCOUNT)
    return set(session().scalars(most))


def check_source(arrival: Arrival) -> None:
    """Raises TooMany for a source that guesses, at whomever."""
    if _count(_source(counted(arrival.source))) >= PER_SOURCE:
        raise TooMany


def failed_source(arrival: Arrival) -> None:
    _note(_source(counted(arrival.source)))


def forget(account: str) -> None:
    """The clinic has seen to it: what was counted at this account no longer counts."""
    with transaction() as current:
        current.execute(delete(Attempt).where(Attempt.who == _account(account)))


def known_browser(account: str) -> str:
    """A word for a browser's cookie that says: this account was signed in to from here. It opens nothing."""
    nonce = secrets.token_hex(8)
    return f"{nonce}.{_browser(account, nonce)}"


def _known(account: str, arrival: Arrival) -> bool:
    nonce, _, mark = (arrival.known or "").partition(".")
    return bool(mark) and mark.isascii() and secrets.compare_digest(mark, _browser(account, nonce))


def _note(*whom: str) -> None:
    with transaction() as current:
        current.execute(delete(Attempt).where(Attempt.at < now() - DAY))
        current.add_all(Attempt(who=who, at=now()) for who in whom)


def _count(who: str, since: timedelta = WINDOW) -> int:
    recent = select(func.count()).select_from(Attempt).where(Attempt.who == who, Attempt.at > now() - since)
    return session().scalar(recent) or 0


def _browser(account: str, nonce: str) -> str:
    return db.keys().blind("known-browser", f"{account}|{nonce}")


def _pair(account: str, source: str) -> str:
    return db.keys().blind("attempt-pair", f"{account}|{source}")


def _source(source: str) -> str:
    return db.keys().blind("attempt-source", source)


def _account(account: str) -> str:
    return db.keys().blind("attempt-account", account)


def _factor(account_id: str) -> str:
    return db.keys().blind("attempt-factor", account_id)
