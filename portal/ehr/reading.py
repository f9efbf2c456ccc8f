"""What is known of a record: known, none, or could not look; read when, from where, complete or not, and why not newer. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from portal.ehr.errors import (
    Changed,
    EhrError,
    FilterIgnored,
    NoCredential,
    NotFhir,
    NotPermitted,
    NotReached,
    NotSmart,
    NotThere,
    OnlyPeople,
    Refused,
    TryLater,
    Unregistered,
)
from portal.fhir.resources import Json, key_of


class Kind(StrEnum):
    """What can be read of a patient's record."""

    PATIENT = "patient"
    MEDICATIONS = "medications"
    ALLERGIES = "allergies"
    CONDITIONS = "conditions"
    COVERAGE = "coverage"
    RELATED = "related"
    APPOINTMENTS = "appointments"
    LABS = "labs"
    VITALS = "vitals"
    IMMUNIZATIONS = "immunizations"
    PROCEDURES = "procedures"
    FAMILY = "family"
    SURVEYS = "surveys"
    TEAM = "team"


class State(StrEnum):
    """`NONE` means: looked, completely, and nothing was there. `COULD_NOT_LOOK` is never drawn as `NONE`."""

    KNOWN = "known"
    NONE = "none"
    COULD_NOT_LOOK = "could-not-look"


class Reason(StrEnum):
    """Why there is nothing, or nothing newer."""

    NOT_LINKED = "not-linked"
    NO_CONNECTION = "no-connection"
    NOT_READ_YET = "not-read-yet"
    UNREACHABLE = "unreachable"
    SLOW = "slow"
    BUSY = "busy"
    CREDENTIAL = "credential"
    PERMISSION = "permission"
    UNREADABLE = "unreadable"
    FILTER_IGNORED = "filter-ignored"
    REFUSED = "refused"
    GONE = "gone"
    NOT_OFFERED = "not-offered"
    VERSION = "version"
    PAUSED = "paused"
    CHANGED = "changed"
    OTHER_PATIENT = "other-patient"
    TOO_MUCH = "too-much"
    ELSEWHERE = "elsewhere"
    ONLY_PEOPLE = "only-people"


WORDS: dict[Reason, str] = {
    Reason.NOT_LINKED: "Your clinic has not yet tied this account to your medical record.",
    Reason.NO_CONNECTION: "Your clinic has not connected its system.",
    Reason.NOT_READ_YET: "We have not read this from your clinic yet.",
    Reason.UNREACHABLE: "Your clinic's system cannot be reached at the moment.",
    Reason.SLOW: "Your clinic's system did not answer in time.",
    Reason.BUSY: "Your clinic's system is busy at the moment.",
    Reason.CREDENTIAL: "Your clinic's system did not let us in. The clinic has been told.",
    Reason.PERMISSION: "Your clinic's system does not let us read this.",
    Reason.UNREADABLE: "Your clinic's system gave an answer that we could not read.",
    Reason.FILTER_IGNORED: "Your clinic's system did not answer the question we asked.",
    Reason.REFUSED: "Your clinic's system refused to answer.",
    Reason.GONE: "Your clinic's system no longer has this record.",
    Reason.NOT_OFFERED: "Your clinic's system does not keep this kind of information.",
    Reason.VERSION: "Your clinic's system speaks a version that we cannot read.",
    Reason.PAUSED: "The connection to your clinic's system is paused.",
    Reason.CHANGED: "Your clinic's system has changed and has to be confirmed first.",
    Reason.OTHER_PATIENT: "Some entries could not be shown to be yours and were left out. The clinic has been told.",
    Reason.TOO_MUCH: "There is more than we could read.",
    Reason.ELSEWHERE: "It is kept in a place that this site does not read.",
    Reason.ONLY_PEOPLE: "Your clinic's system shows this only to people who sign in there.",
}
"""English msgids, one sentence each, for the patient."""

REASONS: tuple[tuple[type[EhrError], Reason], ...] = (
    (Changed, Reason.CHANGED),
    (NoCredential, Reason.CREDENTIAL),
    (NotSmart, Reason.CREDENTIAL),
    (OnlyPeople, Reason.ONLY_PEOPLE),
    (NotPermitted, Reason.PERMISSION),
    (NotThere, Reason.GONE),
    (TryLater, Reason.BUSY),
    (FilterIgnored, Reason.FILTER_IGNORED),
    (NotFhir, Reason.UNREADABLE),
    (Refused, Reason.REFUSED),
    (Unregistered, Reason.UNREADABLE),
)
FAILURES = {"timeout": Reason.SLOW, "truncated": Reason.UNREADABLE, "too-large": Reason.TOO_MUCH}
PASSING = frozenset({Reason.UNREACHABLE, Reason.SLOW, Reason.BUSY, Reason.CREDENTIAL})
"""Reasons that say something about the whole server for a while, so that the next question can wait."""


def reason_of(error: EhrError) -> Reason:
    if isinstance(error, NotReached):
        return FAILURES.get(error.failure, Reason.UNREACHABLE)
    if isinstance(error, Refused) and error.code == 401:
        return Reason.CREDENTIAL
    if isinstance(error, Refused) and error.code >= 500 and not isinstance(error, TryLater):
        return Reason.UNREACHABLE
    return next((reason for kind, reason in REASONS if isinstance(error, kind)), Reason.UNREADABLE)


@dataclass(frozen=True)
class Reading:
    """One kind of one patient's record as far as we know it.

    `resources` are raw FHIR, each proved to be this patient's; `beside` are what they refer to (medications, performers).
    `read_at` and `source` belong to them. `reason` is set when the newest try failed (then what is here is `older`) or when
    there is nothing to show; `complete` is False when entries were left out or not fetched.
    """

    kind: Kind
    state: State
    resources: tuple[Json, ...] = ()
    beside: tuple[Json, ...] = ()
    read_at: datetime | None = None
    source: str = ""
    complete: bool = False
    reason: Reason | None = None
    tried_at: datetime | None = None
    older: bool = False

    @property
    def caveat(self) -> str:
        """What must be said beside what is shown: "older" (the newest look failed), "partial" (not everything was read), or ""."""
        if not self.looked or self.reason is None:
            return ""
        return "older" if self.older else "partial"

    @property
    def sentence(self) -> str | None:
        """The reason in words (an English msgid)."""
        return WORDS[self.reason] if self.reason else None

    @property
    def looked(self) -> bool:
        return self.state is not State.COULD_NOT_LOOK

    def age(self, now: datetime) -> timedelta | None:
        return now - self.read_at if self.read_at else None

    def find(self, key: str) -> Json | None:
        """The resource `Type/id` of this reading."""
        return next((each for each in self.resources if key_of(each) == key), None)

    def neighbours(self) -> dict[str, Json]:
        """Everything read, by `Type/id`, for following references."""
        return {key_of(each): each for each in (*self.beside, *self.resources)}

    def __repr__(self) -> str:
        return f"Reading({self.kind}, {self.state}, {len(self.resources)} resources, reason={self.reason})"


def state_for(resources: int, complete: bool) -> State:
    """Nothing found counts as none only when everything was looked at."""
    if resources:
        return State.KNOWN
    return State.NONE if complete else State.COULD_NOT_LOOK


def could_not_look(kind: Kind, reason: Reason, tried_at: datetime | None = None, source: str = "") -> Reading:
    return Reading(kind, State.COULD_NOT_LOOK, reason=reason, tried_at=tried_at, source=source)
