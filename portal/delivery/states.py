"""The words of delivery: states people see, events that are kept, and the reasons, each with its sentence and next step.  Pure."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where one delivery stands (bar 3.3). CLOSED is read by the patient as "Your clinic has your answers."."""

    WAITING = "waiting"
    NOT_CONFIRMED = "not-confirmed"
    CONFIRMED = "confirmed"
    HELD = "held"
    WITHHELD = "withheld"
    CLOSED = "closed"


class Kind(StrEnum):
    """What happened to an outbox item; one appended row each."""

    QUEUED = "queued"
    SENDING = "sending"  # durable before a socket opens
    NOT_SENT = "not-sent"  # certain: no byte left, or nothing was taken
    BUSY = "busy"
    CONFLICTED = "conflicted"  # refused whole: something is no longer as it was
    IN_DOUBT = "in-doubt"
    UNCHECKED = "unchecked"  # we looked whether it arrived and could not tell
    ABSENT = "absent"  # we looked after the server's bound: it is not there
    ANSWERED = "answered"  # the server said yes; not verified yet
    PARTIAL = "partial"  # some entries arrived, the rest is still to be sent
    CONFIRMED = "confirmed"
    HELD = "held"
    WITHHELD = "withheld"
    RESENT = "resent"  # a person asked for another try
    CLOSED = "closed"


STATE_AFTER: dict[Kind, State] = {
    Kind.QUEUED: State.WAITING,
    Kind.SENDING: State.NOT_CONFIRMED,
    Kind.NOT_SENT: State.WAITING,
    Kind.BUSY: State.WAITING,
    Kind.CONFLICTED: State.NOT_CONFIRMED,
    Kind.IN_DOUBT: State.NOT_CONFIRMED,
    Kind.UNCHECKED: State.NOT_CONFIRMED,
    Kind.ABSENT: State.WAITING,
    Kind.ANSWERED: State.NOT_CONFIRMED,
    Kind.PARTIAL: State.NOT_CONFIRMED,
    Kind.CONFIRMED: State.CONFIRMED,
    Kind.HELD: State.HELD,
    Kind.WITHHELD: State.WITHHELD,
    Kind.RESENT: State.NOT_CONFIRMED,
    Kind.CLOSED: State.CLOSED,
}
OPEN = frozenset({State.WAITING, State.NOT_CONFIRMED})
UNFINISHED = OPEN | {State.HELD}
SEND_AFTER = frozenset({Kind.QUEUED, Kind.NOT_SENT, Kind.ABSENT})
"""After these it is certain that nothing of ours is at the server; after every other open kind the worker looks first."""


class Reason(StrEnum):
    """Why an event happened; the exact reason a clerk reads."""

    NONE = ""
    NOT_REACHED = "not-reached"
    NO_REPLY = "no-reply"
    NOT_FHIR = "not-fhir"
    CUT_OFF = "cut-off"
    TOO_LARGE = "too-large"
    SERVER_FAULT = "server-fault"
    WRONG_ANSWER = "wrong-answer"
    WRONG_PATIENT = "wrong-patient"
    SERVER_BUSY = "server-busy"
    RECONNECT = "reconnect"
    NO_PERMISSION = "no-permission"
    ONLY_PEOPLE = "only-people"
    CHANGED_MEANWHILE = "changed-meanwhile"
    DUPLICATE_UPSTREAM = "duplicate-upstream"
    REFUSED = "refused"
    REDIRECTED = "redirected"
    PARTLY_THERE = "partly-there"
    TRIED_TOO_LONG = "tried-too-long"
    OWN_FAULT = "own-fault"
    CONSENT = "consent"
    NOT_VISIBLE_YET = "not-visible-yet"
    RESTORED = "restored"
    INTERRUPTED = "interrupted"
    SERVER_CHANGED = "server-changed"
    RECORD_MERGED = "record-merged"
    EARLIER_ANSWER = "earlier-answer"
    ASKED = "asked"


@dataclass(frozen=True)
class Words:
    """What happened, what is certain about the record, and what is safe to do next (English msgids)."""

    happened: str
    arrived: str
    next_step: str
    owner: str = "Front desk"


NOTHING = "Nothing of this was added to the record."
UNKNOWN = "It may or may not be in the record. Do not re-enter it before this is settled."
SOME = "Part of it is in the record; the list below says which part."

WORDS: dict[Reason, Words] = {
    Reason.RECONNECT: Words(
        "The clinic's server no longer accepts our sign-in.",
        NOTHING,
        "An administrator renews the connection, then send again.",
        "Administrator",
    ),
    Reason.ONLY_PEOPLE: Words(
        "The clinic's server knows Previsit only for people who sign in, so it cannot be written to.",
        NOTHING,
        "An administrator has Previsit registered there as a service and gives its client id on the connection's page, then send "
        "again. If that will not be: enter what was accepted by hand, and close this with that reason.",
        "Administrator",
    ),
    Reason.NO_PERMISSION: Words(
        "The clinic's server does not allow us to write this.",
        NOTHING,
        "An administrator asks the server's operator for the missing permission, then send again.",
        "Administrator",
    ),
    Reason.CHANGED_MEANWHILE: Words(
        "The record was changed by someone else after this was accepted.",
        NOTHING,
        "Review it again beside what the record says now.",
        "Reviewer",
    ),
    Reason.DUPLICATE_UPSTREAM: Words(
        "The clinic's server holds this more than once.",
        "It is in the record, more than once; the entries are listed below. Nothing was deleted.",
        "Ask the server's operator to remove the surplus entries, then check again.",
        "Administrator",
    ),
    Reason.REFUSED: Words(
        "The clinic's server refused the content.",
        NOTHING,
        "Read what the server said below. Review it again to correct what it refused, or enter it by hand and close this.",
        "Reviewer",
    ),
    Reason.REDIRECTED: Words(
        "The clinic's server sent us to another address, which we never follow.",
        NOTHING,
        "An administrator checks the address of the connection, then send again.",
        "Administrator",
    ),
    Reason.PARTLY_THERE: Words("Only part of it arrived.", SOME, "Send again: only what is missing will be sent."),
    Reason.TRIED_TOO_LONG: Words(
        "We tried for three days and did not get through.",
        UNKNOWN,
        "Find out with the server's operator what is wrong, then check and send again.",
        "Administrator",
    ),
    Reason.NOT_REACHED: Words(
        "The clinic's server could not be reached for three days.",
        NOTHING,
        "When the server is back, send again. If the visit is near, read the answers here.",
    ),
    Reason.NOT_FHIR: Words(
        "What answers at the server's address is not a FHIR server (perhaps a sign-in or maintenance page).",
        UNKNOWN,
        "An administrator checks the address and the network, then check and send again.",
        "Administrator",
    ),
    Reason.WRONG_PATIENT: Words(
        "The server's answer was about another patient. The privacy officer has been told.",
        UNKNOWN,
        "Do not send again before an administrator has talked to the server's operator.",
        "Privacy officer",
    ),
    Reason.WRONG_ANSWER: Words(
        "The server's answer does not fit what we sent. The privacy officer has been told.",
        UNKNOWN,
        "Do not send again before an administrator has talked to the server's operator.",
        "Privacy officer",
    ),
    Reason.OWN_FAULT: Words(
        "Previsit itself could not work on this item.",
        UNKNOWN,
        "An administrator reads the worker's log with the number of this item, then check and send again.",
        "Administrator",
    ),
    Reason.NOT_VISIBLE_YET: Words(
        "The clinic's server said that it took this, but it cannot be found there.",
        UNKNOWN,
        "Ask the server's operator whether it was removed. Send again only if it was lost.",
        "Administrator",
    ),
    Reason.SERVER_CHANGED: Words(
        "The server at this address is not the one that was confirmed.",
        NOTHING,
        "An administrator confirms the connection again, then send again.",
        "Administrator",
    ),
    Reason.RECORD_MERGED: Words(
        "This patient's record is no longer in use: it was merged into another, retired or removed.",
        NOTHING,
        "Open what they sent and say which record is theirs now, then review it again. If the record is back in use, send again.",
    ),
    Reason.EARLIER_ANSWER: Words(
        "The record already holds an earlier answer to this, and still says it.",
        NOTHING,
        "Review it again beside what the record says now. If it does not show the earlier answer there, correct that in the "
        "record by hand, and close this.",
        "Reviewer",
    ),
}
ELSE = Words("The delivery stopped.", UNKNOWN, "Check and send again, or close it with a reason.")


def words(reason: Reason) -> Words:
    """The three sentences of a held item; never empty."""
    return WORDS.get(reason, ELSE)


PATIENT_WORDS: dict[State, str] = {
    State.WAITING: "Your clinic has your answers. They are not yet in your medical record. Nothing for you to do.",
    State.NOT_CONFIRMED: "Your clinic has your answers. They are not yet in your medical record. Nothing for you to do.",
    State.CONFIRMED: "In your medical record since %(since)s.",
    State.HELD: "Your clinic has your answers and is sorting out a problem. Call if urgent.",
    State.WITHHELD: "You chose not to share this.",
    State.CLOSED: "Your clinic has your answers.",
}
"""What the patient reads (bar 3.3); msgids. CONFIRMED takes `since`."""
