"""What a clinic asks its patients to confirm: which blocks, how often, whose word counts for what, and the names it suggests.

A clinic that said nothing has the rows of `sections` and WORDS_COUNT. `recorded` asks about a block only where the record has
something about it; an answer counts for `days` (0: it is asked before every visit).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.actors import Actor, Permission, Role
from portal.audit import service as audit
from portal.audit.events import Event
from portal.db import session, transaction
from portal.errors import NotAllowed
from portal.intake.models import AskedRules
from portal.intake.sections import ORDER, SECTIONS

Json = dict[str, Any]
ALWAYS, RECORDED, NEVER = "always", "recorded", "never"
ASKED = (ALWAYS, RECORDED, NEVER)
DAYS = (0, 7, 30, 90, 180, 365)
PATIENT, RECORD, FEED, EITHER = "patient", "record", "feed", "either"
AUTHORITIES = (EITHER, PATIENT, RECORD, FEED)
WORDS_COUNT: dict[str, str] = {
    "contact.phone": PATIENT,
    "contact.email": PATIENT,
    "contact.address": PATIENT,
    "person": PATIENT,
    "pharmacy": PATIENT,
    **{key: EITHER for key in ORDER if key not in ("contact", "person", "pharmacy")},
}
"""Whose word counts for a field, unless the clinic says otherwise; the fields of "how to reach you" are told apart."""
CLAIM = 30
CLAIMS = (10, 20, 30, 60, 120)
MOST_NAMES, LONGEST_NAME = 2000, 120


@dataclass(frozen=True)
class Rule:
    """How one block is asked."""

    asked: str
    days: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """Everything a clinic says about it."""

    blocks: Mapping[str, Rule]
    authority: Mapping[str, str] = field(default_factory=dict)
    claim: int = CLAIM
    """for how many minutes what somebody at the desk has taken to work on stays theirs"""


def usual() -> Asked:
    return Asked({key: Rule(block.asked, block.days) for key, block in SECTIONS.items()}, WORDS_COUNT)


def asked(clinic_id: str | None) -> Asked:
    """What this clinic asks; a block or field that it said nothing about is as usual."""
    row = session().get(AskedRules, clinic_id) if clinic_id else None
    return read(row.document) if row else usual()


def read(document: Mapping[str, Any]) -> Asked:
    """As stored. What nobody could have meant counts as not said."""
    said, words = _object(document.get("blocks")), _object(document.get("authority"))
    blocks = {key: _rule(rule, _object(said.get(key))) for key, rule in usual().blocks.items()}
    authority = {name: words[name] if words.get(name) in AUTHORITIES else usual for name, usual in WORDS_COUNT.items()}
    return Asked(blocks, authority, document["claim"] if document.get("claim") in CLAIMS else CLAIM)


def _rule(usual: Rule, said: Json) -> Rule:
    return Rule(
        said["asked"] if said.get("asked") in ASKED else usual.asked,
        said["days"] if said.get("days") in DAYS and not isinstance(said["days"], bool) else usual.days,
        names_of(said.get("names") or ()),
    )


def _object(held: Any) -> Json:
    return held if isinstance(held, dict) else {}


def names_of(lines: Iterable[Any]) -> tuple[str, ...]:
    """A list of names as typed: each once, in its order, no longer and no more than a page can hold."""
    kept = (" ".join(each.split())[:LONGEST_NAME] for each in lines if isinstance(each, str))
    return tuple(dict.fromkeys(each for each in kept if each))[:MOST_NAMES]


def stored(rules: Asked) -> Json:
    return {
        "blocks": {
            key: {"asked": rule.asked, "days": rule.days, "names": list(rule.names)}
            for key, rule in rules.blocks.items()
        },
        "authority": dict(rules.authority),
        "claim": rules.claim,
    }


def set_asked(actor: Actor, rules: Asked) -> None:
    """For administrators, and the system (the command line). What is begun already keeps its answers."""
    if actor.role is not Role.SYSTEM and not actor.may(Permission.MANAGE_FORMS):
        raise NotAllowed
    with transaction() as current:
        row = current.get(AskedRules, actor.clinic_id)
        if row is None:
            current.add(AskedRules(clinic_id=actor.clinic_id, document=stored(rules)))
        else:
            row.document = stored(rules)
        audit.record(actor, Event.ASKED_CHANGED, subject=f"clinics:{actor.clinic_id}")
