"""Whether the door takes as long for somebody who is not there: `python -m tests.accounts.same_for_all` (make door).

Measured in processor time, taken in turns, so that whatever else the machine does falls on both. The figure is how often an answer
of one kind took longer than one of the other (0.5: nothing can be told; 0 or 1: all can).
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from sqlalchemy import delete

import portal
from portal import db
from portal.accounts import service as accounts
from portal.accounts.models import Account, Attempt, Clinic, Invitation
from portal.accounts.renewing import offer
from portal.actors import Role, system
from portal.clock import now
from portal.db import session, transaction
from tests import make
from tests.conftest import csrf

WRONG = "six wet stones beside a kettle"
DOOR = "/at/riverside/sign-in"
Ask = Callable[[], int]
Pair = tuple[Ask, Ask]
"""Two that must not be told apart: somebody or something that is there, and one that is not."""


def pairs(app: Flask) -> dict[str, Pair]:
    """Every question that a stranger can put to the door, as a function that gives the status of its answer."""
    clinic = make.clinic(forms=())
    ana = make.patient_account(make.patient(clinic))
    lee = make.staff(clinic, Role.CLINICIAN, "Dr Lee", "lee@example.org")
    with transaction():
        lee.suspended_at = now()
    used, over, back = _links(clinic, ana)
    none, client = "A" * 43, app.test_client()
    token = csrf(client, DOOR)

    def sign_in(email: str, password: str = WRONG) -> Ask:
        form = {"email": email, "password": password, "csrf_token": token}
        return lambda: client.post(DOOR, data=form).status_code

    def post(path: str) -> Ask:
        return lambda: client.post(path, data={"csrf_token": token, **BORN}).status_code

    def get(path: str) -> Ask:
        return lambda: client.get(path).status_code

    return {
        "sign-in: a wrong password, nobody's address": (sign_in("ana@example.org"), sign_in("eva@example.org")),
        "sign-in: suspended, nobody's address": (sign_in("lee@example.org", make.PASSWORD), sign_in("lea@example.org")),
        "invitation: used, never made": (get(f"/join/{used}"), get(f"/join/{none}")),
        "invitation: too old, never made": (post(f"/join/{over}"), post(f"/join/{none}")),
        "recovery: too old, never made": (get(f"/back-in/{back}"), get(f"/back-in/{none}")),
        "recovery, sent: too old, never made": (post(f"/back-in/{back}"), post(f"/back-in/{none}")),
    }


BORN = {"code": "2222-2222", "day": "27", "month": "3", "year": "1985"}


def _links(clinic: Clinic, ana: Account) -> tuple[str, str, str]:
    """The tokens of an invitation that was used, one that is too old, and a way back that is too old."""
    actor, patient = system(clinic.id), make.patient(clinic, "Ben Ode").id
    used, over = (accounts.invite(actor, patient, 14).token for _ in range(2))
    back = offer(actor, ana, factors_too=False).token
    with transaction() as current:
        for row in current.query(Invitation).all():
            row.used_at = now() if row.token_hash == accounts._hash(used) else None
            row.expires_at = now()
    return used, over, back


def forget_guesses() -> None:
    """So that nothing is shut while it is measured."""
    with transaction() as current:
        current.execute(delete(Attempt))


def measure(pair: Pair, samples: int) -> tuple[list[float], list[float]]:
    """Seconds of processor time of each, in turns."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(2 * samples):
        if number % 16 == 0:
            forget_guesses()
        which = (number + number // 2) % 2  # A B B A …: neither always comes first
        began = time.process_time()
        pair[which]()
        taken[which].append(time.process_time() - began)
    return taken


def told_apart(one: list[float], other: list[float]) -> float:
    """How often one of the first takes longer than one of the second."""
    longer = sum((each > another) + 0.5 * (each == another) for each in one for another in other)
    return longer / (len(one) * len(other))


def bound(samples: int) -> float:
    """How far from a half chance alone goes: five standard deviations of the rank statistic."""
    return 5 * float(((2 * samples + 1) / (12 * samples * samples)) ** 0.5)


def main() -> int:
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        app = portal.create_app(make.settings(Path(place), f"sqlite:///{place}/previsit.db"))
        db.migrate()
        for what, pair in pairs(app).items():
            one, other = measure(pair, samples)
            found, most = told_apart(one, other), bound(samples)
            wrong += abs(found - 0.5) > most
            medians = " / ".join(f"{1000 * statistics.median(each):.2f}" for each in (one, other))
            print(f"{what}: {samples} each, median {medians} ms, told apart {found:.3f} (0.5 ± {most:.3f})", flush=True)
        session().close()
        db.dispose()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
