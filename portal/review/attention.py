"""What in a submission needs a person, told from the submission alone, for the queue. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from portal.fhir.resources import Json, objects_at


@dataclass(frozen=True)
class Why:
    """One reason to look, as an English msgid; `care` for those that should stand out."""

    words: str
    care: bool = False


RULES: tuple[tuple[Callable[[Json], bool], Why], ...] = (
    (
        lambda fact: fact["kind"] == "allergy" and fact["answer"] in ("stopped", "changed"),
        Why("An allergy changed", True),
    ),
    (lambda fact: fact["kind"] == "allergy" and fact["answer"] == "added", Why("A new allergy", True)),
    (lambda fact: fact["answer"] == "unsure", Why("The patient is not sure of something")),
    (lambda fact: fact["kind"] == "medication" and fact["answer"] == "stopped", Why("A medicine is no longer taken")),
    (lambda fact: fact["kind"] == "medication" and fact["answer"] in ("changed", "added"), Why("Medicines changed")),
    (lambda fact: fact["kind"] == "condition" and fact["answer"] not in ("same", "unsure"), Why("Conditions changed")),
    (
        lambda fact: fact["kind"] == "contact" and fact["answer"] not in ("same", "unsure"),
        Why("Contact details changed"),
    ),
)
TODAY = Why("Something here needs a clinician today", True)
CONTRADICTED = Why("Two people answered differently", True)
NOT_TIED = Why("Not tied to one record", True)
ANSWERED = Why("Answered your questions")
UNCHANGED = Why("Nothing changed in the record's facts")


def attention(document: Json, *, tied: bool, round: int) -> tuple[Why, ...]:
    """The reasons, most pressing first; never empty."""
    facts = objects_at(document, "facts")
    found = [why for rule, why in RULES if any(rule(fact) for fact in facts)]
    first = ([TODAY] if document.get("urgent") else []) + ([NOT_TIED] if not tied else [])
    first += [CONTRADICTED] if document.get("conflicts") else []
    again = [ANSWERED] if round > 1 else []
    return (*first, *again, *(found or [UNCHANGED]))


def to_decide(document: Json) -> int:
    """How many facts the patient did not simply confirm, and how many entries their forms make."""
    told = document.get("told")
    facts = sum(1 for fact in objects_at(document, "facts") if fact["answer"] != "same")
    return facts + (told if isinstance(told, int) else 0)
