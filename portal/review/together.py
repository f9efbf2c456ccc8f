"""What may be accepted together with others: what is let in is listed here, everything else is decided by itself. Pure.

Accepting together means that a person has read one line and not the card. So only what is plain gets in: how to reach somebody
where nothing is taken away, a result that a rule of the clinic knows to be unremarkable, and what the clinic says the patient's
word counts for; each only where nothing about it, or about the submission as a whole, asks for a look.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from portal.attention.results import UNKNOWN, Finding
from portal.fhir.resources import Json, text_at
from portal.fhir.values import codes_of
from portal.review.alike import plain
from portal.review.proposal import CLOSER, Answer, Proposal, Risk

PLAIN: Mapping[str, frozenset[Answer]] = dict.fromkeys(
    ("contact", "person", "pharmacy", "careteam"), frozenset({Answer.CHANGED, Answer.ADDED})
)
"""Kinds and answers that need no closer look by themselves: nothing clinical, and nothing is taken out of use."""
OF_A_CHILD = frozenset({"parent", "guardian"})

NO_CODE = "It is in the patient's own words, without a code."
NO_RULE = "No rule of the clinic says when this result is unremarkable."
NOT_PLAIN = "Changes of this kind are looked at one by one."
SAID_TWICE = "The patient said something else about the same thing, too."
ANSWERED_FOR = "Somebody else answered for the patient."
AGAIN = "It was sent again after a first look."
TIE_IN_DOUBT = "A person said whose record this is; the details alone do not."
WHOLE = frozenset({ANSWERED_FOR, AGAIN, TIE_IN_DOUBT})
"""Why nothing of a submission is accepted together."""


@dataclass(frozen=True)
class Around:
    """What is known beside a proposal: `whole` is why nothing of this submission is accepted together ("": it may be),
    `finding` what the clinic's rules say of a result."""

    whole: str = ""
    finding: Callable[[Json], Finding] = lambda _: UNKNOWN


def judged(made: Iterable[Proposal], document: Json, around: Around) -> list[Proposal]:
    """Every proposal with why it is decided by itself; a result that a rule finds remarkable with that as a reason."""
    found = [_result(each, around) for each in made]
    names = Counter(name for each in found if each.open for name in _names(each))
    twice = {name for name, count in names.items() if count > 1}
    whole = around.whole or (ANSWERED_FOR if _by_another_adult(document) else "")
    return [replace(each, alone=whole or _alone(each, twice, around)) if each.open else each for each in found]


def _result(made: Proposal, around: Around) -> Proposal:
    if not made.form or made.change is None or not made.open:
        return made
    words = around.finding(made.change.resource).words
    if not words:
        return made
    risk = made.risk if made.risk is Risk.URGENT else Risk.LOOK
    return replace(made, risk=risk, reasons=(words, *made.reasons), reworded=_keeping(made, around))


def _keeping(made: Proposal, around: Around) -> Callable[..., Proposal] | None:
    again = made.reworded
    return again and (lambda wording: _result(again(wording), around))


def _alone(made: Proposal, twice: Collection[str], around: Around) -> str:
    if made.change is None or made.risk is not Risk.ROUTINE or made.reasons or made.stale or made.contested:
        return CLOSER
    if any(name in twice for name in _names(made)):
        return SAID_TWICE
    if made.answer in PLAIN.get(made.kind, ()) or (made.authority == "patient" and not made.clinical):
        return ""
    if made.kind == "observation":
        return "" if around.finding(made.change.resource).plain else NO_RULE
    if made.clinical and not codes_of(made.change.resource.get("code")):
        return NO_CODE
    return NOT_PLAIN


def _names(made: Proposal) -> list[str]:
    """What it is about, so that something said twice is found: a thing by its name, a result by its codes too."""
    if made.picture:
        return []
    resource = made.change.resource if made.change else {}
    codes = codes_of(resource.get("code")) if made.kind == "observation" else ()
    return [f"{made.kind}|{plain(made.title)}", *(f"{system}|{code}" for system, code in codes)]


def _by_another_adult(document: Json) -> bool:
    """A parent's word about a child is as good as one gets; anybody else's about an adult is looked at."""
    relation = text_at(document, "by", "behalf", "relation")
    return bool(relation) and relation not in OF_A_CHILD
