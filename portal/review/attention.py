"""What in a submission needs a person, and why, for the queue: told from what is kept, without asking the clinic. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from portal.fhir.resources import Json, objects_at


@dataclass(frozen=True)
class Why:
    """One reason to look, as an English msgid; `care` for those that should stand out. The queue can be narrowed to a `key`."""

    key: str
    words: str
    care: bool = False


@dataclass(frozen=True)
class Around:
    """What is known beside the submission itself: whose record, which time it was sent, what the record and its delivery do."""

    tied: bool = True
    round: int = 1
    stale: bool = False
    held: bool = False
    retired: bool = False
    """the record was merged into another or set aside"""


DIFFERS = frozenset({"changed", "stopped", "added"})
NAMED = frozenset({"allergy", "medication", "condition", "contact"})
RULES: tuple[tuple[Callable[[Json], bool], Why], ...] = (
    (
        lambda fact: fact["kind"] == "allergy" and fact["answer"] in ("stopped", "changed"),
        Why("allergy", "An allergy changed", True),
    ),
    (lambda fact: fact["kind"] == "allergy" and fact["answer"] == "added", Why("allergy", "A new allergy", True)),
    (lambda fact: fact["answer"] == "unsure", Why("unsure", "The patient is not sure of something")),
    (
        lambda fact: fact["kind"] == "medication" and fact["answer"] == "stopped",
        Why("medication", "A medicine is no longer taken"),
    ),
    (
        lambda fact: fact["kind"] == "medication" and fact["answer"] in ("changed", "added"),
        Why("medication", "Medicines changed"),
    ),
    (lambda fact: fact["kind"] == "condition" and fact["answer"] in DIFFERS, Why("condition", "Conditions changed")),
    (lambda fact: fact["kind"] == "contact" and fact["answer"] in DIFFERS, Why("contact", "Contact details changed")),
    (lambda fact: fact["kind"] not in NAMED and fact["answer"] in DIFFERS, Why("other", "Something else changed")),
)
TODAY = Why("today", "Something here needs a clinician today", True)
NOT_TIED = Why("untied", "Not tied to one record", True)
RETIRED = Why("untied", "Their record was merged into another or set aside", True)
HELD = Why("held", "On its way to the record, it was stopped", True)
CONTRADICTED = Why("conflict", "Two people answered differently", True)
STALE = Why("stale", "The record changed after the patient was asked", True)
REMARKABLE = Why("screen", "A result of a form needs a look", True)
SAYS_ALLERGY = Why("allergy", "A form tells of an allergy", True)
ANSWERED = Why("answered", "Answered your questions")
ENTRIES = Why("forms", "A form tells something for the record")
UNCHANGED = Why("nothing", "Nothing changed in the record's facts")

FILTERS: dict[str, str] = {
    "today": "For a clinician today",
    "untied": "Whose record it is",
    "held": "Stopped on the way",
    "conflict": "People disagree",
    "screen": "Results to look at",
    "allergy": "Allergies",
    "stale": "The record moved on",
    "answered": "Answered a question",
}
"""What the queue can be narrowed to, in the order in which it presses."""


def attention(document: Json, around: Around) -> tuple[Why, ...]:
    """The reasons, most pressing first; never empty."""
    facts = objects_at(document, "facts")
    found = [why for rule, why in RULES if any(rule(fact) for fact in facts)]
    says = document.get("says") or ()
    first = [
        (bool(document.get("urgent")), TODAY),
        (not around.tied, NOT_TIED),
        (around.retired, RETIRED),
        (around.held, HELD),
        (bool(document.get("conflicts")), CONTRADICTED),
        (around.stale, STALE),
        (bool(document.get("looks")), REMARKABLE),
        ("AllergyIntolerance" in says, SAYS_ALLERGY),
    ]
    again = [ANSWERED] if around.round > 1 else []
    told = [ENTRIES] if document.get("told") else [UNCHANGED]
    pressing = [why for holds, why in first if holds]
    return (*pressing, *again, *(found or ([] if "AllergyIntolerance" in says else told)))


def to_decide(document: Json) -> int:
    """How many facts the patient did not simply confirm, and how many entries their forms make."""
    told = document.get("told")
    facts = sum(1 for fact in objects_at(document, "facts") if fact["answer"] != "same")
    return facts + (told if isinstance(told, int) else 0)


def pressing(why: tuple[Why, ...]) -> int:
    """How far up a submission belongs: 0 is the most pressing."""
    order = list(FILTERS)
    return min((order.index(each.key) for each in why if each.key in FILTERS and each.care), default=len(order))
