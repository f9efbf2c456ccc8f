"""What the patient told in a round that is in the record already, and tells otherwise now: corrected there, not added again. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from portal.fhir.resources import Json, identifiers, objects_at, text_at
from portal.fhir.values import concept_text
from portal.review import words
from portal.review.alike import plain
from portal.review.payload import IDENTIFIER_SYSTEM, name_for
from portal.review.proposal import Answer
from portal.review.ruling import ALREADY, CORRECTS, Case, Rules, Ruling, update

MOST = 30
OF_THEIRS = (
    "reaction",
    "dosage",
    "onsetDateTime",
    "onsetString",
    "performedDateTime",
    "performedString",
    "occurrenceDateTime",
    "occurrenceString",
    "condition",
    "class",
    "subscriberId",
)
"""What the patient's words go into. Everything else of the entry may have been decided at the clinic since, and stays."""


@dataclass(frozen=True)
class Earlier:
    """The submissions of this visit that are in the record (newest first), and what each thing was called that they added."""

    rounds: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)


def earlier(document: Json, rounds: Mapping[str, Json]) -> Earlier:
    """Names by the key of the fact, but for those that another fact goes by now."""
    now = {plain(_called(fact)): text_at(fact, "key") for fact in objects_at(document, "facts")}
    told = [fact for held in reversed(list(rounds.values())) for fact in objects_at(held, "facts")]
    added = {text_at(fact, "key"): _called(fact) for fact in told if text_at(fact, "answer") == Answer.ADDED}
    return Earlier(tuple(rounds), {key: name for key, name in added.items() if now.get(plain(name), key) == key})


def _called(fact: Json) -> str:
    return text_at(fact, "change", "text") or text_at(fact, "label")


def ruled(rules: Rules, case: Case, key: str, rounds: Sequence[str]) -> Ruling | None:
    """What the rules say, on the record without our own entry; what that would add is corrected in the entry.

    `rounds` are the submissions of this visit that are in the record; `key` is the fact's.
    """
    rule = rules.get(case.answer)
    own = _own(case, key, rounds) if rounds and case.answer in (Answer.ADDED, Answer.CHANGED) else None
    if rule is None or own is None:
        return rule and rule(case)
    listed, taken = (tuple(each for each in held if each is not own) for held in (case.listed, case.taken))
    ruling = rule(replace(case, listed=listed, taken=taken))
    return _corrected(ruling, own) if ruling.change and ruling.change.method == "POST" else ruling


def _own(case: Case, key: str, rounds: Sequence[str]) -> Json | None:
    """The entry that an earlier round made of the same fact; of something added, under the same name wherever it stood."""
    held = {value: each for each in case.listed for system, value in identifiers(each) if system == IDENTIFIER_SYSTEM}
    made = [held[name] for key in _keys(case, key) for one in rounds if (name := name_for(one, key)) in held]
    if case.answer is Answer.ADDED:
        made = [each for each in made if plain(case.text) in map(plain, _names(each))]
    return next(iter(made), None)


def _keys(case: Case, key: str) -> Iterator[str]:
    yield key
    if case.answer is Answer.ADDED:
        yield from (other for place in range(1, MOST + 1) if (other := f"new-{case.kind}-{place}") != key)


def _names(resource: Json) -> list[str]:
    concepts = [resource.get(name) for name in ("code", "vaccineCode", "relationship") if resource.get(name)]
    return [words.medicine(resource), words.insurer(resource), *map(concept_text, concepts)]


def _corrected(ruling: Ruling, own: Json) -> Ruling:
    assert ruling.change is not None
    new = ruling.change.resource
    different = {name: new.get(name) for name in OF_THEIRS if new.get(name) != own.get(name)}
    if not different:
        return Ruling(said=ruling.said, reasons=(ALREADY,))
    return replace(ruling, effect=CORRECTS, change=update(own, **different))
