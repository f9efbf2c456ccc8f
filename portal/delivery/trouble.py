"""What an error of the connection means for an item: the reason, whether a person must act, and whether the server was silent."""

from dataclasses import dataclass

from portal.delivery.classify import Seen, Verdict
from portal.delivery.client import RecordClient
from portal.delivery.states import Reason
from portal.ehr import errors
from portal.ehr.errors import EhrError


@dataclass(frozen=True)
class Trouble:
    """`hold`: trying again cannot help. `silent`: counts against the server (the breaker)."""

    reason: Reason
    hold: bool = False
    silent: bool = False


LOOKING: tuple[tuple[type[EhrError], Trouble], ...] = (
    (errors.NotReached, Trouble(Reason.NO_REPLY, silent=True)),
    (errors.TryLater, Trouble(Reason.SERVER_BUSY, silent=True)),
    (errors.NotPermitted, Trouble(Reason.NO_PERMISSION, hold=True)),
    (errors.NotFhir, Trouble(Reason.NOT_FHIR)),
    (errors.OnlyPeople, Trouble(Reason.ONLY_PEOPLE, hold=True)),
    (errors.Changed, Trouble(Reason.SERVER_CHANGED, hold=True)),
    (errors.Unregistered, Trouble(Reason.REDIRECTED, hold=True)),
)
BY_STATUS: dict[int, Trouble] = {
    401: Trouble(Reason.RECONNECT, hold=True),
    403: Trouble(Reason.NO_PERMISSION, hold=True),
}
BY_HUNDRED: dict[int, Trouble] = {
    3: Trouble(Reason.REDIRECTED, hold=True),
    4: Trouble(Reason.REFUSED, hold=True),
}


def of_look(error: EhrError) -> Trouble:
    """While looking whether something arrived."""
    if isinstance(error, errors.NoCredential):
        return Trouble(Reason.RECONNECT, hold=error.terminal, silent=not error.terminal)
    for kind, trouble in LOOKING:
        if isinstance(error, kind):
            return trouble
    if isinstance(error, errors.Refused):
        return BY_STATUS.get(error.code) or BY_HUNDRED.get(error.code // 100) or Trouble(Reason.SERVER_FAULT)
    return Trouble(Reason.SERVER_FAULT)


def why_no_token(client: RecordClient) -> Verdict:
    """Nothing was sent for want of a token: is the sign-in refused, or is its server only out of reach just now?"""
    try:
        client.get("metadata")
    except EhrError as error:
        return of_send(error)
    return Verdict(Seen.NOT_SENT, Reason.NOT_REACHED)


def of_send(error: EhrError) -> Verdict:
    """Raised instead of an answer to a write, so before the write: for want of a token, or at our own door."""
    if isinstance(error, errors.NoCredential):
        return Verdict(Seen.CREDENTIAL if error.terminal else Seen.NOT_SENT, Reason.RECONNECT)
    if isinstance(error, errors.OnlyPeople):
        return Verdict(Seen.PERMISSION, Reason.ONLY_PEOPLE)
    if isinstance(error, errors.Changed):
        return Verdict(Seen.MISCONFIGURED, Reason.SERVER_CHANGED)
    if isinstance(error, errors.Unregistered):
        return Verdict(Seen.MISCONFIGURED, Reason.REDIRECTED)
    return Verdict(Seen.NOT_SENT, Reason.NOT_REACHED)
