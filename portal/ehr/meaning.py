"""What a server can do, and what each of it means for the clinic: the table behind the administrator's page. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from portal.ehr.capabilities import Capabilities


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
