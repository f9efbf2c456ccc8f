"""What accepting something a form says would write (portal/review/shapes.py says how, by type of resource). Pure.

Everything is written as the patient's own report: the patient is its subject and its source, dated when they sent it, and
what can be confirmed or not is unconfirmed, whatever the form's template says. What the record already says is not
written again; it is found by our identifier, by its codes, or by its name.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from portal.fhir import structure
from portal.fhir.resources import Json, identifiers, key_of, text_at, type_of
from portal.fhir.values import codes_of, concept_text
from portal.review import human, words
from portal.review.allergy import IS_TAKEN
from portal.review.extracted import Told, said_of
from portal.review.proposal import Answer, Change, Proposal, Risk, Row, Wording, key_for
from portal.review.ruling import ALREADY, NOTHING_CHANGES, SIMILAR, create, similar_in, update
from portal.review.section import COULD_NOT_LOOK, NOT_LOOKED, Record, Section
from portal.review.shapes import SHAPES, Shape, name_of

NOT_CHECKED = "The record could not be read now, so it is not known whether it already says this."
BY_HAND = "This kind of entry is not written from here. Enter it by hand if it matters."
NOT_LET = "The clinic's system does not let us write this kind of entry. Enter it by hand if it matters."
NOT_ENOUGH = "The form does not say enough to make an entry of it. Enter it by hand if it matters."
NOT_THERE = "The form means to change an entry that was not found in the record. Enter it by hand if it matters."
UPDATES = "Brings up to date what an earlier answer to this form put into the record."
NOT_OFFERED = "The form makes no entry of that answer."
CHOICE = "choice"
OTHER_VALUE = "The record's latest entry says something else."


OTHERS = {"Patient": "contact"}
"""What a form may say and this desk does not write: the kind by which it is shown."""
CHOICES = ("effective", "occurrence", "performed")
"""Elements of several types, of which an entry has one."""

Writable = Callable[[str, str], bool]
"""Whether the clinic's system lets us write: type of resource, "c" to create or "u" to update."""


def section_of(told: Told) -> str:
    """The section of the record that a proposal is compared with; "" for none."""
    shape = SHAPES.get(type_of(told.resource))
    return shape.section(told.resource) if shape else ""


def proposal(told: Told, record: Record, *, subject: str, said_at: str, writable: Writable) -> Proposal:
    """One thing a form says beside the record of today; its human parts may be put in other words."""
    made = _as_told(told, record, subject=subject, said_at=said_at, writable=writable)
    words, options = human.fields(told.resource) if made.change else (), tuple[str, ...]()
    if made.change and told.choice and told.otherwise:
        words = ((CHOICE, said_of(told.choice.chosen)), *words)
        options = tuple(dict.fromkeys(map(said_of, told.choice.options)))

    def again(wording: Wording) -> Proposal:
        try:
            other = replace(told, resource=human.put(_chosen(told, wording.words.get(CHOICE, "")), wording.words))
        except human.Unfit as unfit:
            return replace(made, change=None, reasons=(str(unfit),))
        worded = _as_told(other, record, subject=subject, said_at=said_at, writable=writable)
        return replace(worded, title=made.title, words=words, options=options)

    return replace(made, words=words, options=options, reworded=again) if words else made


def _chosen(told: Told, label: str) -> Json:
    """The entry as the form would have made it of another of its options."""
    if told.choice is None or told.otherwise is None or label in ("", said_of(told.choice.chosen)):
        return told.resource
    other = told.otherwise(label)
    if other is None:
        raise human.Unfit(NOT_OFFERED)
    return other


def _as_told(told: Told, record: Record, *, subject: str, said_at: str, writable: Writable) -> Proposal:
    shape = SHAPES.get(type_of(told.resource))
    if shape is None:
        return _by_hand(told, OTHERS.get(type_of(told.resource), "other"), BY_HAND)
    section = record.get(shape.section(told.resource), NOT_LOOKED)
    resource = _as_theirs(told, shape, subject, said_at)
    standing = [each for each in section.resources if type_of(each) and shape.stands(each)]
    ours = next((each for each in section.resources if _ours(resource) & set(identifiers(each))), None)
    if told.wanted and not any(key_of(each) == told.wanted for each in section.resources):
        return _by_hand(told, shape.kind, NOT_THERE)
    if ours is not None:
        return _again(told, shape, resource, ours, section, writable)
    same = next((each for each in standing if shape.same(resource, each)), None)
    made = _new(told, shape, resource, same, section, writable)
    return _with_warnings(made, resource, standing, section, record)


def person(told: Told, record: Record) -> Proposal | None:
    """What a form says about who the patient is, where it differs from the record: never written, somebody looks at it."""
    held = next((each for each in record.get("contact", NOT_LOOKED).resources if type_of(each) == "Patient"), None)
    rows = [row for row in _rows(told.resource, held) if row.differs]
    if not rows:
        return None
    made = _by_hand(told, "contact", BY_HAND)
    return replace(made, rows=tuple(rows), title="Who the patient is")


def _as_theirs(told: Told, shape: Shape, subject: str, said_at: str) -> Json:
    who = {"reference": subject}
    bare = {name: held for name, held in told.resource.items() if name not in ("id", "meta", "text")}
    meta = {"meta": {"security": list(told.labels)}} if told.labels else {}
    chosen = {name for name in CHOICES for held in bare if held.startswith(name)}
    else_ = {name: held for name, held in shape.else_(who, said_at).items() if not name.startswith(tuple(chosen))}
    return {**else_, **bare, **shape.added(bare), **meta, shape.patient: who, **shape.fixed(who, said_at)}


def _ours(resource: Json) -> set[tuple[str, str]]:
    return {next(identifiers(resource))}


def _new(told: Told, shape: Shape, resource: Json, same: Json | None, section: Section, writable: Writable) -> Proposal:
    if same is not None:
        return _shown(told, shape.kind, resource, same, section, None, Risk.ROUTINE, NOTHING_CHANGES, (ALREADY,))
    if not writable(type_of(resource), "c"):
        return _by_hand(told, shape.kind, NOT_LET)
    if structure.problems(resource):
        return _by_hand(told, shape.kind, NOT_ENOUGH)
    last = _latest(resource, section) if shape.kind == "observation" else None
    return _shown(told, shape.kind, resource, last, section, create(resource), Risk.ROUTINE, shape.effect, ())


def _latest(resource: Json, section: Section) -> Json | None:
    """What the record last says of the same measure."""
    same = [each for each in section.resources if codes_of(each.get("code")) & codes_of(resource.get("code"))]
    return max(same, key=lambda each: text_at(each, "effectiveDateTime"), default=None)


def _with_warnings(made: Proposal, resource: Json, standing: list[Json], section: Section, record: Record) -> Proposal:
    if made.change is None:
        return made
    if made.kind == "allergy" and similar_in(made.title, record.get("medication", NOT_LOOKED).resources):
        return replace(made, risk=Risk.URGENT, reasons=(IS_TAKEN,))
    if made.kind != "observation" and similar_in(name_of(resource), tuple(standing)):
        return replace(made, risk=Risk.LOOK, reasons=(SIMILAR,))
    if section.state == COULD_NOT_LOOK:
        return replace(made, risk=Risk.LOOK, reasons=(NOT_CHECKED,))
    return replace(made, risk=Risk.LOOK) if made.kind == "allergy" else made


def _again(told: Told, shape: Shape, resource: Json, ours: Json, section: Section, writable: Writable) -> Proposal:
    """An earlier answer is in the record already: the same, or brought up to date in place."""
    if all(ours.get(name) == held for name, held in resource.items() if name not in _DATED):
        return _shown(told, shape.kind, resource, ours, section, None, Risk.ROUTINE, NOTHING_CHANGES, (ALREADY,))
    if not writable(type_of(resource), "u"):
        return _by_hand(told, shape.kind, NOT_LET)
    change = update(
        ours, **{name: held for name, held in resource.items() if name not in ("resourceType", "identifier")}
    )
    return _shown(told, shape.kind, resource, ours, section, change, Risk.LOOK, UPDATES, (OTHER_VALUE,))


_DATED = ("effectiveDateTime", "issued", "recordedDate", "dateAsserted", "meta")


def _by_hand(told: Told, kind: str, reason: str) -> Proposal:
    return _shown(told, kind, told.resource, None, Section(COULD_NOT_LOOK), None, Risk.LOOK, NOTHING_CHANGES, (reason,))


def _shown(
    told: Told,
    kind: str,
    resource: Json,
    beside: Json | None,
    section: Section,
    change: Change | None,
    risk: Risk,
    effect: str,
    reasons: tuple[str, ...],
) -> Proposal:
    return Proposal(
        key=key_for(told.fact),
        fact=told.fact,
        kind=kind,
        answer=Answer.ADDED,
        title=name_of(resource) or type_of(resource),
        rows=_rows(resource, beside),
        note="",
        change=change,
        base_version=change.if_match if change else None,
        stale=False,
        risk=risk,
        effect=effect,
        reasons=reasons,
        reference=key_of(beside),
        read_at=section.read_at,
        open=change is not None or risk is not Risk.ROUTINE,
        form=told.form,
        response=told.response,
        labels=told.labels,
    )


def _rows(resource: Json, beside: Json | None) -> tuple[Row, ...]:
    told = {name: held for name, held in resource.items() if name not in _WHEN_SAID}
    said, now = _lines(told), _lines(beside) if beside else {}
    made = [
        Row(name, now.get(name, ""), now.get(name, ""), said.get(name, "")) for name in dict.fromkeys([*said, *now])
    ]
    return tuple(row for row in made if row.said or row.now)


_WHEN_SAID = ("dateAsserted", "recordedDate", "issued")
"""When it was told is not since when it is so."""


def _lines(resource: Json) -> Mapping[str, str]:
    known = words.lines(resource)
    if known:
        return {name: text for name, text in known.items() if name != "Status"}
    plain = {name: concept_text(held) or str(held) for name, held in resource.items() if _tellable(name, held)}
    return {name: text for name, text in plain.items() if text}


def _tellable(name: str, held: object) -> bool:
    return (
        name.isalpha()
        and name not in ("resourceType", "id", "status")
        and (isinstance(held, str) or (isinstance(held, dict) and ("coding" in held or "text" in held)))
    )
