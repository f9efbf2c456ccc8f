"""Whose word counts for a field, as the clinic says it, and what that does to a proposal. Pure.

Where the patient's word counts, what is otherwise unremarkable may be accepted together with others. Where the record's word
counts, or that of a system which feeds it, nothing is accepted unseen, and the card says why. Nothing is ever accepted or
rejected by itself.
"""

from collections.abc import Mapping
from dataclasses import replace

from portal.review.proposal import Proposal, Risk

RECORD_COUNTS = "For this the clinic goes by the record. Accept only what you have checked."
FEED_COUNTS = "Another system feeds this into the record and may overwrite a change. Correct it there too."
WARNS = {"record": RECORD_COUNTS, "feed": FEED_COUNTS}
SOURCES = frozenset({"patient", *WARNS})
"""A field that each answer is weighed for has no source of truth."""


def field_of(made: Proposal) -> str:
    """The field a proposal is about: its kind; of "how to reach the patient" which way."""
    if made.kind != "contact" or not made.rows:
        return made.kind
    name = made.rows[0].name.casefold()
    return "contact.address" if "address" in name else "contact.email" if "mail" in name else "contact.phone"


def weighed(made: Proposal, authority: Mapping[str, str]) -> Proposal:
    """The proposal as the clinic wants it looked at. What cannot wait stays urgent whoever says it."""
    source = authority.get(field_of(made), "")
    if source not in SOURCES or not made.open:
        return made
    again = made.reworded
    told = replace(made, authority=source, reworded=again and (lambda wording: weighed(again(wording), authority)))
    if made.change is None or made.risk is Risk.URGENT:
        return told
    if source in WARNS:
        return replace(told, risk=Risk.LOOK, reasons=(*made.reasons, WARNS[source]))
    plain = made.risk is Risk.LOOK and not made.reasons and not made.clinical
    return replace(told, risk=Risk.ROUTINE) if plain else told
