"""Choosing, choosing again and taking back: every time a new version; what was shown and said is kept with it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from portal.accounts import service as accounts
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.consent import filed, resource, superseding
from portal.consent.choices import Sheet, check, settled, sheet
from portal.consent.examples import Example, examples
from portal.consent.models import Act, Capacity, ConsentVersion
from portal.consent.standing import holding
from portal.db import session, transaction
from portal.errors import Issue, NotFound
from portal.fhir import people

NOTICE_DAYS = 14


@dataclass(frozen=True)
class Row:
    """One question and what was chosen, in the words that were shown."""

    key: str
    question: str
    answer: str
    means: str


@dataclass(frozen=True)
class Version:
    """A consent version with what follows from it now. `standing` is active, conflict (it holds, and so does another one that
    says something else), ended (its time is over), replaced or withdrawn."""

    row: ConsentVersion
    standing: str
    rows: tuple[Row, ...]
    choices: Mapping[str, str]
    ends_on: date | None
    ends_soon: bool = False
    disputed: tuple[str, ...] = ()
    """the questions on which those who act for the patient disagree, in a conflict"""

    @property
    def disputes(self) -> list[str]:
        """The same, in the words that were shown."""
        return [row.question for row in self.rows if row.key in self.disputed]

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def given_at(self) -> datetime:
        return self.row.given_at

    @property
    def withdrawn(self) -> bool:
        return self.row.act == Act.WITHDRAWN

    @property
    def text(self) -> str:
        """The copy to keep: the words as they were shown, with a mark at what was chosen."""
        return str(self.row.document["copy"])

    @property
    def sha256(self) -> str:
        return str(self.row.document["sheet"]["sha256"])


@dataclass(frozen=True)
class TaskState:
    """Whether the choices were made for this visit, and what holds now. `rows` is empty when nothing was ever chosen."""

    done: bool
    version_id: str | None = None
    given_at: datetime | None = None
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Given:
    """The version that was made, or what stands in its way."""

    version: Version | None
    issues: list[Issue]


def sheet_for(actor: Actor, language: str) -> Sheet:
    """The words to show this patient, with what each choice does."""
    clinic = accounts.clinic(actor.clinic_id).name
    shown = sheet(clinic, language)
    return replace(shown, examples=_examples(clinic, shown.language))


@lru_cache(maxsize=64)
def _examples(clinic: str, language: str) -> tuple[Example, ...]:
    return examples(sheet(clinic, language), clinic)


def task_state(actor: Actor, visit_id: str) -> TaskState:
    """Choices are asked anew for each visit; what was chosen for another one is shown but does not count as done."""
    rows = filed.rows(actor.clinic_id, filed.own(actor))
    if not rows:
        return TaskState(False)
    latest = _version(rows[0], holds=True, zone=filed.zone(actor.clinic_id))
    return TaskState(any(row.visit_id == visit_id for row in rows), latest.id, latest.given_at, latest.rows)


def current(actor: Actor) -> Version | None:
    """What holds now (or has ended last), for the patient themself."""
    return next(iter(history(actor)), None)


def history(actor: Actor) -> list[Version]:
    """Every version, newest first, for the patient themself."""
    zone, rows = filed.zone(actor.clinic_id), filed.rows(actor.clinic_id, filed.own(actor))
    held = holding(rows)
    told = [_version(row, holds=row in held.versions, conflict=held.conflict, zone=zone) for row in rows]
    return [replace(each, disputed=held.questions) if each.standing == "conflict" else each for each in told]


def version(actor: Actor, version_id: str) -> Version:
    """One version of this patient; NotFound for anybody else's."""
    found = next((each for each in history(actor) if each.id == version_id), None)
    if found is None:
        raise NotFound
    return found


def give(
    actor: Actor,
    answers: Mapping[str, str],
    *,
    language: str,
    seen: str,
    visit_id: str | None = None,
    visit_on: date | None = None,
) -> Given:
    """Record choices as a new version; the one before becomes inactive. The same choices sent twice are one version.

    `seen` is the hash of the text that was on the screen; when the wording has changed since, it must be read again.
    """
    shown = sheet_for(actor, language)
    issues = check(answers, shown)
    if seen != shown.sha256:
        issues = [
            Issue("choices", "wording", "The words of this page have changed. Read them again and choose."),
            *issues,
        ]
    if issues:
        return Given(None, issues)
    with transaction():
        made = _record(actor, Act.GIVEN, settled(answers), shown, visit_id, visit_on)
    return Given(made, [])


def withdraw(actor: Actor, *, language: str) -> Version:
    """Take back everything that was permitted, at once: sharing, sensitive answers, research. Doing it twice is doing it once."""
    with transaction():
        before = current(actor)
        if before is None:
            raise NotFound
        chosen = {**before.choices, "share": "no", "sensitive": "no", "research": "no", "until": "open"}
        taken = _record(actor, Act.WITHDRAWN, chosen, sheet_for(actor, language), None, None)
        if taken.id != before.id:
            superseding.tell_the_record(actor, taken.row, resource_for_delivery(actor, taken.id))
        return taken


def _record(
    actor: Actor, act: Act, chosen: dict[str, str], shown: Sheet, visit_id: str | None, visit_on: date | None
) -> Version:
    owner, zone = accounts.patient(actor, filed.own(actor)), filed.zone(actor.clinic_id)
    filed.one_at_a_time(owner.id)
    before = filed.rows(actor.clinic_id, owner.id, most=1)
    if before and _same(before[0], act, chosen, visit_id, shown, actor.account_id):
        return _version(before[0], holds=True, zone=zone)
    made = ConsentVersion(
        clinic_id=actor.clinic_id,
        patient_id=owner.id,
        visit_id=visit_id,
        number=before[0].number + 1 if before else 1,
        act=act.value,
        capacity=_capacity(actor).value,
        given_at=now(),
        account_id=actor.account_id,
    )
    ends_on = resource.last_day(chosen["until"], made.given_at.astimezone(zone).date(), visit_on)
    ceremony = resource.Ceremony(
        version_id=made.id,
        patient_id=owner.id,
        patient_name=str(owner.person.get("name") or ""),
        clinic_id=actor.clinic_id,
        clinic_name=accounts.clinic(actor.clinic_id).name,
        given_at=made.given_at,
        ends_on=ends_on,
        choices=chosen,
        sheet=shown,
        performer=people.related(actor.name, actor.behalf.reference, actor.account_id or "") if actor.behalf else None,
    )
    made.document = _document(actor, ceremony)
    session().add(made)
    session().flush()
    event = Event.CONSENT_GIVEN if act is Act.GIVEN else Event.CONSENT_WITHDRAWN
    audit.record(
        actor, event, subject=f"consent_versions:{made.id}", patient_id=owner.id, detail={"number": made.number}
    )
    return _version(made, holds=True, zone=zone)


def _document(actor: Actor, ceremony: resource.Ceremony) -> dict[str, Any]:
    shown = ceremony.sheet
    return {
        "choices": dict(ceremony.choices),
        "rows": [
            [question.key, question.title, question.label(value), question.means(value)]
            for question in shown.questions
            if (value := ceremony.choices.get(question.key))
        ],
        "sheet": {
            "edition": shown.edition,
            "language": shown.language,
            "sha256": shown.sha256,
            "title": shown.title,
            "text": shown.text,
        },
        "copy": resource.signed_text(shown, ceremony.choices),
        "by": {
            "name": actor.name,
            "capacity": _capacity(actor).value,
            "relation": actor.behalf.relation if actor.behalf else "",
        },
        "ends_on": ceremony.ends_on.isoformat() if ceremony.ends_on else None,
        "consents": resource.consents(ceremony),
    }


def _capacity(actor: Actor) -> Capacity:
    return Capacity.PROXY if actor.behalf else Capacity.SELF


def _same(
    row: ConsentVersion, act: Act, chosen: Mapping[str, str], visit_id: str | None, shown: Sheet, account_id: str | None
) -> bool:
    document = row.document
    same_words = document["sheet"]["sha256"] == shown.sha256
    return (
        row.act == act
        and row.account_id == account_id
        and document["choices"] == chosen
        and row.visit_id == visit_id
        and (same_words or act is Act.WITHDRAWN)
    )


def _version(row: ConsentVersion, *, holds: bool, zone: ZoneInfo, conflict: bool = False) -> Version:
    document = row.document
    ends_on = date.fromisoformat(document["ends_on"]) if document["ends_on"] else None
    left = (ends_on - now().astimezone(zone).date()).days if ends_on else NOTICE_DAYS + 1
    over = left < 0
    return Version(
        row,
        _standing(row, holds, over, conflict),
        tuple(Row(*each) for each in document["rows"]),
        document["choices"],
        ends_on,
        left <= NOTICE_DAYS,
    )


def _standing(row: ConsentVersion, holds: bool, over: bool, conflict: bool) -> str:
    if not holds:
        return "replaced"
    if conflict:
        return "conflict"
    return "withdrawn" if row.act == Act.WITHDRAWN else "ended" if over else "active"


def resource_for_delivery(actor: Actor, version_id: str) -> dict[str, Any]:
    """The care Consent of a version as it is sent to the clinic: active, with our identifier and the patient's record link."""
    row = filed.of_clinic(actor, version_id)
    document = row.document
    words = document["sheet"]
    plain = document["consents"][resource.CARE]
    made = resource.with_source(plain, document["copy"], words["language"], words["title"])
    fhir_id = accounts.patient(actor, row.patient_id).fhir_id
    if fhir_id:
        linked = {**made["patient"], "reference": f"Patient/{fhir_id}"}
        made |= {"patient": linked}
        if row.capacity == Capacity.SELF:
            made |= {"performer": [linked]}
    return made
