"""What a server can do, and what each of it means for the clinic: the table behind the administrator's page. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from portal.ehr import scopes
from portal.ehr.capabilities import Capabilities
from portal.fhir.resources import Json


@dataclass(frozen=True)
class Ability:
    """One line: `name` of the ability, whether the server has it, and what that means, as English msgids."""

    name: str
    has: bool
    meaning: str


@dataclass(frozen=True)
class _Line:
    name: str
    holds: Callable[[Capabilities], bool]
    yes: str
    no: str


CREATED = ("QuestionnaireResponse", "Consent")
"""Provenance has no identifier in R4: it is told by the answers it belongs to."""
CHANGED = ("Patient", "AllergyIntolerance", "Condition", "MedicationStatement")

LINES = (
    _Line(
        "FHIR R4",
        lambda can: can.readable,
        "We understand what it stores.",
        "We do not read this version. Nothing is read from or sent to this server.",
    ),
    _Line(
        "Transactions",
        lambda can: can.transaction,
        "Accepted answers arrive all together or not at all.",
        "Accepted answers are sent one by one. A delivery is called complete only when every part has arrived.",
    ),
    _Line(
        "Conditional create",
        lambda can: all(can.conditional_create(kind) for kind in CREATED),
        "The server itself refuses to store the same answers twice.",
        "Before anything is sent again we look whether it has arrived.",
    ),
    _Line(
        "Search by our identifier",
        lambda can: all("identifier" in can.of(kind).params for kind in ("QuestionnaireResponse", "Consent")),
        "When an answer of the server is lost we can check what has arrived.",
        "When an answer of the server is lost a person has to check what has arrived.",
    ),
    _Line(
        "Versions",
        lambda can: all(can.of(kind).versioning == "versioned-update" for kind in CHANGED if kind in can.types),
        "A change is refused when somebody changed the same entry meanwhile.",
        "Before a change is sent we read the entry again, because the server does not check for itself.",
    ),
    _Line(
        "Appointments with their patients",
        lambda can: "Appointment:patient" in can.of("Appointment").includes or "*" in can.of("Appointment").includes,
        "Upcoming visits are found with the patient they are for.",
        "The server does not say that it names the patient with each appointment. Look at the list of visits after the first look.",
    ),
    _Line(
        "Patients by name and birth date",
        lambda can: {"family", "birthdate"} <= can.of("Patient").params,
        "Somebody who is new here can be tied to their record.",
        "Staff have to look up a new person's record by hand.",
    ),
    _Line(
        "Test results",
        lambda can: can.offers("Observation") and can.offers("DiagnosticReport"),
        "Patients can read their results here.",
        "Results cannot be shown here.",
    ),
)


def abilities(can: Capabilities) -> list[Ability]:
    """Every line of the table for one server; [] before it said anything."""
    if not can.known:
        return []
    return [Ability(line.name, line.holds(can), line.yes if line.holds(can) else line.no) for line in LINES]


def lost_and_new(before: Iterable[str], can: Capabilities) -> tuple[list[str], list[str]]:
    """Names of abilities that were there when the server was confirmed and are gone, and of those that have come."""
    known, now = set(before), {each.name for each in abilities(can) if each.has}
    names = [line.name for line in LINES]
    return [each for each in names if each in known - now], [each for each in names if each in now - known]


WITHOUT_SERVICE = (
    Ability("Staff open Previsit from inside the system", True, "Set it at “Signing in of patients and staff”."),
    Ability("Patients sign in there", True, "Only patients whose record is tied to their account here: see below."),
    Ability(
        "Patients connect their record",
        True,
        "Their record is read while they are signed in, with their own permission. Staff see what was read then.",
    ),
    Ability("Visits are found by themselves", False, "Invite patients by hand, on the list of visits."),
    Ability(
        "New patients are tied to their record",
        False,
        "Previsit cannot look for anybody. Only those who are tied already can connect or sign in there.",
    ),
    Ability(
        "Accepted answers reach the record",
        False,
        "They are held here, to be read and entered by hand, until the system knows Previsit as a service.",
    ),
)
"""What works, and what does not, where only people sign in: system scopes are a service's."""

# -- one kind of entry after the other ---------------------------------------------------------------------------------

VERBS = {"r": "read", "s": "search", "c": "add", "u": "change"}
SEARCHED: dict[str, tuple[str, ...]] = {
    "Patient": ("identifier", "family", "birthdate"),
    "MedicationRequest": ("patient",),
    "MedicationStatement": ("patient",),
    "AllergyIntolerance": ("patient",),
    "Condition": ("patient",),
    "Coverage": ("patient",),
    "RelatedPerson": ("patient",),
    "Appointment": ("patient", "date"),
    "Observation": ("patient", "category"),
    "DiagnosticReport": ("patient", "category"),
    "Immunization": ("patient",),
    "Procedure": ("patient",),
    "FamilyMemberHistory": ("patient",),
    "CareTeam": ("patient",),
    "QuestionnaireResponse": ("identifier",),
    "Consent": ("identifier",),
}
"""The search parameters that we use."""


@dataclass(frozen=True)
class Use:
    """One kind of entry: what we may do with it, what we asked for and did not get, what it cannot be searched by, and so what."""

    kind: str
    may: tuple[str, ...]
    refused: tuple[str, ...]
    unsearchable: tuple[str, ...]
    meaning: str

    @property
    def good(self) -> bool:
        return not self.refused and not self.unsearchable


def uses(can: Capabilities, granted: str | None) -> list[Use]:
    """A line for each kind we need; [] before the server let us in. Words are English msgids."""
    return [_use(kind, letters, can, granted) for kind, letters in scopes.NEEDS.items()] if granted else []


def _use(kind: str, letters: str, can: Capabilities, granted: str) -> Use:
    may = tuple(VERBS[each] for each in letters if scopes.permits(granted, kind, each))
    refused = tuple(VERBS[each] for each in letters if not scopes.permits(granted, kind, each))
    without = tuple(each for each in SEARCHED.get(kind, ()) if not can.finds(kind, each))
    if not can.offers(kind):
        return Use(kind, (), tuple(VERBS[each] for each in letters), (), "The server does not keep this kind of entry.")
    return Use(kind, may, refused, without, _so_what(set(refused), without))


def _so_what(refused: set[str], without: tuple[str, ...]) -> str:
    if refused & {"read", "search"}:
        return "Shown as “could not look”."
    if refused:
        return "Accepted answers of this kind are held."
    return "Looked for without it, and checked here." if without else ""


# -- how people sign in there --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Said:
    name: str
    holds: Callable[[Json], bool]
    yes: str
    no: str


def _lists(name: str, *wanted: str) -> Callable[[Json], bool]:
    return lambda document: bool(set(wanted) & set(document.get(name) or ()))


SIGN_IN_LINES = (
    _Said(
        "Safe sign-in (PKCE)",
        _lists("code_challenge_methods_supported", "S256"),
        "People can sign in there.",
        "Nobody can sign in there: without it a sign-in could be stolen on the way.",
    ),
    _Said(
        "Says who signed in",
        lambda document: bool(document.get("issuer")),
        "Patients can use it to sign in here, staff can open the desk from inside it.",
        "Patients can connect their record, but nobody can use it to sign in here.",
    ),
    _Said(
        "Opens other applications",
        _lists("capabilities", "launch-ehr"),
        "Staff can open Previsit from inside it, with the patient who is open there.",
        "It does not say that it can open Previsit from inside.",
    ),
    _Said(
        "Asks patients which record",
        _lists("capabilities", "launch-standalone", "context-standalone-patient"),
        "Patients can connect their record from here.",
        "It does not say that patients can sign in from here.",
    ),
    _Said(
        "Lasting permission",
        _lists("capabilities", "permission-offline"),
        "A patient connects once.",
        "A patient may have to connect again at each visit.",
    ),
    _Said(
        "Takes permissions back",
        lambda document: bool(document.get("revocation_endpoint")),
        "When a patient ends their permission the server is told at once.",
        "When a patient ends their permission our copy is destroyed; the server's own runs out by itself.",
    ),
    _Said(
        "Names itself in its answers",
        lambda document: document.get("authorization_response_iss_parameter_supported") is True,
        "An answer that claims to be another server's is refused.",
        "Answers are told apart by an address of their own for each server.",
    ),
)


def for_people(document: Json | None) -> list[Ability]:
    """What a server says of sign-ins; [] before it said anything."""
    if not document:
        return []
    said = [(line, line.holds(document)) for line in SIGN_IN_LINES]
    return [Ability(line.name, has, line.yes if has else line.no) for line, has in said]
