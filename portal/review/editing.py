"""Accept in other words: what was typed, held to the rules the patient's own words are held to. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from portal import dates
from portal.errors import Issue
from portal.fhir import structure
from portal.fhir.resources import text_at
from portal.review.proposal import Proposal, Risk, Wording

MOST_WORDS = 1000
LABELS: dict[tuple[str, str], str] = {
    ("contact", "text"): "What it should say",
    ("medication", "text"): "Medicine",
    ("medication", "more"): "How to take it",
    ("allergy", "text"): "Allergy or intolerance",
    ("allergy", "more"): "Reaction",
    ("condition", "text"): "Condition",
    ("condition", "more"): "Since",
    ("person", "text"): "Name",
    ("coverage", "text"): "Insurer",
    ("procedure", "text"): "What was done",
    ("procedure", "more"): "When",
    ("immunization", "text"): "Vaccine",
    ("immunization", "more"): "When",
    ("family", "text"): "Relative",
    ("family", "more"): "What they had",
    ("pharmacy", "text"): "Pharmacy",
    ("careteam", "text"): "Who looks after the patient",
    ("careteam", "more"): "As what",
}
"""What a field is called where the patient added something, by kind and field."""
NAMES: dict[str, str] = {
    "name": "Name",
    "relation": "Relation",
    "phone": "Phone",
    "insurer": "Insurer",
    "plan": "Plan",
    "member": "Member number",
    "value": "Result",
    "choice": "Answer",
    "when": "When",
}
"""What a part is called whatever the kind."""
CHANGED: dict[str, str] = {"contact": "What it should say", "medication": "How to take it", "pharmacy": "Pharmacy"}
"""What it is called where they changed something the record has."""


@dataclass(frozen=True)
class Reworded:
    """The proposal in other words; with `issues` it may not be accepted like that."""

    proposal: Proposal
    words: Mapping[str, str]
    issues: list[Issue] = field(default_factory=list)


def label(proposal: Proposal, name: str) -> str:
    """English words for one field of what the patient wrote; a number with the unit that stays."""
    unit = text_at(proposal.change.resource, "valueQuantity", "unit") if proposal.change else ""
    if name == "value" and unit:
        return f"{NAMES[name]} ({unit})"
    if name in NAMES:
        return NAMES[name]
    if proposal.answer.value == "changed":
        return CHANGED.get(proposal.kind, "What is different")
    return LABELS.get((proposal.kind, name), "In other words" if name == "text" else "More about it")


def reworded(proposal: Proposal, typed: Mapping[str, str], by: str, looked: str = "") -> Reworded:
    """What `by` typed in place of the patient's words. `looked` is the mark of what they were shown of it before.

    Words that bring up something nobody has looked at yet (the name of a medicine that the patient takes, an entry of the
    same name) come back once as an issue.
    """
    words = {name: typed.get(name, before).strip() for name, before in proposal.words}
    if proposal.reworded is None or not words:
        return Reworded(proposal, {}, [_issue(proposal, "edit", "There are no words of the patient to change here.")])
    wrong = _wrong(proposal, words)
    if wrong:
        return Reworded(proposal, words, wrong)
    made, where = proposal.reworded(Wording(words, by)), f"edit-{proposal.words[0][0]}"
    if made.change is None:
        why = " ".join(made.reasons) or made.effect
        text = "In these words nothing would be written: %(why)s"
        return Reworded(made, words, [_issue(proposal, where, text, why=why)])
    if _broken(made) - _broken(proposal):
        return Reworded(made, words, [_issue(proposal, where, "In these words it cannot be written.")])
    risen = _risen(proposal, made)
    if risen and looked != made.fingerprint:
        return Reworded(made, words, [_issue(proposal, where, "Look once more: %(why)s", why=" ".join(risen))])
    return Reworded(made, words)


def differs(proposal: Proposal, typed: Mapping[str, str]) -> bool:
    """Whether these are other words than the patient's."""
    return any(typed.get(name, before).strip() != before.strip() for name, before in proposal.words)


def said(proposal: Proposal) -> str:
    """What a proposal says, as one line; the day of a result is that of sending, and nobody's words."""
    unsaid = "Date" if proposal.kind == "observation" else ""
    return (
        "; ".join(dates.spoken(row.said) for row in proposal.rows if row.said and row.name != unsaid) or proposal.title
    )


def _broken(made: Proposal) -> set[str]:
    return {str(each) for each in structure.problems(made.change.resource)} if made.change else set()


def _wrong(proposal: Proposal, words: Mapping[str, str]) -> list[Issue]:
    first = proposal.words[0][0]
    if not words.get("text", "".join(words.values())):
        return [_issue(proposal, f"edit-{first}", "Write what is to stand in the record instead.")]
    return [
        _issue(proposal, f"edit-{name}", "Use %(most)s characters or fewer", most=MOST_WORDS)
        for name, text in words.items()
        if len(text) > MOST_WORDS
    ]


def _risen(before: Proposal, made: Proposal) -> list[str]:
    """What these words bring up that the patient's did not."""
    new = [reason for reason in made.reasons if reason not in before.reasons]
    return new or (["These words need a closer look."] if _higher(made.risk, before.risk) else [])


def _higher(one: Risk, other: Risk) -> bool:
    order = list(Risk)
    return order.index(one) > order.index(other)


def _issue(proposal: Proposal, where: str, text: str, **params: object) -> Issue:
    return Issue(f"{proposal.key}-{where}", "wording", text, params)
