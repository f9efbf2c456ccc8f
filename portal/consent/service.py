"""The verbs of consent: choose, take back, tell what holds, and decide; one gate for every page, list and delivery."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.accounts import service as accounts
from portal.actors import STAFF, Actor, Role, system
from portal.audit import service as audit
from portal.audit.events import Event, Outcome
from portal.clock import now
from portal.consent import codes, redaction, resource
from portal.consent.choices import Sheet, check, settled, sheet
from portal.consent.decision import Decision, Policy, Request, decide
from portal.consent.describing import describe, labels_of, sift
from portal.consent.models import Act, ConsentVersion
from portal.consent.provisions import Rules, read
from portal.db import session, transaction
from portal.delivery.models import OutboxItem
from portal.delivery.tools import Passage
from portal.errors import Issue, NotFound
from portal.fhir import exact

POLICIES = {"basic-normal": Policy.BASIC_NORMAL, "deny": Policy.DENY}
ACCOUNT_SYSTEM = "urn:previsit:account"
_BASE = "urn:previsit"
_NORMAL = frozenset({f"{codes.CONFIDENTIALITY}|N"})

Json = Mapping[str, Any]


# -- choosing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One question and what was chosen, in the words that were shown."""

    key: str
    question: str
    answer: str
    means: str


@dataclass(frozen=True)
class Version:
    """A consent version with what follows from it now. `standing` is active, ended (its time is over), replaced or withdrawn."""

    row: ConsentVersion
    standing: str
    rows: tuple[Row, ...]
    choices: Mapping[str, str]
    ends_on: date | None

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
    """The words to show this patient."""
    return sheet(accounts.clinic(actor.clinic_id).name, language)


def task_state(actor: Actor, visit_id: str) -> TaskState:
    """Choices are asked anew for each visit; what was chosen for another one is shown but does not count as done."""
    rows = _rows(actor.clinic_id, _own(actor))
    if not rows:
        return TaskState(False)
    latest = _version(rows[0], newest=True, zone=_zone(actor.clinic_id))
    return TaskState(any(row.visit_id == visit_id for row in rows), latest.id, latest.given_at, latest.rows)


def current(actor: Actor) -> Version | None:
    """What holds now (or has ended last), for the patient themself."""
    return next(iter(history(actor)), None)


def history(actor: Actor) -> list[Version]:
    """Every version, newest first, for the patient themself."""
    zone = _zone(actor.clinic_id)
    return [
        _version(row, newest=not number, zone=zone) for number, row in enumerate(_rows(actor.clinic_id, _own(actor)))
    ]


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
        return _record(actor, Act.WITHDRAWN, chosen, sheet_for(actor, language), None, None)


def _record(
    actor: Actor, act: Act, chosen: dict[str, str], shown: Sheet, visit_id: str | None, visit_on: date | None
) -> Version:
    owner, zone = accounts.patient(actor, _own(actor)), _zone(actor.clinic_id)
    before = _rows(actor.clinic_id, owner.id, lock=True)
    if before and _same(before[0], act, chosen, visit_id, shown):
        return _version(before[0], newest=True, zone=zone)
    made = ConsentVersion(
        clinic_id=actor.clinic_id,
        patient_id=owner.id,
        visit_id=visit_id,
        number=before[0].number + 1 if before else 1,
        act=act.value,
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
    )
    made.document = _document(actor, ceremony)
    session().add(made)
    session().flush()
    event = Event.CONSENT_GIVEN if act is Act.GIVEN else Event.CONSENT_WITHDRAWN
    audit.record(
        actor, event, subject=f"consent_versions:{made.id}", patient_id=owner.id, detail={"number": made.number}
    )
    return _version(made, newest=True, zone=zone)


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
        "by": {"name": actor.name, "capacity": "self"},
        "ends_on": ceremony.ends_on.isoformat() if ceremony.ends_on else None,
        "consents": resource.consents(ceremony),
    }


def _same(row: ConsentVersion, act: Act, chosen: Mapping[str, str], visit_id: str | None, shown: Sheet) -> bool:
    document = row.document
    same_words = document["sheet"]["sha256"] == shown.sha256
    return (
        row.act == act
        and document["choices"] == chosen
        and row.visit_id == visit_id
        and (same_words or act is Act.WITHDRAWN)
    )


def _version(row: ConsentVersion, *, newest: bool, zone: ZoneInfo) -> Version:
    document = row.document
    ends_on = date.fromisoformat(document["ends_on"]) if document["ends_on"] else None
    over = ends_on is not None and now().astimezone(zone).date() > ends_on
    standing = "replaced" if not newest else "withdrawn" if row.act == Act.WITHDRAWN else "ended" if over else "active"
    return Version(row, standing, tuple(Row(*each) for each in document["rows"]), document["choices"], ends_on)


def _rows(clinic_id: str, patient_id: str, *, lock: bool = False, most: int | None = None) -> list[ConsentVersion]:
    wanted = (
        select(ConsentVersion)
        .where(ConsentVersion.patient_id == patient_id, ConsentVersion.clinic_id == clinic_id)
        .order_by(ConsentVersion.number.desc())
        .limit(most)
    )
    return list(session().scalars(wanted.with_for_update() if lock else wanted))


def _own(actor: Actor) -> str:
    if actor.patient_id is None:
        raise NotFound
    return actor.patient_id


def _zone(clinic_id: str) -> ZoneInfo:
    return ZoneInfo(accounts.clinic(clinic_id).timezone)


# -- deciding ----------------------------------------------------------------------------------------------------------


def permits(
    actor: Actor,
    patient_id: str,
    document: Json,
    *,
    policy: Policy,
    purpose: str | None = None,
    questionnaire: Json | None = None,
) -> Decision:
    """May this actor use this FHIR resource of the patient now? With the questionnaire, also which linkIds to leave out.

    `purpose` is a v3-ActReason code, else the one of the actor. The patient's own use of their own data needs nobody's
    permission, but a choice of theirs against it holds. A refusal is audited with its basis.
    """
    asked = _request(actor, patient_id, document, purpose, questionnaire)
    rules = _speaking(actor, patient_id)
    made = decide(asked, rules, _policy(actor, rules, policy))
    if not made.permit:
        _audit_refusal(actor, patient_id, made)
    return made


def visible(
    actor: Actor, patient_id: str, documents: Iterable[Json], *, policy: Policy, purpose: str | None = None
) -> list[Json]:
    """The resources this actor may use, each without contained ones that they may not. Count and sort only what comes back.

    Where no rule looks at anything but labels, one decision serves all resources with the same labels.
    """
    rules = _speaking(actor, patient_id)
    default = _policy(actor, rules, policy)

    by_labels = all(rule.data is None and rule.dates is None for each in rules for rule in (each.root, *each.nested))
    known: dict[frozenset[str], bool] = {}

    def allowed(document: Json) -> bool:
        labels = labels_of(document)
        if not by_labels or labels not in known:
            asked = _request(actor, patient_id, document, purpose, None)
            known[labels] = decide(asked, rules, default).permit
        return known[labels]

    return sift(documents, allowed)


def redacted(
    actor: Actor, patient_id: str, response: Json, questionnaire: Json, *, policy: Policy, purpose: str | None = None
) -> dict[str, Any] | None:
    """A QuestionnaireResponse as this actor may see it, its items labelled; None when they may not see it at all."""
    made = permits(actor, patient_id, response, policy=policy, purpose=purpose, questionnaire=questionnaire)
    if not made.permit:
        return None
    return redaction.redact(redaction.labelled(response, questionnaire), made.redact, questionnaire)


def shows_results(actor: Actor) -> Decision:
    """Has the patient not refused that this site reads their results for them?"""
    return permits(actor, _own(actor), {"resourceType": "Observation"}, policy=Policy.ALL_AUTHORIZED, purpose="PATRQT")


def may_send(item: OutboxItem, policy: Policy) -> Passage:
    """The worker's gate, asked again at each claim: may everything in this delivery still go to the clinic's record?

    Each answer in it carries its labels; one that may no longer go holds back the whole delivery, which then is made again.
    """
    clinic = system(item.clinic_id)
    rules = in_force(item.clinic_id, item.patient_id)
    default = _policy(clinic, rules, policy)
    for entry in exact.loads(item.payload).get("entry", []):
        document = entry.get("resource", {})
        if document.get("resourceType") in {"Consent", "Provenance"}:
            continue
        asked = _request(clinic, item.patient_id, document, codes.TREATMENT.rpartition("|")[2], None)
        asked = replace(asked, resource=replace(asked.resource, parts=redaction.carried(document)))
        made = decide(asked, rules, default)
        if not made.permit or made.redact:
            return Passage(False, "consent")
    return Passage(True)


def resource_for_delivery(actor: Actor, version_id: str) -> dict[str, Any]:
    """The care Consent of a version as it is sent to the clinic: active, with our identifier and the patient's record link."""
    row = _of_clinic(actor, version_id)
    document = row.document
    words = document["sheet"]
    plain = document["consents"][resource.CARE]
    made = resource.with_source(plain, document["copy"], words["language"], words["title"])
    fhir_id = accounts.patient(actor, row.patient_id).fhir_id
    if fhir_id:
        linked = {**made["patient"], "reference": f"Patient/{fhir_id}"}
        made |= {"patient": linked, "performer": [linked]}
    return made


def in_force(clinic_id: str, patient_id: str) -> list[Rules]:
    """The rules of the newest version; every older one is inactive. Choices of another clinic never count here."""
    rows = _rows(clinic_id, patient_id, most=1)
    if not rows:
        return []
    zone, newest = _zone(clinic_id), rows[0]
    return [
        read({**made, "id": f"{newest.id}-{about}"}, base=_BASE, zone=zone, version=str(newest.number))
        for about, made in newest.document["consents"].items()
    ]


def _speaking(actor: Actor, patient_id: str) -> list[Rules]:
    """What the patient keeps from the clinic they still see themself: only their word on showing results is to them."""
    rules = in_force(actor.clinic_id, patient_id)
    if actor.role is not Role.PATIENT:
        return rules
    return [each for each in rules if each.consent_id.endswith(f"-{resource.RESULTS}")]


def _policy(actor: Actor, rules: list[Rules], policy: Policy) -> Policy:
    """The installation's policy is for patients who never chose. After a choice has run out nothing is shared by default."""
    if actor.role is Role.PATIENT:
        return Policy.ALL_AUTHORIZED
    return Policy.DENY if rules else policy


def _request(actor: Actor, patient_id: str, document: Json, purpose: str | None, questionnaire: Json | None) -> Request:
    described = describe(document, _BASE, _NORMAL)
    if questionnaire is not None:
        described = replace(described, parts=redaction.parts(questionnaire))
    return Request(
        now=now(),
        zone=_zone(actor.clinic_id),
        patients=frozenset({f"{resource.PATIENT_SYSTEM}|{patient_id}"}),
        actor=_identities(actor),
        purpose=codes.code(codes.ACT_REASON, purpose or _purpose(actor)),
        resource=described,
        clinician=actor.role in {Role.CLINICIAN, Role.SYSTEM},
    )


def _purpose(actor: Actor) -> str:
    """The front desk and the administrators run the clinic; they do not treat."""
    return "HOPERAT" if actor.role in STAFF - {Role.CLINICIAN} else actor.purpose.value


def _identities(actor: Actor) -> frozenset[str]:
    clinic = f"{resource.CLINIC_SYSTEM}|{actor.clinic_id}"
    own = f"{ACCOUNT_SYSTEM}|{actor.account_id}" if actor.account_id else clinic
    patient = f"{resource.PATIENT_SYSTEM}|{actor.patient_id}" if actor.patient_id else clinic
    return frozenset({clinic, own, patient})


def _audit_refusal(actor: Actor, patient_id: str, made: Decision) -> None:
    basis = [f"{each.consent_id}/{each.version} {each.path} {each.effect}" for each in made.basis]
    with transaction():
        audit.record(
            actor,
            Event.CONSENT_DECIDED,
            subject=f"patients:{patient_id}",
            patient_id=patient_id,
            detail={"basis": basis or [made.policy], "alerts": list(made.alerts)},
            outcome=Outcome.MINOR,
        )


def _of_clinic(actor: Actor, version_id: str) -> ConsentVersion:
    wanted = select(ConsentVersion).where(ConsentVersion.id == version_id, ConsentVersion.clinic_id == actor.clinic_id)
    found = session().scalars(wanted).one_or_none()
    if found is None or (actor.role is Role.PATIENT and found.patient_id != actor.patient_id):
        raise NotFound
    return found
